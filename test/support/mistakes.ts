// What a mistake is that somebody makes and the server refuses, and how programs send theirs.
import type { AuditType } from '#core/audit/event.ts'
import type { RegisteredClient } from './app.ts'
import type { ExplainScene } from './explain.ts'
import { basic, post, send } from './protocol.ts'

export interface Mistake {
  readonly make: (scene: ExplainScene) => Promise<{ status: number; headers: Headers; body: string }>
  /** What it leaves in the audit. */
  readonly type: AuditType
  /** Reason on record | the rule | where it is written | what would mend it. */
  readonly says: RegExp
  /** What else the row holds. */
  readonly more?: Readonly<Record<string, unknown>>
}

/** Stands for every kind of secret: whatever it is sent as, it is in no row and no explanation. */
export const CANARY = 'canary-7Qx'

type Fields = Readonly<Record<string, string | undefined>>
type Make = Mistake['make']

/** Sends a form, as a client that proves who it is or as nobody. */
export const posting =
  (path: string, fields: Fields, by: (scene: ExplainScene) => RegisteredClient | undefined = () => undefined): Make =>
  (scene) => {
    const client = by(scene)
    return post(`${scene.app.issuer}${path}`, fields, client ? basic(client) : {})
  }

export const asWeb = ({ web }: ExplainScene) => web
export const withWrongSecret = ({ web }: ExplainScene) => ({ ...web, secret: CANARY })

/** Sends a body of any kind. */
export const sending =
  (path: string, body: string, type: string, headers: Readonly<Record<string, string>> = {}): Make =>
  ({ app }) =>
    send(`${app.issuer}${path}`, { method: 'POST', body, headers: { 'content-type': type, ...headers } })

export const FORM = 'application/x-www-form-urlencoded'

/**
 * The sockets: everything a room of src/features may plug into, and nothing else. A room exports one Feature; the list
 * in app/features.ts is the whole product. Sockets are functions of what the room needs (`Needs`), so that naming a
 * feature opens nothing: the command line lists its commands without touching a database.
 *
 *   commands  what `latchkey <noun> <verb>` can do                   plugged into cli.ts
 *   routes    Koa middleware under the issuer's path                 plugged into app/app.ts, in the list's order
 *   rootRoutes  the same at the root of the host, for machines       plugged into app/app.ts
 *   pages     pages that protocol endpoints show themselves          plugged into oidc/provider.ts
 *   steps     the steps of a sign-in it can show and take            plugged into features/sign-in
 *   jobs      what runs now and then, under a lease                  plugged into app/jobs.ts
 */
import type { Context, Middleware } from 'koa'
import type { CommandGroup } from '#platform/cli.ts'
import type { Services } from './services.ts'
import type { StepName, StepOutcome, StepScene } from './sign-in-steps.ts'

export interface Feature<Needs = Services> {
  /** The one word of the capability: its folder, its views, its tests. */
  readonly word: string
  readonly commands?: readonly CommandGroup<Services>[]
  readonly routes?: (needs: Needs) => Middleware
  readonly rootRoutes?: (needs: Services) => Middleware
  readonly pages?: (needs: Services) => Partial<ProtocolPages>
  readonly steps?: (needs: Needs) => readonly Step[]
  readonly jobs?: (needs: Services) => readonly Job[]
}

/** One step of a sign-in. It renders and judges its own form; which step comes next is not its business. */
export interface Step {
  readonly name: StepName
  /** Renders the form. */
  show(ctx: Context, scene: StepScene): Promise<void>
  /**
   * Asked before anything is loaded for what was sent, so that a flood costs little.
   * @throws AppError(unavailable) where it could not be judged now
   */
  admit?(form: Readonly<Record<string, string>>): void
  /** Judges what was sent. `again` means that it rendered its form again, with status 422. */
  submit(ctx: Context, scene: StepScene, form: Readonly<Record<string, string>>): Promise<StepOutcome>
}

export interface Job {
  readonly name: string
  readonly everySeconds: number
  run(): Promise<void>
}

/** The pages that the protocol endpoints show themselves; each is furnished by one room. */
export interface ProtocolPages {
  /** Asks whether to sign out. The form goes to `action` with the fields `xsrf` and, for yes, `logout`. */
  confirmLogout(ctx: Context, page: LogoutQuestion): Promise<void>
  /** Shown after a sign-out that has nowhere to return to. */
  signedOut(ctx: Context, page: SignedOut): Promise<void>
  /** Asks for the code of a device (RFC 8628 §3.3). The form goes to `action` with the fields `xsrf` and `user_code`. */
  deviceCode(ctx: Context, page: DeviceCodeQuestion): Promise<void>
  /** Asks whether the device is the person's own: the same fields and, for yes, `confirm`, for no, `abort`. */
  deviceConfirm(ctx: Context, page: DeviceQuestion): Promise<void>
  /** Shown in the end, whatever the answer was. */
  deviceDone(ctx: Context, page: DeviceAnswer): Promise<void>
}

export interface LogoutQuestion {
  readonly action: string
  readonly xsrf: string
  /** The relying party that asked, if it said who it is. */
  readonly clientName: string | undefined
  readonly accountId: string
}

/** Why the code is asked for once more. */
export type DeviceCodeProblem = 'missing' | 'unknown' | 'expired' | 'used' | 'stale'

export interface DeviceCodeQuestion {
  readonly action: string
  readonly xsrf: string
  /** As it was typed, or empty. */
  readonly userCode: string
  readonly problem: DeviceCodeProblem | undefined
}

export interface DeviceQuestion {
  readonly action: string
  readonly xsrf: string
  /** As the device shows it. */
  readonly userCode: string
  readonly client: { readonly name: string; readonly logoUri: string | undefined; readonly uri: string | undefined }
  /** Where the device asked from, and what it says it is: one line of ASCII, or empty. */
  readonly address: string
  readonly userAgent: string
}

export interface DeviceAnswer {
  readonly connected: boolean
  readonly clientName: string | undefined
}

export interface SignedOut {
  /** The relying party that was left, where it alone was. */
  readonly clientName: string | undefined
  readonly stillSignedIn: boolean
}

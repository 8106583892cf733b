/**
 * What is found out about a request while it is served, for the audit: why it was refused, and what came of it. It is
 * noted where it is known, also by listeners that cannot wait, and put on record at one place each: events before the
 * answer leaves (`recordEvents`), refusals once the answer is known (refusals.ts), so that each leaves one row.
 */
import type { Context } from 'koa'
import type { Recorder } from '#core/audit/audit.ts'
import { AUDIT_TYPES, type ActorKind, type AuditEvent, type AuditType } from '#core/audit/event.ts'
import { attached } from '#platform/attached.ts'
import type { AppError } from '#platform/errors.ts'
import { factsOf } from '#platform/http/request-facts.ts'

export interface RefusalNote extends Pick<AuditEvent, 'accountId' | 'clientId' | 'rule' | 'facts'> {
  readonly by?: ActorKind
  /** Where it is another than its endpoint's. */
  readonly type?: AuditType | undefined
}

export type EventNote = Omit<AuditEvent, 'by'> & { readonly by: ActorKind }

interface Notes {
  refusal: RefusalNote | undefined
  /** The refusal is on record already, as an event that may not be lost. */
  refusalIsEvent: boolean
  events: EventNote[]
  /** Whose it is that was used before. */
  usedBy: string | undefined
}

type Noted = Pick<Context, 'req'>

const notes = attached<Notes>()

function notesOf({ req }: Noted): Notes {
  const found = notes.of(req) ?? { refusal: undefined, refusalIsEvent: false, events: [], usedBy: undefined }
  notes.to(req, found)
  return found
}

/** Why the request is refused; what is known already stays. */
export function noteRefusal(ctx: Noted, note: RefusalNote): void {
  const found = notesOf(ctx)
  found.refusal = { ...note, ...found.refusal }
}

/** The request is refused with this error, whatever was found wrong before; what is known already of who asked stays. */
export function noteErrorOfOurs(ctx: Noted, { code, message, rule }: AppError): void {
  const found = notesOf(ctx)
  const facts = { ...found.refusal?.facts, error: code, description: undefined }
  found.refusal = { ...found.refusal, type: AUDIT_TYPES.find((type) => type === rule), rule: message, facts }
}

/** The library refuses: its last word is what the client hears. Where a family of tokens ended, this is why. */
export function noteProtocolRefusal(ctx: Noted, note: RefusalNote): void {
  const found = notesOf(ctx)
  found.refusal = note
  const ended = found.events.find(({ type }) => type === 'token_family.revoked')
  if (!ended) return
  found.refusalIsEvent = true
  const { accountId = ended.accountId ?? found.usedBy, clientId = ended.clientId, rule, facts } = note
  found.events = [{ type: 'token_family.reuse_detected', by: 'unknown', accountId, clientId, rule, facts }]
}

/** A code or token was found that is used up already: if its family ends for that, this is the person. */
export function noteUsed(ctx: Noted, accountId: string | undefined): void {
  notesOf(ctx).usedBy = accountId
}

/** What came of the request; it is on record before the answer leaves. */
export function noteEvent(ctx: Noted, event: EventNote): void {
  notesOf(ctx).events.push(event)
}

/** Why the request was refused, unless that is on record already. */
export function refusalToRecord(ctx: Noted): RefusalNote | 'recorded' | undefined {
  const noted = notes.of(ctx.req)
  return noted?.refusalIsEvent === true ? 'recorded' : noted?.refusal
}

/** Puts on record what came of a request, before the answer leaves. */
export async function recordEvents(ctx: Noted, audit: Recorder): Promise<void> {
  const noted = notes.of(ctx.req)?.events.splice(0) ?? []
  if (noted.length === 0) return
  const request = factsOf(ctx.req)
  await audit.record(noted.map(({ by, ...event }) => ({ ...event, by: { kind: by, request } })))
}

/** The audit as it is read, followed and verified; it is sealed and forgotten in sealing.ts. */
import { isClientId } from '#core/clients/client-id.ts'
import type { Accounts } from '#core/accounts/accounts.ts'
import { pageLimit, pageOf, parseListQuery, type Page } from '#core/paging.ts'
import { cursorOf, passedSeconds, timedCursor } from '#core/timed-id.ts'
import { AppError } from '#platform/errors.ts'
import { z } from 'zod'
import { auditChain, ORIGIN, type Link } from './chain.ts'
import { AUDIT_TYPES, type AuditEntry } from './event.ts'
import { auditSealing, type AuditSealing, type SealingNeeds } from './sealing.ts'
import { auditStore, entryOf, type SealedEvent } from './store.ts'
import { walkChain, type AuditProblem } from './verify.ts'

export interface AuditTrail extends AuditSealing {
  /**
   * A page, newest first.
   * @param query `user`, `client`, `type`, `since`, `limit` and `cursor` as a door received them
   * @throws AppError(invalid_input) for what cannot be read
   */
  list(query: unknown): Promise<Page<AuditEntry>>
  /** What happened in one request. */
  ofRequest(requestId: string): Promise<readonly AuditEntry[]>
  /** Everything sealed after a place in the chain, in its order. The filter only says what is given. */
  after(place: number, filter: AuditFilter): AsyncGenerator<AuditEntry>
  /** The same filter as of `list`, read. @throws AppError(invalid_input) */
  filter(query: unknown): Promise<AuditFilter>
  /** The last place in the chain. */
  end(): Promise<Link>
  /**
   * Seals what waits and walks the whole chain.
   * @param head a head that was told earlier
   * @throws AppError(invalid_input) for a head that is none
   */
  verify(head?: string): Promise<Verification>
}

export interface Verification {
  readonly events: number
  /** The end of the chain, to be kept somewhere else: what is cut off behind it will be missed. */
  readonly head: string
  readonly problems: readonly AuditProblem[]
}

export interface AuditFilter {
  readonly accountId: string | undefined
  readonly clientId: string | undefined
  readonly type: string | undefined
  /** Seconds since the epoch. */
  readonly from: number | undefined
}

export interface AuditTrailNeeds extends SealingNeeds {
  readonly accounts: Pick<Accounts, 'find'>
}

const READ_AT_ONCE = 1_000

const WORDS = new Set<string>(AUDIT_TYPES.flatMap((type) => [type, type.split('.', 1)[0] ?? type]))

const filterShape = {
  user: z.string().optional(),
  client: z.string().refine(isClientId, 'This can be no client id.').optional(),
  type: z
    .string()
    .refine(
      (type) => WORDS.has(type),
      'There is no such type: docs/audit.md has all of them; sign_in stands for all of its kind.',
    )
    .optional(),
  since: passedSeconds.optional(),
}
const filterQuery = z.strictObject(filterShape)
const listQuery = z.strictObject({ ...filterShape, limit: pageLimit, cursor: timedCursor.optional() })
const keptHead = /^(\d{1,15})\.([\w-]{43})$/

export function createAuditTrail(needs: AuditTrailNeeds): AuditTrail {
  const { database, secrets, clock, accounts } = needs
  const chain = auditChain(secrets)
  const store = auditStore(database.db)
  const sealing = auditSealing(needs)

  const filterOf = async ({ user, client, type, since }: z.output<typeof filterQuery>): Promise<AuditFilter> => ({
    // what happened to somebody who was deleted is found by their id
    accountId: user === undefined ? undefined : ((await accounts.find(user))?.id ?? user),
    clientId: client,
    type,
    from: since === undefined ? undefined : clock.now() - since,
  })

  async function* pagesAfter(place: number): AsyncGenerator<readonly SealedEvent[]> {
    for (let last = place; ;) {
      const page = await store.listSealed(last, READ_AT_ONCE)
      const end = page.at(-1)
      if (!end) return
      yield page
      // whoever writes on meanwhile would keep this going for ever
      if (page.length < READ_AT_ONCE) return
      last = end.sequence
    }
  }

  const verify: AuditTrail['verify'] = async (head) => {
    const kept = head === undefined ? undefined : linkIn(head)
    await sealing.seal().catch(unlessMarkWasChanged)
    const [start, end] = [await store.mark('start'), await store.mark('end')]
    const walked = await walkChain({ chain, start, end, kept, pages: pagesAfter(start?.sequence ?? 0) })
    // what was due was deleted meanwhile, as it should be
    if (walked.problems.length > 0 && (await store.mark('start'))?.sequence !== start?.sequence) return verify(head)
    const old = await store.countUpTo(start?.sequence ?? 0)
    const problems = old === 0 ? walked.problems : [...walked.problems, beforeStart(old)]
    return { events: walked.events, head: headOf(walked.end), problems }
  }

  return {
    ...sealing,
    verify,

    async list(query) {
      const { limit, cursor, ...filter } = parseListQuery(listQuery, query)
      const found = await store.list({ ...(await filterOf(filter)), before: cursor, limit: limit + 1 })
      return pageOf(found.map(entryOf), limit, ({ id }) => cursorOf(id))
    },

    ofRequest: async (requestId) => (await store.listByRequest(requestId)).map(entryOf),
    filter: (query) => filterOf(parseListQuery(filterQuery, query)),
    end: async () => (await store.mark('end')) ?? ORIGIN,

    async *after(place, filter) {
      for await (const page of pagesAfter(place)) {
        for (const row of page) if (matches(row, filter)) yield entryOf(row)
      }
    },
  }
}

function matches(row: SealedEvent, { accountId, clientId, type, from }: AuditFilter): boolean {
  return (
    (accountId === undefined || row.account_id === accountId) &&
    (clientId === undefined || row.client_id === clientId) &&
    (type === undefined || row.type === type || row.type.startsWith(`${type}.`)) &&
    (from === undefined || row.at >= from)
  )
}

/** A link as it is told and kept outside. */
export function headOf({ sequence, hash }: Link): string {
  return `${sequence}.${hash}`
}

function linkIn(head: string): Link {
  const [, sequence, hash] = keptHead.exec(head) ?? []
  if (hash !== undefined) return { sequence: Number(sequence), hash }
  throw new AppError('invalid_input', 'This is no head of the audit.', {
    fields: { head: 'A head is what `latchkey audit verify` printed as such: a number, a dot and 43 characters.' },
  })
}

/** Then nothing can be sealed, and the walk will name the mark. */
function unlessMarkWasChanged(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'conflict') throw error
}

function beforeStart(count: number): AuditProblem {
  return { where: 'start', problem: `${count} rows stand before the mark where the chain begins: they were put back` }
}

/** The rows of the audit. */
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { AuditEventRow, Tables } from '#core/tables.ts'
import { timedIdStart } from '#core/timed-id.ts'
import { prepared } from '#platform/database/prepared.ts'
import type { Link, Mark, MarkName } from './chain.ts'
import type { AuditEntry } from './event.ts'

export interface AuditPage {
  readonly accountId: string | undefined
  readonly clientId: string | undefined
  /** A whole type, or the word before its dot. */
  readonly type: string | undefined
  /** Seconds since the epoch. */
  readonly from: number | undefined
  readonly before: string | undefined
  readonly limit: number
}

export interface ProvenMark extends Mark {
  readonly proof: string
}

export type StoredEvent = Selectable<AuditEventRow>
export type SealedEvent = StoredEvent & Link

export interface AuditStore {
  /** All of them or none. */
  insert(rows: readonly AuditEventRow[]): Promise<void>
  /** Newest first. */
  list(page: AuditPage): Promise<readonly StoredEvent[]>
  listByRequest(requestId: string): Promise<readonly StoredEvent[]>
  /** In the order of the chain, after a place in it. */
  listSealed(after: number, limit: number): Promise<readonly SealedEvent[]>
  /** In the order of their time. */
  listUnsealed(limit: number): Promise<readonly Pick<StoredEvent, 'id' | 'proof'>[]>
  /** False where somebody else has sealed it. */
  seal(id: string, link: Link): Promise<boolean>
  mark(name: MarkName): Promise<ProvenMark | undefined>
  /** Moves the mark on from where it was known to be (undefined: it was not there); false where it is not there any more. */
  moveMark(name: MarkName, from: Link | undefined, to: ProvenMark): Promise<boolean>
  /** Leaves word for whoever has the master key, which a restore has not. @param at seconds since the epoch */
  leaveWordOfRestore(at: number): Promise<void>
  /** When it was restored, if word of it was left. */
  wordOfRestore(): Promise<number | undefined>
  /** False where somebody else has taken it. */
  takeWordOfRestore(): Promise<boolean>
  /** How many rows there are up to a place in the chain. */
  countUpTo(sequence: number): Promise<number>
  /** Places after one in the chain, in its order, of rows that are no younger than that. */
  listPlaces(after: number, youngest: number, limit: number): Promise<readonly (Link & { readonly at: number })[]>
  /** The time of the oldest row behind a place in the chain, of those from one second to another, both included. */
  oldestBehind(sequence: number, from: number, to: number): Promise<number | undefined>
  /** Of the places after the one, up to and with the other. */
  removeBetween(after: number, last: number): Promise<number>
}

/** No mark of the chain: nobody could prove it. */
const RESTORED = 'restored'

export function auditStore(db: Kysely<Tables>): AuditStore {
  const all = () => db.selectFrom('audit_events').selectAll()
  const inserting = (rows: readonly AuditEventRow[]) => db.insertInto('audit_events').values(rows)
  const insertOne = prepared(db, (row: StoredEvent) => inserting([row]))

  return {
    async insert(rows) {
      const [row] = rows
      if (row && rows.length === 1) await insertOne(row)
      else await inserting(rows).execute()
    },

    list: ({ accountId, clientId, type, from, before, limit }) =>
      all()
        .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
        .$if(clientId !== undefined, (query) => query.where('client_id', '=', clientId ?? ''))
        .$if(type?.includes('.') === true, (query) => query.where('type', '=', type ?? ''))
        .$if(type?.includes('.') === false, (query) => query.where('type', 'like', `${type}.%`))
        .$if(from !== undefined, (query) => query.where('id', '>=', timedIdStart(from ?? 0)))
        .$if(before !== undefined, (query) => query.where('id', '<', before ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute(),

    listByRequest: (requestId) => all().where('request_id', '=', requestId).orderBy('id').execute(),

    listSealed: (after, limit) =>
      all()
        .where('sequence', '>', after)
        .orderBy('sequence')
        .limit(limit)
        .$narrowType<{ sequence: number; hash: string }>()
        .execute(),

    listUnsealed: (limit) =>
      db
        .selectFrom('audit_events')
        .select(['id', 'proof'])
        .where('sequence', 'is', null)
        .orderBy('id')
        .limit(limit)
        .execute(),

    async seal(id, { sequence, hash }) {
      const { numUpdatedRows } = await db
        .updateTable('audit_events')
        .set({ sequence, hash })
        .where('id', '=', id)
        .where('sequence', 'is', null)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    mark: (name) =>
      db
        .selectFrom('audit_marks')
        .select(['sequence', 'hash', 'at', 'proof'])
        .where('name', '=', name)
        .executeTakeFirst(),

    async moveMark(name, from, { sequence, hash, at, proof }) {
      if (!from) {
        const { numInsertedOrUpdatedRows } = await db
          .insertInto('audit_marks')
          .values({ name, sequence, hash, at, proof })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .executeTakeFirst()
        return numInsertedOrUpdatedRows === 1n
      }
      const { numUpdatedRows } = await db
        .updateTable('audit_marks')
        .set({ sequence, hash, at, proof })
        .where('name', '=', name)
        .where('sequence', '=', from.sequence)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },

    async leaveWordOfRestore(at) {
      await db
        .insertInto('audit_marks')
        .values({ name: RESTORED, sequence: 0, hash: '', at, proof: '' })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ at }))
        .execute()
    },

    async wordOfRestore() {
      const word = await db.selectFrom('audit_marks').select('at').where('name', '=', RESTORED).executeTakeFirst()
      return word?.at ?? undefined
    },

    async takeWordOfRestore() {
      const { numDeletedRows } = await db.deleteFrom('audit_marks').where('name', '=', RESTORED).executeTakeFirst()
      return numDeletedRows === 1n
    },

    async countUpTo(sequence) {
      const { count } = await db
        .selectFrom('audit_events')
        .select((select) => select.fn.countAll<number>().as('count'))
        .where('sequence', '<=', sequence)
        .executeTakeFirstOrThrow()
      return count
    },

    listPlaces: (after, youngest, limit) =>
      db
        .selectFrom('audit_events')
        .select(['sequence', 'hash', 'at'])
        .where('sequence', '>', after)
        .where('at', '<=', youngest)
        .orderBy('sequence')
        .limit(limit)
        .$narrowType<{ sequence: number; hash: string }>()
        .execute(),

    async oldestBehind(sequence, from, to) {
      const row = await db
        .selectFrom('audit_events')
        .select('at')
        .where('id', '>=', timedIdStart(from))
        .where('id', '<', timedIdStart(to + 1))
        .where('sequence', '>', sequence)
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      return row?.at
    },

    async removeBetween(after, last) {
      const { numDeletedRows } = await db
        .deleteFrom('audit_events')
        .where('sequence', '>', after)
        .where('sequence', '<=', last)
        .executeTakeFirst()
      return Number(numDeletedRows)
    },
  }
}

const facts = z.record(z.string(), z.unknown())

export function entryOf(row: StoredEvent): AuditEntry {
  return { ...row, facts: facts.parse(JSON.parse(row.facts)) }
}

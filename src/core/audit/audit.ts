/**
 * Puts on record who did what to whom, from where, and which rule refused. What somebody was given or changed is
 * stored in the transaction that does it, or before it is answered. Refusals are stored within a moment, and within a
 * budget (refusal-budget.ts): nobody waits for them, and beyond the budget one row a minute tells how many there were.
 * How rows are made tamper-evident: chain.ts. What is not recorded, and why: docs/decisions/025-audit.md.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Kysely } from 'kysely'
import type { Secrets } from '#core/secrets.ts'
import type { AuditEventRow, Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { writeQueue } from '#platform/database/write-queue.ts'
import { networkOf } from '#platform/http/network.ts'
import type { Log } from '#platform/log.ts'
import { auditChain } from './chain.ts'
import type { AuditEvent, AuditType } from './event.ts'
import { refusalBudget } from './refusal-budget.ts'
import { bareRow } from './row.ts'
import { auditStore } from './store.ts'

export interface Audit {
  /** They are stored when this resolves; with the caller's transaction, where one is given. */
  record(events: AuditEvent | readonly AuditEvent[], transaction?: Kysely<Tables>): Promise<void>
  /** It is stored, or counted, within a moment. */
  refused(event: AuditEvent): void
  /** Stores at once what waits to be stored. */
  flush(): Promise<void>
  /** Stores what waits to be stored, for the last time. */
  close(): Promise<void>
}

/** What rules that change something need of it. */
export type Recorder = Pick<Audit, 'record'>

export interface AuditNeeds {
  readonly database: Database<Tables>
  readonly secrets: Pick<Secrets, 'keyedDigest' | 'derivedKeys'>
  readonly clock: Clock
  readonly log: Pick<Log, 'warn'>
}

const SUMMARY_MS = 60_000
/** Beyond so many, what is counted is counted for all networks together. */
const MOST_SUMMARIES = 100

export function createAudit({ database: { db }, secrets, clock, log }: AuditNeeds): Audit {
  const chain = auditChain(secrets)
  const store = auditStore(db)
  const isWithinBudget = refusalBudget()
  const queue = writeQueue<AuditEventRow>({
    what: 'refusals',
    insert: (rows) => store.insert(rows),
    isGone: async () => false,
    log,
  })
  const counted = new Map<string, { type: AuditType; network: string | undefined; count: number }>()
  let timer: NodeJS.Timeout | undefined
  let written = 0
  const outside = AsyncLocalStorage.snapshot()

  const rowOf = (event: AuditEvent): AuditEventRow => {
    const row = bareRow(event, clock.now(), (written += 1))
    return { ...row, proof: chain.rowProof(row), sequence: null, hash: null }
  }

  const count = (type: AuditType, network: string): void => {
    const isNew = !counted.has(`${type} ${network}`)
    const key = isNew && counted.size >= MOST_SUMMARIES ? type : `${type} ${network}`
    const before = counted.get(key)
    if (before) before.count += 1
    else counted.set(key, { type, network: key === type ? undefined : network, count: 1 })
    timer ??= outside(() => setTimeout(summarise, SUMMARY_MS).unref())
  }

  const summarise = (): void => {
    clearTimeout(timer)
    timer = undefined
    for (const [key, { type, network, count: refusals }] of counted) {
      const rule = 'more refusals than are kept one by one'
      if (!queue.hasRoom()) return
      queue.add(rowOf({ type, by: { kind: 'unknown' }, rule, facts: { network, refusals } }))
      counted.delete(key)
    }
  }

  return {
    record: (events, transaction) =>
      (transaction ? auditStore(transaction) : store).insert([events].flat().map((event) => rowOf(event))),

    refused(event) {
      const network = networkOf(event.by.request?.clientAddress ?? '')
      if (isWithinBudget(network) && queue.hasRoom()) queue.add(rowOf(event))
      else count(event.type, network)
    },

    flush: () => queue.flush(),

    async close() {
      summarise()
      await queue.close()
    },
  }
}

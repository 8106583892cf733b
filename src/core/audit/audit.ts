/**
 * Puts on record who did what to whom, from where, and which rule refused. What somebody was given or changed is
 * stored in the transaction that does it, or before it is answered. Refusals are stored within a moment, and within a
 * budget (refusal-budget.ts): nobody waits for them.
 * How rows are made tamper-evident: chain.ts. What is not recorded, and why: docs/decisions/025-audit.md.
 */
import type { Kysely } from 'kysely'
import type { Secrets } from '#core/secrets.ts'
import type { AuditEventRow, Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { writeQueue } from '#platform/database/write-queue.ts'
import { networkOf } from '#platform/http/network.ts'
import type { Log } from '#platform/log.ts'
import { auditChain } from './chain.ts'
import type { AuditEvent } from './event.ts'
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

export function createAudit({ database: { db }, secrets, clock, log }: AuditNeeds): Audit {
  const chain = auditChain(secrets)
  const store = auditStore(db)
  const queue = writeQueue<AuditEventRow>({
    what: 'refusals',
    insert: (rows) => store.insert(rows),
    isGone: async () => false,
    log,
  })
  let written = 0

  const rowOf = (event: AuditEvent): AuditEventRow => {
    const row = bareRow(event, clock.now(), (written += 1))
    return { ...row, proof: chain.rowProof(row), sequence: null, hash: null }
  }

  const keep = (event: AuditEvent): boolean => {
    if (!queue.hasRoom()) return false
    queue.add(rowOf(event))
    return true
  }
  const budget = refusalBudget(keep)

  return {
    record: (events, transaction) =>
      (transaction ? auditStore(transaction) : store).insert([events].flat().map((event) => rowOf(event))),

    refused(event) {
      const network = networkOf(event.by.request?.clientAddress ?? '')
      if (!budget.has(network) || !keep(event)) budget.count(event.type, network)
    },

    flush: () => queue.flush(),

    async close() {
      budget.tell()
      await queue.close()
    },
  }
}

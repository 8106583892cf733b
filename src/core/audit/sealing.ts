/**
 * What moves the two marks of the chain: sealing gives rows their places behind its end, the retention deletes from its
 * beginning. Both for all processes: a mark is moved by one conditional write, so that of several that try at once one
 * does.
 */
import { AppError } from '#platform/errors.ts'
import type { AuditNeeds } from './audit.ts'
import { auditChain, ORIGIN, type Link, type MarkName } from './chain.ts'
import { auditStore, type AuditStore, type ProvenMark } from './store.ts'

export interface AuditSealing {
  /** Seals what waits for it, and tells how many rows that were. */
  seal(): Promise<number>
  /**
   * Deletes at most `limit` events older than the retention, with what stands among them and is dated in the future,
   * and tells how many.
   */
  sweep(limit: number): Promise<number>
}

export interface SealingNeeds extends Pick<AuditNeeds, 'database' | 'secrets' | 'clock'> {
  readonly settings: { readonly audit: { readonly retentionSeconds: number } }
}

const SEALED_AT_ONCE = 500
/** Rows are sealed seconds out of order; what comes a day after its time may have been held back by somebody. */
const LATEST_SECONDS = 86_400

/** Both throw AppError(conflict) where a mark was changed from outside: what was done to it is not to be covered up. */
export function auditSealing({ database: { db }, secrets, clock, settings }: SealingNeeds): AuditSealing {
  const chain = auditChain(secrets)
  const store = auditStore(db)

  const provenMark = async (rows: AuditStore, name: MarkName): Promise<ProvenMark | undefined> => {
    const mark = await rows.mark(name)
    if (mark && !chain.isMarkProof(name, mark, mark.proof)) throw markWasChanged(name)
    return mark
  }

  const endMark = async (rows: AuditStore): Promise<ProvenMark | undefined> => {
    const end = await provenMark(rows, 'end')
    if (!end && (await rows.listSealed(0, 1)).length > 0) throw markWasChanged('end')
    return end
  }

  const moveMark = (rows: AuditStore, name: MarkName, from: Link | undefined, to: Omit<ProvenMark, 'proof'>) =>
    rows.moveMark(name, from, { ...to, proof: chain.markProof(name, to) })

  const sealSome = (): Promise<number> =>
    db.transaction().execute(async (transaction) => {
      const rows = auditStore(transaction)
      const end = await endMark(rows)
      const waiting = await rows.listUnsealed(SEALED_AT_ONCE)
      const links: { id: string; link: Link }[] = []
      let last: Link = end ?? ORIGIN
      for (const { id, proof } of waiting) links.push({ id, link: (last = chain.next(last, proof)) })
      // whoever moves the mark seals: the others wait for it here, and find it moved
      if (links.length === 0 || !(await moveMark(rows, 'end', end, { ...last, at: null }))) return 0
      for (const { id, link } of links)
        if (!(await rows.seal(id, link))) throw new Error('a row of the audit was sealed behind the mark of its end')
      return links.length
    })

  return {
    async seal() {
      if ((await store.listUnsealed(1)).length === 0) return 0
      // a batch that is not full has caught up: what is written meanwhile is the next turn's
      for (let sealed = 0; ;) {
        const some = await sealSome()
        sealed += some
        if (some < SEALED_AT_ONCE) return sealed
      }
    },

    async sweep(limit) {
      const now = clock.now()
      const start = await provenMark(store, 'start')
      const first = start?.sequence ?? 0
      const oldest = await store.listPlaces(first, now, limit)
      const kept = oldest.findIndex(({ at }) => at >= now - settings.audit.retentionSeconds)
      const old = kept === -1 ? oldest : oldest.slice(0, kept)
      const last = old.at(-1)
      if (!last) return 0
      return db.transaction().execute(async (transaction) => {
        const rows = auditStore(transaction)
        const newest = Math.max(...old.map((place) => place.at))
        // what stays may be as old as what goes, and is no less genuine for it
        const late = await rows.oldestBehind(last.sequence, newest - LATEST_SECONDS, newest)
        const at = Math.max(start?.at ?? 0, late === undefined ? newest : late - 1)
        const mark = { sequence: last.sequence, hash: last.hash, at }
        if (!(await moveMark(rows, 'start', start, mark))) return 0
        return rows.removeBetween(first, last.sequence)
      })
    },
  }
}

function markWasChanged(name: MarkName): AppError {
  const place = name === 'end' ? 'ends' : 'begins'
  return new AppError('conflict', `The mark where the audit ${place} was changed or removed, so it is not moved.`, {
    hint: 'Run: latchkey audit verify',
  })
}

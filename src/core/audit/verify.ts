import { ORIGIN, type Chain, type Link } from './chain.ts'
import type { ProvenMark, SealedEvent } from './store.ts'

export interface AuditProblem {
  /** Of the row that it is about, or of a place in the chain, or of a mark. */
  readonly where: string
  readonly problem: string
}

export interface WalkedChain {
  readonly events: number
  readonly problems: readonly AuditProblem[]
  /** The last link that was seen. */
  readonly end: Link
}

export interface WalkNeeds {
  readonly chain: Chain
  readonly start: ProvenMark | undefined
  readonly end: ProvenMark | undefined
  /** Sealed rows in the order of the chain, page by page. */
  readonly pages: AsyncIterable<readonly SealedEvent[]>
  /** A link that somebody kept outside. */
  readonly kept: Link | undefined
}

/** A report that names every row of a large trail helps nobody. */
const MOST_PROBLEMS = 100

/** Walks the chain from mark to mark, and names each row that is not what was written, and each that is not there. */
export async function walkChain({ chain, start, end, pages, kept }: WalkNeeds): Promise<WalkedChain> {
  const problems: AuditProblem[] = []
  const report = (where: string, problem: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push({ where, problem })
  }
  const wanted = [end, kept].filter((link) => link !== undefined && link.sequence > (start?.sequence ?? 0))
  const missed = new Set(wanted)
  const forgotten = start?.at ?? -Infinity
  let before: Link = start ?? ORIGIN
  let events = 0

  if (start && !chain.isMarkProof('start', start, start.proof))
    report('start', 'the mark where the chain begins was changed')
  if (end && !chain.isMarkProof('end', end, end.proof)) report('end', 'the mark where the chain ends was changed')

  for await (const page of pages) {
    for (const row of page) {
      events += 1
      if (row.sequence !== before.sequence + 1) report(...missing(before.sequence + 1, row.sequence - 1))
      else if (!chain.isNext(before, row.proof, row)) report(row.id, 'stands in a place where it was not written')
      if (!chain.isRowProof(row, row.proof)) report(row.id, 'was changed, or was not written by Latchkey')
      if (row.at <= forgotten) report(row.id, 'is as old as what was deleted for its age: it was put back')
      for (const link of wanted) if (link && isSame(link, row)) missed.delete(link)
      before = { sequence: row.sequence, hash: row.hash }
    }
  }

  if (!end && events > 0) report('end', 'the mark where the chain ends was removed')
  if (end && end.sequence > before.sequence) report(...missing(before.sequence + 1, end.sequence))
  else if (end && missed.has(end)) report('end', 'the chain does not lead to the mark where it ended')
  if (kept && missed.has(kept))
    report('head', 'the chain does not hold the head that was given: it was cut or written anew')
  return { events, problems, end: before }
}

function isSame(left: Link, right: Link): boolean {
  return left.sequence === right.sequence && left.hash === right.hash
}

function missing(first: number, last: number): [string, string] {
  return first === last ? [`#${first}`, 'is missing'] : [`#${first}-${last}`, 'are missing']
}

/**
 * What makes the audit tamper-evident. Each row carries a proof from its birth, and each sealed row a hash over the
 * one before, all keyed with the master key: whoever has only the database can neither write nor change a row, nor
 * take one out, without `verify` naming it. Two marks, where the chain begins and ends, are proven in the same way.
 */
import { createHmac } from 'node:crypto'
import { equalSecrets, type KeyLabel, type Secrets } from '#core/secrets.ts'
import type { BareRow } from './row.ts'

/** A place in the chain. */
export interface Link {
  readonly sequence: number
  readonly hash: string
}

/** Where the chain begins, behind what was deleted, or ends. */
export interface Mark extends Link {
  /** Of the beginning: no row behind it is as old; epoch seconds. */
  readonly at: number | null
}

export type MarkName = 'start' | 'end'

/** Before the first row there is nothing. */
export const ORIGIN: Link = { sequence: 0, hash: '' }

export interface Chain {
  rowProof(row: BareRow): string
  isRowProof(row: BareRow, proof: string): boolean
  /** The link of a row with this proof after the one before. */
  next(before: Link, proof: string): Link
  isNext(before: Link, proof: string, link: Link): boolean
  markProof(name: MarkName, mark: Mark): string
  isMarkProof(name: MarkName, mark: Mark, proof: string): boolean
}

/** Written with the newest master key; what any of them wrote is recognised. */
export function auditChain(secrets: Pick<Secrets, 'keyedDigest' | 'derivedKeys'>): Chain {
  const isOurs = (label: KeyLabel, text: string, digest: string): boolean =>
    secrets
      .derivedKeys(label)
      .some((key) => equalSecrets(createHmac('sha256', key).update(text).digest('base64url'), digest))

  return {
    rowProof: (row) => secrets.keyedDigest('audit-row', rowText(row)),
    isRowProof: (row, proof) => isOurs('audit-row', rowText(row), proof),
    next: (before, proof) => ({
      sequence: before.sequence + 1,
      hash: secrets.keyedDigest('audit-chain', linkText(before, proof, before.sequence + 1)),
    }),
    isNext: (before, proof, { sequence, hash }) => isOurs('audit-chain', linkText(before, proof, sequence), hash),
    markProof: (name, mark) => secrets.keyedDigest('audit-mark', markText(name, mark)),
    isMarkProof: (name, mark, proof) => isOurs('audit-mark', markText(name, mark), proof),
  }
}

function rowText(row: BareRow): string {
  const { id, at, type, actor, account_id, client_id, address, request_id, rule, facts } = row
  return JSON.stringify([id, at, type, actor, account_id, client_id, address, request_id, rule, facts])
}

function linkText(before: Link, proof: string, sequence: number): string {
  return JSON.stringify([sequence, before.hash, proof])
}

function markText(name: MarkName, { sequence, hash, at }: Mark): string {
  return JSON.stringify(at === null ? [name, sequence, hash] : [name, sequence, hash, at])
}

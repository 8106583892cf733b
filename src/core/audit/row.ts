import type { AuditEventRow } from '#core/tables.ts'
import { timedId } from '#core/timed-id.ts'
import type { AuditEvent, Facts } from './event.ts'

const LONGEST_TEXT = 1_000
const LONGEST_ID = 255
const LONGEST_FACTS = 4_000
const MOST_ITEMS = 50

/** A row before it has its proof. */
export type BareRow = Omit<AuditEventRow, 'proof' | 'sequence' | 'hash'>

/** The event as it is kept: one line of bounded length in each column, whatever was sent. @param nth of this process */
export function bareRow({ type, by, accountId, clientId, rule, facts }: AuditEvent, at: number, nth: number): BareRow {
  return {
    id: timedId(at, nth),
    at,
    type,
    actor: by.kind,
    account_id: shortened(accountId, LONGEST_ID),
    client_id: shortened(clientId, LONGEST_ID),
    address: shortened(by.request?.clientAddress, LONGEST_ID),
    request_id: shortened(by.request?.id, LONGEST_ID),
    rule: shortened(rule, LONGEST_TEXT),
    facts: factsText(facts),
  }
}

function shortened(text: string | undefined, longest: number): string | null {
  return text === undefined || text === '' ? null : cut(text, longest)
}

/** Where facts would be too long together, the last that are named are left out. */
function factsText(facts: Facts = {}): string {
  const kept = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, plain(value)]]))
  while (kept.length > 0) {
    const text = JSON.stringify(Object.fromEntries(kept))
    if (text.length <= LONGEST_FACTS) return text
    kept.pop()
  }
  return '{}'
}

function plain(value: unknown): unknown {
  if (typeof value === 'string') return cut(value, LONGEST_TEXT)
  if (Array.isArray(value)) return value.slice(0, MOST_ITEMS).map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, plain(member)]))
}

/** Half a character at the cut would come back from the database as another one, and the row's proof would not hold. */
function cut(text: string, longest: number): string {
  return oneLine(text).slice(0, longest).toWellFormed()
}

/** Control characters, line ends and what turns the direction of text, as \u escapes: nothing forges a line (A114). */
function oneLine(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(
      /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
      (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
    )
}

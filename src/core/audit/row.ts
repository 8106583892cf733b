import type { AuditEventRow } from '#core/tables.ts'
import { timedId } from '#core/timed-id.ts'
import type { AuditEvent, Facts } from './event.ts'

const LONGEST_TEXT = 1_000
const LONGEST_ID = 255
const LONGEST_FACTS = 4_000

/** A row before it has its proof. */
export type BareRow = Omit<AuditEventRow, 'proof' | 'sequence' | 'hash'>

/** The event as it is kept: one line of bounded length in each column, whatever was sent. @param at seconds */
export function bareRow({ type, by, accountId, clientId, rule, facts }: AuditEvent, at: number): BareRow {
  return {
    id: timedId(at),
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
  return text === undefined || text === '' ? null : oneLine(text).slice(0, longest)
}

/** Facts that would be too long lose the longest first: the last that is named. */
function factsText(facts: Facts = {}): string {
  const kept = Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [] : [[name, plain(value)]]))
  while (kept.length > 0) {
    const text = JSON.stringify(Object.fromEntries(kept))
    if (text.length <= LONGEST_FACTS) return text
    kept.pop()
  }
  return '{}'
}

function plain(value: NonNullable<Facts[string]>): unknown {
  if (typeof value === 'string') return oneLine(value).slice(0, LONGEST_TEXT)
  return Array.isArray(value) ? value.slice(0, 50).map((item) => oneLine(String(item)).slice(0, LONGEST_TEXT)) : value
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

import type { Account } from '#core/accounts/account.ts'
import type { AuditEntry } from '#core/audit/event.ts'
import type { Client } from '#core/clients/client.ts'

/** A refusal, and what it is about as that is now. */
export interface Refused {
  readonly id: string
  readonly entry: AuditEntry
  readonly received: Readonly<Record<string, string | readonly string[]>>
  /** The client that was named, if there is one; disabled ones too. */
  readonly client: Client | undefined
  readonly account: Account | undefined
}

/** What would mend it: a sentence, and a command where there is one. */
export interface Remedy {
  readonly sentence: string
  readonly command?: string | undefined
}

/** A rule that refuses, told to whoever was refused. */
export interface Rule {
  /** Matched against type, error code, the reason on record, what was told and the event, with a space between them. */
  readonly on: RegExp
  readonly sentence: string
  /** Where it is written. */
  readonly source: string
  readonly remedy?: (refused: Refused) => Remedy
}

/** One value that was received, if it was and is whole: nothing in it is hidden, escaped or cut. */
export function wholeValue({ received }: Refused, name: string): string | undefined {
  const value = received[name]
  return typeof value === 'string' && /^[\x20-\x7e]{1,499}$/.test(value) && !/\[hidden|\\u/.test(value)
    ? value
    : undefined
}

/** Lists of the client's metadata. */
export function registeredList({ client }: Refused, name: string): readonly string[] {
  const value = client?.metadata[name]
  return Array.isArray(value) ? value.map(String) : []
}

/** One text of the client's metadata; empty where there is none. */
export function registeredText({ client }: Refused, name: string): string {
  const value = client?.metadata[name]
  return typeof value === 'string' ? value : ''
}

/** For a shell: what strangers sent stands in a command that somebody copies. */
function quoted(word: string): string {
  return /^[\w.:/@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** `latchkey` and its words, each quoted where a shell would read more into it. */
export function latchkey(...words: readonly string[]): string {
  return ['latchkey', ...words.map(quoted)].join(' ')
}

/** What a person at a terminal reads about people. */
import { accountJson, displayName, type Account } from '#core/accounts/account.ts'
import { inColumns, utc } from '#platform/columns.ts'

/** One line for each thing that is known. */
export function personText(account: Account): string {
  const known = Object.entries(accountJson(account)).filter(([, value]) => value !== null)
  return inColumns(known.map(([name, value]) => [name, valueText(name, value)]))
}

/** One line a person, in columns. */
export function peopleText(people: readonly Account[]): string {
  if (people.length === 0) return 'Nobody.'
  return inColumns(
    people.map((account) => [
      account.id,
      account.email ?? '-',
      account.username ?? '-',
      displayName(account) ?? '-',
      marks(account),
    ]),
  )
}

function marks(account: Account): string {
  return [account.admin && 'admin', account.disabled && 'disabled', ...account.groups]
    .filter((mark) => mark !== false)
    .join(', ')
}

function valueText(name: string, value: unknown): string {
  if (name.endsWith('_at') && typeof value === 'number') return utc(value)
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(', ')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What a person at a terminal reads about people. */
import { accountJson, displayName, type Account } from '#core/accounts/account.ts'

/** One line for each thing that is known. */
export function personText(account: Account): string {
  const known = Object.entries(accountJson(account)).filter(([, value]) => value !== null)
  const width = Math.max(...known.map(([name]) => name.length))
  return known.map(([name, value]) => `${name.padEnd(width)}  ${valueText(name, value)}\n`).join('')
}

/** One line a person, in columns. */
export function peopleText(people: readonly Account[]): string {
  if (people.length === 0) return 'Nobody.'
  const rows = people.map((account) => [
    account.id,
    account.email ?? '-',
    account.username ?? '-',
    displayName(account) ?? '-',
    marks(account),
  ])
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function marks(account: Account): string {
  return [account.admin && 'admin', account.disabled && 'disabled', ...account.groups]
    .filter((mark) => mark !== false)
    .join(', ')
}

function valueText(name: string, value: unknown): string {
  if (name.endsWith('_at') && typeof value === 'number')
    return new Date(value * 1000).toISOString().replace('.000Z', 'Z')
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(', ')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

import { inColumns, utc } from '#platform/columns.ts'
import type { Explanation } from './explanation.ts'

/** An explanation for a terminal: the rule, both sides, the characters that differ, and what would mend it. */
export function explanationText(explanation: Explanation): string {
  const { error_id, at, type, error, rule, reason, client_changed_since, remedy } = explanation
  return [
    `${error_id}  ${utc(at)}  ${type}${error === null ? '' : `  ${error}`}`,
    `\n${rule.sentence}\n  by: ${rule.source}`,
    ...(reason === null || reason === rule.sentence ? [] : [`  on record: ${reason}`]),
    bothSides(explanation),
    ...explanation.differences.map(
      ({ parameter, received, registered, marks }) =>
        `\n${parameter}, character by character:\n  received    ${received}\n  registered  ${registered}\n              ${marks}`,
    ),
    ...(client_changed_since ? ['\nThe application was changed since; what is registered is shown as it is now.'] : []),
    `\n${remedy.sentence}${remedy.command === undefined ? '' : `\n  ${remedy.command}`}`,
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function bothSides({ received, registered }: Explanation): string {
  const names = [...new Set([...Object.keys(received), ...Object.keys(registered)])]
  if (names.length === 0) return ''
  const rows = names.map((name) => [`  ${name}`, shown(received[name]), shown(registered[name])])
  return `\n${inColumns([['', 'received', 'registered'], ...rows]).trimEnd()}`
}

function shown(value: string | readonly string[] | undefined): string {
  if (value === undefined) return '-'
  return typeof value === 'string' ? value : value.join(' ')
}

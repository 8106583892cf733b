/** One sentence for each member of an input that breaks a rule, by the member's public name; undefined where none does. */
export type Problems = Readonly<Record<string, string | undefined>>

/** Those that there are. */
export function foundIn(problems: Problems): Record<string, string> {
  return Object.fromEntries(
    Object.entries(problems).flatMap(([member, problem]) => (problem === undefined ? [] : [[member, problem]])),
  )
}

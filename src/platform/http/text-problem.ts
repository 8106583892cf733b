/** Control characters but for those that stand between the words of JSON and of texts: tab, line feed, return. */
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f]/

/** What keeps a text from being one everywhere (PostgreSQL stores no NUL, UTF-8 has no lone surrogate), or undefined. */
export function textProblem(text: string): string | undefined {
  if (CONTROL.test(text)) return 'there is a control character in it'
  return text.isWellFormed() ? undefined : 'there is half a character in it'
}

/**
 * Subject names of certificates. A client registers one as text (RFC 4514: the most specific part first); Node writes
 * the one of a certificate line by line, in the certificate's own order, escaped in the same way.
 */

/** Attribute types that RFC 4514 §3 and Node name in the same way, and the forms of those that they do not. */
const KNOWN_AS: ReadonlyMap<string, string> = new Map([
  ['EMAIL', 'EMAILADDRESS'],
  ['E', 'EMAILADDRESS'],
  ['S', 'ST'],
])

/** True where the text names the subject, part by part and in the same order; values are compared character by character. */
export function sameDistinguishedName(text: string, subject: string): boolean {
  const expected = partsOf(text)?.toReversed()
  const actual = subject.split('\n').map((line) => part(line))
  return (
    expected !== undefined &&
    expected.length === actual.length &&
    expected.every((one, index) => one !== undefined && one === actual[index])
  )
}

/** True for text that can be compared at all: at least one part, none of several attributes or in hexadecimal form. */
export function isDistinguishedName(text: string): boolean {
  return partsOf(text)?.every((one) => one !== undefined) === true
}

/** Split at commas that are not escaped; undefined for a name that is none. */
function partsOf(text: string): (string | undefined)[] | undefined {
  if (/[^\x20-\x7e]/.test(text) || text.trim() === '') return undefined
  const pieces = text.match(/(?:\\.|[^\\,])+/g) ?? []
  if (pieces.join(',') !== text) return undefined
  return pieces.map((piece) => part(piece.trim()))
}

/** One attribute with its type spelt in one way. Two attributes in one part, or a value in hexadecimal, are none. */
function part(line: string): string | undefined {
  const [, type = '', value = ''] = /^([A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)+)=(.+)$/.exec(line) ?? []
  if (type === '' || value.startsWith('#') || value.replaceAll(/\\./g, '').includes('+')) return undefined
  const upper = type.toUpperCase()
  return `${KNOWN_AS.get(upper) ?? upper}=${unescaped(value)}`
}

/** Both sides escape what they need to; an escaped backslash and a character by its code stay as they are written. */
function unescaped(value: string): string {
  return value.replaceAll(/\\(.)/g, (pair: string, character: string) =>
    ' "#+,;<=>'.includes(character) ? character : pair,
  )
}

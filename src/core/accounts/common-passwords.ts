/**
 * Passwords that attackers try first. The list beside this file holds those of published leaks, most of them words that
 * people then vary; the variations are found by rule: capitals, digits and signs before and after, digits in the place
 * of letters, what repeats itself, and what lies in a row on a keyboard or in an alphabet.
 */
import { readFileSync } from 'node:fs'

/** Read when the first password is judged: most processes judge none, and a start would take 6 ms longer. */
const listed = lazily(
  () =>
    new Set(
      readFileSync(new URL('common-passwords.txt', import.meta.url), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')),
    ),
)

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** More than that around a word is no variation of it any more. */
const MOST_AROUND_A_WORD = 5

/** What is longer is nobody's first guess, however plain its pattern. */
const LONGEST_PATTERN = 20

/** @param folded normalised and in lower case */
export function isCommonPassword(folded: string): boolean {
  if (stemsOf(folded).some((stem) => listed().has(stem))) return true
  return folded.length <= LONGEST_PATTERN && (repeatsItself(folded) || liesInRows(folded))
}

/** The password, and the words that it is a variation of, if it is one. */
export function stemsOf(folded: string): readonly string[] {
  const spelled = [folded, withLetters(folded, 'l'), withLetters(folded, 'i')]
  const stems = spelled.map((text) => text.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, ''))
  return [...spelled, ...stems.filter((stem) => stem !== '' && folded.length - stem.length <= MOST_AROUND_A_WORD)]
}

/** Digits and signs that stand for a letter. @param one what 1 and ! stand for */
function withLetters(text: string, one: 'l' | 'i'): string {
  // what stands after the last letter is a number or a sign, no letter
  const [, body = text, end = ''] = /^(.*\p{L})([^\p{L}]*)$/su.exec(text) ?? []
  const letters: Readonly<Record<string, string>> = {
    '0': 'o',
    '1': one,
    '!': one,
    '3': 'e',
    '4': 'a',
    '@': 'a',
    '5': 's',
    $: 's',
    '7': 't',
  }
  return body.replaceAll(/[01!34@5$7]/g, (sign) => letters[sign] ?? sign) + end
}

/** The same all over again; one to four characters also with up to two others at the end. */
function repeatsItself(text: string): boolean {
  return /^(.{1,4})\1+.{0,2}$/su.test(text) || /^(.+)\1+$/su.test(text)
}

const ROWS =
  'abcdefghijklmnopqrstuvwxyz 01234567890 qwertyuiop qwertzuiop azertyuiop asdfghjkl zxcvbnm yxcvbnm wxcvbn ' +
  '1q2w3e4r5t6y7u8i9o0p 1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 8ik 9ol 147 258 369'

/** Two characters beside each other, in either direction. */
const neighbours: ReadonlySet<string> = new Set(
  ROWS.split(' ').flatMap((row) =>
    Array.from(row.slice(1), (character, index) => [`${row[index]}${character}`, `${character}${row[index]}`]).flat(),
  ),
)

/** Beside each other, or the same, all but one of six or seven times. */
function liesInRows(text: string): boolean {
  const characters = Array.from(text)
  const leaps = characters.slice(1).filter((character, index) => {
    const before = characters[index] ?? ''
    return character !== before && !neighbours.has(before + character)
  })
  return leaps.length <= characters.length / 6
}

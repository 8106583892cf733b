import { z } from 'zod'

const MAX_CHARACTERS = 256
/**
 * Control characters, line and paragraph separators, halves of characters, and marks that nobody sees, but for those
 * inside words and emoji.
 */
export const UNPRINTABLE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]|(?!\p{Join_Control}|\p{Variation_Selector})\p{Default_Ignorable_Code_Point}/u

/**
 * One line of text for people: trimmed, in Unicode's NFC, so that what looks alike is alike, not empty, at most 256 characters, nothing unprintable.
 * @param what begins its messages
 */
export function line(what: string, max = MAX_CHARACTERS) {
  return z
    .string(`${what} must be text.`)
    .trim()
    .normalize('NFC')
    .min(1, `${what} is empty: give one, or leave it out.`)
    .max(max, `${what} is too long: use at most ${max} characters.`)
    .refine(
      (text) => !UNPRINTABLE.test(text),
      `${what} holds control characters, or others that nobody sees: remove them.`,
    )
}

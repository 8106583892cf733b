import { z } from 'zod'

const MAX_CHARACTERS = 256

/**
 * One line of text for people: trimmed, in Unicode's NFC, so that what looks alike is alike, not empty, at most 256 characters, no control characters.
 * @param what begins its messages
 */
export function line(what: string, max = MAX_CHARACTERS) {
  return z
    .string(`${what} must be text.`)
    .trim()
    .normalize('NFC')
    .min(1, `${what} is empty: give one, or leave it out.`)
    .max(max, `${what} is too long: use at most ${max} characters.`)
    .refine((text) => !/\p{Cc}/u.test(text), `${what} holds control characters: remove them.`)
}

/** What may be said about a registration token, as one shape for every door. */
import { z } from 'zod'
import { CLIENT_TYPES } from '#core/clients/client.ts'
import { scopeList, shownName } from '#core/clients/client-metadata.ts'
import { durationSeconds } from '#platform/duration.ts'
import { AppError } from '#platform/errors.ts'
import type { registrationBounds } from './bounds.ts'

const YEAR_SECONDS = 365 * 86_400
const MOST_USES = 1_000_000
const EXPIRES_SENTENCE = 'It expires after a time such as 12h or 7d, or a number of seconds, of a year at most.'
const USES_SENTENCE = `It is used a whole number of times, from 1 to ${MOST_USES}.`
const HOST_SENTENCE =
  'A host is written as app.example, *.app.example or, for a native app, its scheme com.example.app:'

const host = z
  .string()
  .regex(/^(\*\.)?[a-z0-9](?:[a-z0-9.-]{0,250}[a-z0-9])?$|^\[[0-9a-f:]+\]$|^[a-z][a-z0-9+.-]{0,250}:$/, HOST_SENTENCE)

const tokenInput = z.strictObject({
  name: shownName.default('registration'),
  expires: z
    .string(EXPIRES_SENTENCE)
    .default('7d')
    .transform((text) => (/^\d{1,9}$/.test(text) ? Number(text) : durationSeconds(text)))
    .refine((seconds) => seconds !== undefined && seconds > 0 && seconds <= YEAR_SECONDS, EXPIRES_SENTENCE)
    .transform((seconds) => seconds ?? 0),
  uses: z.coerce
    .number(USES_SENTENCE)
    .int(USES_SENTENCE)
    .min(1, USES_SENTENCE)
    .max(MOST_USES, USES_SENTENCE)
    .default(1),
  types: z.array(z.enum(CLIENT_TYPES)).optional(),
  scope: scopeList.optional(),
  redirect_hosts: z.array(host).max(50).optional(),
  groups: z.array(shownName).max(200).default([]),
})

export interface TokenDraft {
  readonly name: string
  readonly expiresInSeconds: number
  readonly uses: number
  /** Those that were given. */
  readonly bounds: z.input<typeof registrationBounds>
}

/** @throws AppError(invalid_input) with one sentence a member */
export function parseTokenInput(input: unknown): TokenDraft {
  const parsed = tokenInput.safeParse(input)
  if (!parsed.success) {
    throw new AppError('invalid_input', 'No registration token was made.', {
      fields: Object.fromEntries(parsed.error.issues.map(({ path, message }) => [String(path[0] ?? 'token'), message])),
      hint: 'Mend what is named above and try again.',
    })
  }
  const { name, expires, uses, types, scope, redirect_hosts: redirectHosts, groups } = parsed.data
  return {
    name,
    expiresInSeconds: expires,
    uses,
    bounds: {
      groups,
      types,
      scopes: scope?.split(' '),
      redirectHosts,
    },
  }
}

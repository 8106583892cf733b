/** The settings of software that registers itself, and the group that is made of them. */
import { z } from 'zod'
import type { Settings } from '#core/services.ts'
import { REGISTRATION_MODES } from '#core/registration/mode.ts'
import { seconds, setting } from './setting-rules.ts'

const DAY = 86_400

export const REGISTRATION_SETTINGS = {
  registration: setting({
    name: 'REGISTRATION',
    schema: z.enum(REGISTRATION_MODES, `must be one of ${REGISTRATION_MODES.join(', ')}`),
    default: 'off',
    sentence:
      'Whether software may register itself at /register (RFC 7591): `off`, `token` with a token of `latchkey registration-token create`, or `open`, where anybody may.',
    example: 'token',
  }),
  registrationUnusedSeconds: seconds(
    'REGISTRATION_UNUSED_SECONDS',
    30 * DAY,
    [3_600, 10 * 365 * DAY],
    'Software that registered itself so long ago and that nobody ever signed in to is removed.',
  ),
}

interface Values {
  readonly registration: Settings['registration']['mode']
  readonly registrationUnusedSeconds: number
}

export function registrationGroup({ registration, registrationUnusedSeconds }: Values): Settings['registration'] {
  return { mode: registration, unusedSeconds: registrationUnusedSeconds }
}

/** The settings of a browser's session, and the group that is made of them. */
import { z } from 'zod'
import type { Settings } from '#core/services.ts'
import { seconds, setting } from './setting-rules.ts'

const DAY = 86_400
const YEAR = 365 * DAY

export const SESSION_SETTINGS = {
  sessionIdleSeconds: seconds(
    'SESSION_IDLE_SECONDS',
    8 * 3_600,
    [60, YEAR],
    'A browser that did nothing for so long has to sign in again.',
  ),
  sessionAbsoluteSeconds: seconds(
    'SESSION_ABSOLUTE_SECONDS',
    7 * DAY,
    [60, YEAR],
    'However busy it was, a browser has to sign in again after so long.',
  ),
  sessionRemember: setting({
    name: 'SESSION_REMEMBER',
    schema: z.enum(['off', 'offer'], 'must be off or offer'),
    default: 'off',
    sentence:
      'With `offer`, people may tick that they stay signed in on a device: however idle, until SESSION_ABSOLUTE_SECONDS. Otherwise a session ends with the browser, too.',
    example: 'offer',
  }),
}

interface Values {
  readonly sessionIdleSeconds: number
  readonly sessionAbsoluteSeconds: number
  readonly sessionRemember: 'off' | 'offer'
}

export function sessionGroup(values: Values): Settings['session'] {
  return {
    idleSeconds: values.sessionIdleSeconds,
    absoluteSeconds: values.sessionAbsoluteSeconds,
    offersToRemember: values.sessionRemember === 'offer',
  }
}

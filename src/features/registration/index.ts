/**
 * Software that registers itself (RFC 7591), for the operator: `latchkey registration-token …`, and a job that removes
 * what registered itself and was never used. What may be registered stands in core/registration, and the endpoint is
 * the protocol library's, set up in src/oidc/registration.ts. This room deliberately knows nothing of either.
 */
import type { Feature } from '#core/feature.ts'
import { sweepAll } from '#platform/database/sweep.ts'
import { registrationTokenCommands } from './commands.ts'

export const registration: Feature = {
  word: 'registration',
  commands: [registrationTokenCommands],
  jobs: ({ clients, settings, log }) => [
    {
      name: 'unused-clients',
      everySeconds: 3_600,
      async run() {
        const removed = await sweepAll((limit) => clients.removeUnused(settings.registration.unusedSeconds, limit))
        if (removed > 0) log.info({ removed }, 'clients that registered themselves and were never used are removed')
      },
    },
  ],
}

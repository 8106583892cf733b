/**
 * Relying parties, for administrators: `latchkey client …`. The rules stand in src/core/clients, since sign-in and the
 * protocol floor live by them too; this room is a door. It fills the sockets `commands` and `jobs` (secrets whose
 * overlap is over are forgotten) and has no pages of its own.
 */
import type { Feature } from '#core/feature.ts'
import { clientCommands } from './commands.ts'

export const clients: Feature = {
  word: 'clients',
  commands: [clientCommands],
  jobs: ({ clients: registered, log }) => [
    {
      name: 'client-secrets',
      everySeconds: 60,
      async run() {
        const forgotten = await registered.forgetExpiredSecrets()
        if (forgotten > 0) log.debug({ forgotten }, 'client secrets forgotten after their overlap')
      },
    },
  ],
}

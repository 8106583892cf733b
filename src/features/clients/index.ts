/**
 * Relying parties, for administrators: `latchkey client …`. The rules stand in src/core/clients, since sign-in and the
 * protocol floor live by them too; this room is a door. It fills the socket `commands` and has no pages of its own.
 */
import type { Feature } from '#core/feature.ts'
import { clientCommands } from './commands.ts'

export const clients: Feature = { word: 'clients', commands: [clientCommands] }

/**
 * People, as the administrator's command line knows them: `latchkey user …`. Its socket is `commands`. The rules stand
 * in core/accounts, where other doors find them, too; signing in is the sign-in's business and its methods'.
 */
import type { Feature } from '#core/feature.ts'
import { userCommands } from './commands.ts'

export const accounts: Feature = { word: 'accounts', commands: [userCommands] }

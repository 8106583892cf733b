/**
 * Groups, as the administrator's command line knows them: `latchkey group …`. Its socket is `commands`. The rules stand
 * in core/groups; what a group opens is decided where clients are assigned and where claims are made.
 */
import type { Feature } from '#core/feature.ts'
import { groupCommands } from './commands.ts'

export const groups: Feature = { word: 'groups', commands: [groupCommands] }

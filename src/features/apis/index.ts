/**
 * APIs (resource servers), for administrators: `latchkey api …`. The rules stand in src/core/apis, and what tokens for
 * them look like in src/oidc/resources.ts; this room is a door. It fills the socket `commands` and has no pages.
 */
import type { Feature } from '#core/feature.ts'
import { apiCommands } from './commands.ts'

export const apis: Feature = { word: 'apis', commands: [apiCommands] }

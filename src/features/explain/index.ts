/**
 * `latchkey explain ERROR-ID`: why a request was refused, for the developer of an application and for the operator. It
 * reads the one row that each refusal leaves in the audit, sets what was received beside what is registered now, names
 * the rule with its source, and the command that would mend it. It deliberately keeps nothing of its own: what the
 * audit does not hold, because it would be a secret or is too old, cannot be explained.
 */
import type { Feature } from '#core/feature.ts'
import { explainCommands } from './commands.ts'

export const explain: Feature = {
  word: 'explain',
  commands: [explainCommands],
}

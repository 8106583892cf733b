/**
 * Signing keys for the operator: `latchkey key list`, `rotate`, `import` and `retire`, and an hourly job that forgets
 * the private halves of keys that are gone. The rules, and what makes a rotation invisible to verifiers, stand in
 * core/signing-keys; publishing the keys and signing with them is the protocol's floor.
 */
import type { Feature } from '#core/feature.ts'
import { keyCommands } from './commands.ts'
import { wipeGoneKeys } from './jobs.ts'

export const signingKeys: Feature = {
  word: 'signing-keys',
  commands: [keyCommands],
  jobs: (needs) => [wipeGoneKeys(needs.signingKeys)],
}

import type { Job } from '#core/feature.ts'
import type { SigningKeys } from '#core/signing-keys/signing-keys.ts'

const HOUR_SECONDS = 3_600

/** What cannot sign any more cannot leak any more. */
export function wipeGoneKeys(signingKeys: Pick<SigningKeys, 'wipeGone'>): Job {
  return {
    name: 'wipe-gone-signing-keys',
    everySeconds: HOUR_SECONDS,
    async run() {
      await signingKeys.wipeGone()
    },
  }
}

/**
 * Who a person is to one sector of applications, and to no other (OpenID Connect Core 1.0 §8.1): two applications that
 * compare what they know find no subject in common. The key is made once and kept in the database, sealed; it is not
 * derived from the master key, since a subject has to stay when that one is replaced: docs/decisions/017-pairwise-subjects.md.
 */
import { createHmac } from 'node:crypto'
import { randomToken, type SealedPlace, type Secrets } from '#core/secrets.ts'
import type { Clock } from '#platform/clock.ts'
import type { InstallationSecretStore } from './store.ts'

const NAME = 'pairwise-key'
const PLACE: SealedPlace = { table: 'installation_secrets', column: 'sealed_value', row: NAME }

export interface PairwiseSubjects {
  /**
   * The subject under which the sector knows the person: 43 characters, the same for ever.
   * @param sector the host that the applications of the sector share
   * @throws AppError(configuration) if its key was sealed with a master key that is not here
   */
  subjectFor(sector: string, accountId: string): Promise<string>
}

export interface PairwiseNeeds {
  readonly store: InstallationSecretStore
  readonly secrets: Pick<Secrets, 'seal' | 'open'>
  readonly clock: Clock
}

export function createPairwiseSubjects({ store, secrets, clock }: PairwiseNeeds): PairwiseSubjects {
  let known: string | undefined

  const keyOf = async (): Promise<string> => {
    const kept = await store.find(NAME)
    if (kept !== undefined) return secrets.open(PLACE, kept)
    // of several processes that come here at once one makes it, and all read that one
    await store.insertOnce(NAME, secrets.seal(PLACE, randomToken()), clock.now())
    return keyOf()
  }

  return {
    async subjectFor(sector, accountId) {
      known ??= await keyOf()
      return createHmac('sha256', known)
        .update(JSON.stringify([sector, accountId]))
        .digest('base64url')
    },
  }
}

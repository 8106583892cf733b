import { decodeJwt } from 'jose'
import { errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import type { SubjectFor } from './subjects.ts'

/**
 * Gives no answer about somebody else than an ID token hint names (OpenID Connect Core 1.0 §3.1.2.2). The library
 * compares when the request comes in, and no more after the sign-in; the hint was verified then, and is kept in the
 * interaction, out of anybody's reach.
 */
export function hintedPerson(pairwiseSubject: SubjectFor): InstanceType<typeof interactionPolicy.Check> {
  return new interactionPolicy.Check(
    'hinted_person',
    'somebody else than the hint names signed in',
    'login_required',
    async ({ oidc }: KoaContextWithOIDC) => {
      const hint = oidc.params?.['id_token_hint']
      const signedIn = oidc.session?.accountId
      if (oidc.entities.IdTokenHint || typeof hint !== 'string' || signedIn === undefined) return false
      const { client } = oidc
      const subject = client?.subjectType === 'pairwise' ? await pairwiseSubject(client, signedIn) : signedIn
      // asking once more would go round in circles, so it is the relying party that hears of it
      if (decodeJwt(hint).sub !== subject)
        throw new errors.LoginRequired('somebody else than id_token_hint names signed in')
      return false
    },
  )
}

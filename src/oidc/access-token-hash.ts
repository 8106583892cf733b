import { Provider } from 'oidc-provider'
import { attached } from '#platform/attached.ts'

/**
 * Puts `at_hash` into every ID token that comes with an access token (OpenID Connect Core 1.0 §3.1.3.6, §12.2): the
 * library does so where both come from the authorization endpoint. It hashes what it finds under that name when it signs;
 * test/flows/algorithms.test.ts fails if it ceases to.
 */
export function bindAccessTokens({ AccessToken, IdToken }: Provider): void {
  const values = attached<string>()

  const { prototype: accessToken } = AccessToken
  const save = accessToken.save
  accessToken.save = async function (this: typeof accessToken): Promise<string> {
    const value = await save.call(this)
    if (Provider.ctx) values.to(Provider.ctx, value)
    return value
  }

  const { prototype: idToken } = IdToken
  const issue = idToken.issue
  idToken.issue = async function (this: typeof idToken, options): Promise<string> {
    const value = Provider.ctx && values.of(Provider.ctx)
    if (options.use === 'idtoken' && value !== undefined) this.set('at_hash', value)
    return issue.call(this, options)
  }
}

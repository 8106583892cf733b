import { Provider, type Session } from 'oidc-provider'

/**
 * A session gets a new identifier when somebody signs in, so that nobody can have known it before (OWASP ASVS, session
 * fixation). The library gives it one after each page, consent included, where it protects from nothing: and a browser
 * that does not hear the answer, or has another request under way, would be left with an identifier that is no more.
 */
export function renewIdentifierAtSignIn(provider: Provider): void {
  // boundary: a method of the library's model that its types leave out
  const session = provider.Session.prototype as unknown as { resetIdentifier(): void }
  const { resetIdentifier } = session
  session.resetIdentifier = function (this: Session) {
    const result = Provider.ctx?.oidc.result
    if (result === undefined || result.login) resetIdentifier.call(this)
  }
}

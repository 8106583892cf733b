import { quoted, type SnippetTarget } from './target.ts'

/** A single-page app with oidc-client-ts, which uses PKCE of itself. */
export const spa: SnippetTarget = {
  types: ['spa'],
  algorithms: /./,
  files: (facts) => [
    {
      path: 'auth.js',
      content: `// auth.js
import { UserManager } from 'oidc-client-ts'

export const manager = new UserManager({
  authority: ${quoted(facts.issuer)},
  client_id: ${quoted(facts.clientId)},
  redirect_uri: ${quoted(facts.redirectUri)},
${facts.afterLogout === undefined ? '' : `  post_logout_redirect_uri: ${quoted(facts.afterLogout)},\n`}  response_type: 'code',
  scope: ${quoted(facts.scope)},
${facts.idTokenClaims === 'strict' ? '  loadUserInfo: true,\n' : ''}})

// the person who is signed in; where nobody is, the browser leaves for the sign-in
export async function person() {
  if (location.pathname === ${quoted(new URL(facts.redirectUri).pathname)}) {
    await manager.signinCallback()
    history.replaceState(null, '', '/')
  }
  const user = await manager.getUser()
  if (user && !user.expired) return user.profile
  return manager.signinRedirect()
}
`,
    },
  ],
}

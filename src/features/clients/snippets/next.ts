/** NextAuth 4 and Auth.js 5: the provider's name is the last part of the callback's path. */
import {
  below,
  fromEnvironment,
  lastSegment,
  quoted,
  SECRET_NAME,
  type SnippetFacts,
  type SnippetTarget,
} from './target.ts'

const callback = {
  pattern: /\/auth\/callback\/[\w-]+$/,
  example: 'https://app.example/api/auth/callback/latchkey',
}

export const nextauth: SnippetTarget = {
  types: ['web'],
  algorithms: /^(RS|PS|ES|HS)/,
  callback,
  files: (facts) => [
    {
      path: 'app/api/auth/[...nextauth]/route.js',
      content: `// app/api/auth/[...nextauth]/route.js
import NextAuth from 'next-auth'

const handler = NextAuth({
  providers: [
    {
      id: ${quoted(lastSegment(facts))},
      name: 'Latchkey',
      type: 'oauth',
      wellKnown: ${below(facts, '/.well-known/openid-configuration')},
      clientId: ${quoted(facts.clientId)},
      clientSecret: ${fromEnvironment(SECRET_NAME)},
      client: ${metadata(facts)},
      authorization: { params: { scope: ${quoted(facts.scope)} } },
      checks: ['pkce', 'state', 'nonce'],
      idToken: true,
${facts.idTokenClaims === 'strict' ? '      userinfo: { request: ({ client, tokens }) => client.userinfo(tokens) },\n' : ''}      profile: ({ sub, name, email, picture }) => ({ id: sub, name, email, image: picture }),
    },
  ],
})

export { handler as GET, handler as POST }
`,
    },
    environment(facts, 'NEXTAUTH'),
  ],
}

export const authjs: SnippetTarget = {
  types: ['web'],
  algorithms: /^(RS|PS|ES)/,
  callback,
  files: (facts) => [
    {
      path: 'auth.js',
      content: `// auth.js
import NextAuth from 'next-auth'

export const { handlers, auth, signIn, signOut } = NextAuth({
  providers: [
    {
      id: ${quoted(lastSegment(facts))},
      name: 'Latchkey',
      type: 'oidc',
      issuer: ${quoted(facts.issuer)},
      clientId: ${quoted(facts.clientId)},
      clientSecret: ${fromEnvironment(SECRET_NAME)},
      client: ${metadata(facts)},
      authorization: { params: { scope: ${quoted(facts.scope)} } },
      checks: ['pkce', 'state', 'nonce'],
${facts.idTokenClaims === 'strict' ? '      idToken: false,\n' : ''}    },
  ],
})
`,
    },
    {
      path: 'app/api/auth/[...nextauth]/route.js',
      content: `// app/api/auth/[...nextauth]/route.js
import { handlers } from '@/auth'

export const { GET, POST } = handlers
`,
    },
    environment(facts, 'AUTH'),
  ],
}

function metadata({ authMethod, algorithm }: SnippetFacts): string {
  return `{ token_endpoint_auth_method: ${quoted(authMethod)}, id_token_signed_response_alg: ${quoted(algorithm)} }`
}

function environment({ redirectUri }: SnippetFacts, prefix: 'NEXTAUTH' | 'AUTH') {
  return {
    path: '.env.local',
    content: `# .env.local
${prefix}_URL=${new URL(redirectUri).origin}
${prefix}_SECRET=put-the-output-of-openssl-rand-base64-32-here
${SECRET_NAME}=put-the-client-secret-here
`,
  }
}

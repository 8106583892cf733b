/** Express, and openid-client in a web application, on a command line and on a device. */
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { fromEnvironment, quoted, SECRET_NAME, type SnippetFacts, type SnippetTarget } from './target.ts'

export const express: SnippetTarget = {
  types: ['web'],
  algorithms: /^(RS|PS|ES|HS)/,
  files: (facts) => [
    {
      path: 'app.mjs',
      content: `// app.mjs
import express from 'express'
import oidc from 'express-openid-connect'

const { auth, requiresAuth } = oidc
const app = express()

app.use(
  auth({
    issuerBaseURL: ${quoted(facts.issuer)},
    baseURL: ${quoted(new URL(facts.redirectUri).origin)},
    clientID: ${quoted(facts.clientId)},
    clientSecret: ${fromEnvironment(SECRET_NAME)},
    clientAuthMethod: ${quoted(facts.authMethod)},
    idTokenSigningAlg: ${quoted(facts.algorithm)},
    secret: ${fromEnvironment('SESSION_SECRET')},
    authRequired: false,
    authorizationParams: { response_type: 'code', scope: ${quoted(facts.scope)} },
${facts.afterLogout === undefined ? '' : '    idpLogout: true,\n'}    routes: { ${routes(facts)} },
  }),
)

app.get('/', requiresAuth(), (req, res) => {
  res.type('text').send(\`Hello, \${req.oidc.user.${facts.idTokenClaims === 'full' ? 'name' : 'sub'}}\\n\`)
})

app.listen(${portOf(facts)})
`,
    },
  ],
}

export const openidClient: SnippetTarget = {
  types: ['web'],
  algorithms: /./,
  files: (facts) => [
    {
      path: 'latchkey.mjs',
      content: `// latchkey.mjs
import * as oidc from 'openid-client'

const provider = await oidc.discovery(
  new URL(${quoted(facts.issuer)}),
  ${quoted(facts.clientId)},
  { id_token_signed_response_alg: ${quoted(facts.algorithm)} },
  oidc.${facts.authMethod === 'client_secret_post' ? 'ClientSecretPost' : 'ClientSecretBasic'}(${fromEnvironment(SECRET_NAME)}),
${insecure(facts, '  ')})

// where to send the browser, and what to keep in its session until it comes back
export async function begin() {
${request('  ', quoted(facts.redirectUri), facts)}
  return { url: url.href, checks }
}

// the claims of the person who came back to this URL
export async function finish(url, checks) {
  const tokens = await oidc.authorizationCodeGrant(provider, new URL(url), { ...checks, idTokenExpected: true })
  return ${claims(facts)}
}
`,
    },
  ],
}

export const cli: SnippetTarget = {
  types: ['native'],
  algorithms: /^(RS|PS|ES|Ed)/,
  callback: { pattern: /^http:/, example: 'http://127.0.0.1/callback' },
  files: (facts) => [
    {
      path: 'sign-in.mjs',
      content: `// sign-in.mjs
import { on, once } from 'node:events'
import { createServer } from 'node:http'
import * as oidc from 'openid-client'

const provider = await oidc.discovery(
  new URL(${quoted(facts.issuer)}),
  ${quoted(facts.clientId)},
  { id_token_signed_response_alg: ${quoted(facts.algorithm)} },
  oidc.None(),
${insecure(facts, '  ')})

// whichever port is free: on a loopback address the port is not compared
const server = createServer().listen(0, ${quoted(new URL(facts.redirectUri).hostname.replace(/^\[|\]$/g, ''))})
await once(server, 'listening')
const redirectUri = new URL(${quoted(facts.redirectUri)})
redirectUri.port = server.address().port

${request('', 'redirectUri.href', facts)}
console.error(\`Open this page to sign in:\\n\${url.href}\`)

for await (const [req, res] of on(server, 'request')) {
  const answer = new URL(req.url, redirectUri)
  if (answer.pathname !== redirectUri.pathname) {
    res.writeHead(404).end()
    continue
  }
  res.end('You may close this page.')
  const tokens = await oidc.authorizationCodeGrant(provider, answer, { ...checks, idTokenExpected: true })
  console.log(JSON.stringify(${claims(facts)}, null, 2))
  break
}
server.close()
`,
    },
  ],
}

export const device: SnippetTarget = {
  types: ['native'],
  algorithms: /^(RS|PS|ES|Ed)/,
  callback: 'none',
  grant: { type: DEVICE_GRANT, option: '--device-flow' },
  files: (facts) => [
    {
      path: 'device.mjs',
      content: `// device.mjs
import * as oidc from 'openid-client'

const provider = await oidc.discovery(
  new URL(${quoted(facts.issuer)}),
  ${quoted(facts.clientId)},
  { id_token_signed_response_alg: ${quoted(facts.algorithm)} },
  oidc.None(),
${insecure(facts, '  ')})

const device = await oidc.initiateDeviceAuthorization(provider, { scope: ${quoted(facts.scope)} })
console.error(\`Open \${device.verification_uri} on any device and type \${device.user_code}\`)

const tokens = await oidc.pollDeviceAuthorizationGrant(provider, device)
console.log(JSON.stringify(${claims(facts)}, null, 2))
`,
    },
  ],
}

/** JavaScript for what is known of the person whose tokens came. */
function claims({ idTokenClaims }: SnippetFacts): string {
  return idTokenClaims === 'full'
    ? 'tokens.claims()'
    : 'await oidc.fetchUserInfo(provider, tokens.access_token, tokens.claims().sub)'
}

function request(indent: string, redirectUri: string, { scope }: SnippetFacts): string {
  return `const checks = {
  pkceCodeVerifier: oidc.randomPKCECodeVerifier(),
  expectedState: oidc.randomState(),
  expectedNonce: oidc.randomNonce(),
}
const url = oidc.buildAuthorizationUrl(provider, {
  redirect_uri: ${redirectUri},
  scope: ${quoted(scope)},
  code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: checks.expectedState,
  nonce: checks.expectedNonce,
})`.replaceAll(/^/gm, indent)
}

function insecure({ issuer }: SnippetFacts, indent: string): string {
  if (!issuer.startsWith('http:')) return ''
  return `${indent}{ execute: [oidc.allowInsecureRequests] }, // only since this issuer is http, on this machine\n`
}

function routes({ redirectUri, afterLogout }: SnippetFacts): string {
  const callback = `callback: ${quoted(new URL(redirectUri).pathname)}`
  return afterLogout === undefined ? callback : `${callback}, postLogoutRedirect: ${quoted(afterLogout)}`
}

function portOf({ redirectUri }: SnippetFacts): string {
  return new URL(redirectUri).port || '8080'
}

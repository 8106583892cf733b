// What Latchkey is measured against: the protocol library alone. One process, every artifact in a Map that forgets
// nothing, the clients in the configuration, a sign-in that believes every name, a consent that is one form. The same
// routes, keys, algorithms, claims and lifetimes as Latchkey's; nothing on disk, no log, no headers, no hash.
//
// Its parent gives PORT and the file of the world, and is told on stderr when it listens.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Provider, type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider'
import { SCOPE_CLAIMS } from '#oidc/claims.ts'
import { ALGORITHMS, apiOf, world as worldShape } from './world.ts'

const { PORT, WORLD } = process.env
const port = Number(PORT)
const issuer = `http://127.0.0.1:${port}`
const world = worldShape.parse(JSON.parse(readFileSync(WORLD ?? '', 'utf8')))
const people = new Map(world.people.map(({ username, claims }) => [username, claims]))
const claimsBySub = new Map(world.people.map(({ claims }) => [claims.sub, claims]))
const algorithms = new Map(ALGORITHMS.map((alg) => [apiOf(alg), alg]))

const provider = new Provider(issuer, configuration())
const endpoints = provider.callback()
const server = createServer((req, res) => {
  if (req.url?.startsWith('/interaction/')) void interact(req, res)
  else void endpoints(req, res)
})
server.listen(port, '127.0.0.1', () => process.stderr.write('bare is ready.\n'))
process.on('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})

function configuration(): Configuration {
  return {
    adapter: mapAdapter,
    jwks: { keys: world.keys },
    clients: [world.service, world.es256, world.rs256].map(({ id, secret, metadata }) => ({
      ...metadata,
      client_id: id,
      client_secret: secret,
    })),
    claims: { ...SCOPE_CLAIMS, acr: null, sid: null, iss: null },
    conformIdTokenClaims: false,
    cookies: { keys: ['a key of the bench'] },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (_ctx, sub) => {
      const claims = claimsBySub.get(sub)
      return claims && { accountId: sub, claims: () => claims }
    },
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    enabledJWA: { idTokenSigningAlgValues: [...ALGORITHMS] },
    routes: {
      authorization: '/authorize',
      introspection: '/introspect',
      jwks: '/.well-known/jwks.json',
      token: '/token',
      userinfo: '/userinfo',
    },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_ctx, resource) => ({
          scope: 'read',
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: algorithms.get(resource) ?? 'RS256' } },
        }),
      },
    },
    ttl: { AccessToken: 3_600, AuthorizationCode: 60, ClientCredentials: 3_600, IdToken: 3_600 },
  }
}

/** The form of the step that is due, and what becomes of it: as the library's own development pages do it. */
async function interact(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { uid, prompt, params, session, grantId } = await provider.interactionDetails(req, res)
  if (req.method === 'GET') {
    const page = `<!doctype html><form id="${prompt.name}" method="post" action="/interaction/${uid}"><button>Go on</button></form>`
    return void res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page)
  }
  const form = new URLSearchParams(await textOf(req))
  if (prompt.name === 'login') {
    const accountId = people.get(form.get('username') ?? '')?.sub ?? ''
    return provider.interactionFinished(req, res, { login: { accountId } }, { mergeWithLastSubmission: false })
  }
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId)
  const grant = known ?? new provider.Grant({ accountId: session?.accountId, clientId: String(params['client_id']) })
  grant.addOIDCScope(String(params['scope']))
  const consent = { grantId: await grant.save() }
  return provider.interactionFinished(req, res, { consent }, { mergeWithLastSubmission: true })
}

async function textOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function mapAdapter(): Adapter {
  const rows = new Map<string, AdapterPayload>()
  const byUid = new Map<string, string>()
  return {
    async upsert(id, payload) {
      rows.set(id, payload)
      if (payload.uid !== undefined) byUid.set(payload.uid, id)
    },
    find: async (id) => rows.get(id),
    findByUid: async (uid) => rows.get(byUid.get(uid) ?? ''),
    findByUserCode: async () => undefined,
    async consume(id) {
      const row = rows.get(id)
      if (row) row.consumed = Math.floor(Date.now() / 1_000)
    },
    async destroy(id) {
      const uid = rows.get(id)?.uid
      rows.delete(id)
      if (uid !== undefined && byUid.get(uid) === id) byUid.delete(uid)
    },
    // asked for one model after another, and only after a misuse: looking at all of them is fine
    async revokeByGrantId(grantId) {
      for (const [id, row] of rows) if (row.grantId === grantId) rows.delete(id)
    },
  }
}

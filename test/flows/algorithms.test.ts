// Tokens signed with every algorithm that a client may choose, keys made for it while the server runs, keys brought
// along from another provider, and a key that is taken away while people sign in.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createLocalJWKSet, createRemoteJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { TOKEN_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import { keysAreHere } from '#oidc/signing.ts'
import {
  createClient,
  createPerson,
  REDIRECT_URI,
  startApp,
  type RegisteredClient,
  type TestApp,
} from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { collect, runNode, startCluster, type Cluster } from '../support/processes.ts'
import { authorizeUrl, claimsIn, codeFor, redeem, send, tokensFor } from '../support/protocol.ts'
import { authorize } from '../support/relying-party.ts'

const [sqlite] = databases
const signedWith = (alg: string, more: Record<string, unknown> = {}) => ({
  first_party: true,
  metadata: { id_token_signed_response_alg: alg },
  ...more,
})

describe.each(sqlite ? [sqlite] : [])('algorithms', (database) => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp(database)
    await createPerson(app.services)
  })
  afterAll(() => app.close())

  const discovery = async () => (await send(`${app.issuer}/.well-known/openid-configuration`)).json
  const jwks = async () =>
    // boundary: what the server publishes; jose judges it
    (await send(`${app.issuer}/.well-known/jwks.json`)).json as unknown as JSONWebKeySet
  const verified = async ({ client, secret }: RegisteredClient, idToken: string) => {
    const alg = String(client.metadata['id_token_signed_response_alg'])
    const expected = { issuer: app.issuer, audience: client.id, algorithms: [alg] }
    return alg.startsWith('HS')
      ? jwtVerify(idToken, Buffer.from(secret ?? ''), expected)
      : jwtVerify(idToken, createLocalJWKSet(await jwks()), expected)
  }

  test('begin with three kinds of keys, and discovery names what can be had', async () => {
    expect((await jwks()).keys.map(({ alg }) => alg)).toEqual(['RS256', 'ES256', 'EdDSA'])
    const named = (await discovery())['id_token_signing_alg_values_supported']
    expect(named).toEqual(expect.arrayContaining(['RS256', 'ES256', 'EdDSA', 'HS256', 'HS384', 'HS512']))
    expect(named).toHaveLength(6)
  })

  test.each(TOKEN_ALGORITHMS)('%s signs the ID token of a client that was just registered for it', async (alg) => {
    const client = await createClient(app.services, signedWith(alg))
    const { idToken, accessToken } = await tokensFor(app, client)
    const { protectedHeader, payload } = await verified(client, idToken)
    expect(protectedHeader.alg).toBe(alg)
    expect(payload['at_hash']).toBe(halfHash(alg, accessToken))
    expect((await discovery())['id_token_signing_alg_values_supported']).toContain(alg)
    const hint = await send(`${app.issuer}/logout?id_token_hint=${idToken}`)
    expect(hint.status).toBe(200)
  })

  test('discovery names exactly what clients are signed for now, and every key of the JWKS has one algorithm', async () => {
    const { keys } = await jwks()
    expect(new Set((await discovery())['id_token_signing_alg_values_supported'] as string[])).toEqual(
      new Set(TOKEN_ALGORITHMS),
    )
    expect(keys.map(({ alg }) => alg)).toEqual(TOKEN_ALGORITHMS.filter((alg) => !alg.startsWith('HS')))
  })

  test('a client changes from one algorithm to another and back', async () => {
    const client = await createClient(app.services, signedWith('RS256'))
    for (const alg of ['PS512', 'HS512', 'RS256']) {
      const changed = await app.services.clients.update(client.client.id, {
        metadata: { id_token_signed_response_alg: alg },
      })
      const { idToken } = await tokensFor(app, client)
      const { protectedHeader } = await verified({ ...client, client: changed }, idToken)
      expect(protectedHeader.alg).toBe(alg)
    }
  })

  test('refuses a shared secret to a client that cannot keep one, and an algorithm that does not sign', async () => {
    await expect(createClient(app.services, signedWith('HS256', { type: 'spa' }))).rejects.toMatchObject({
      code: 'invalid_input',
      fields: { id_token_signed_response_alg: expect.stringContaining('none') },
    })
    await expect(createClient(app.services, signedWith('none'))).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('refuses HS512 to a client with a shorter secret until it has a new one', async () => {
    const { client } = await createClient(app.services)
    const { secrets, clients, database } = app.services
    const place = { table: 'clients', column: 'sealed_secret', row: client.id }
    await database.db
      .updateTable('clients')
      .set({ sealed_secret: secrets.seal(place, 's'.repeat(43)) })
      .where('id', '=', client.id)
      .execute()
    const to = (alg: string) => clients.update(client.id, { metadata: { id_token_signed_response_alg: alg } })
    await expect(to('HS256')).resolves.toBeDefined()
    await expect(to('HS512')).rejects.toMatchObject({
      code: 'invalid_input',
      hint: expect.stringContaining('rotate-secret'),
    })
    await clients.rotateSecret(client.id)
    await expect(to('HS512')).resolves.toBeDefined()
  })

  test('a process that has not loaded a key yet looks for it, and asks the request to come again', async () => {
    let looked = 0
    const check = keysAreHere({ keys: [{ kty: 'RSA', alg: 'RS256' }] }, async () => void looked++)
    await check(['RS256'])
    expect(looked).toBe(0)
    await expect(check(['RS256', 'PS256'])).rejects.toMatchObject({
      code: 'unavailable',
      retryAfterSeconds: 1,
    })
    expect(looked).toBe(1)
  })

  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const ps = generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey
  const oneLine = ps.export({ type: 'pkcs8', format: 'pem' }).toString().replaceAll('\n', '\\n')
  test.each([
    ['PKCS#1', 'RS256', rsa.export({ type: 'pkcs1', format: 'pem' }).toString()],
    ['the PEM of an .env', 'PS256', oneLine],
    ['SEC1', 'ES384', ec.export({ type: 'sec1', format: 'pem' }).toString()],
    [
      'a JWK',
      'EdDSA',
      JSON.stringify({ ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: 'from-before' }),
    ],
  ] as const)('a key imported from %s signs %s', async (_, alg, text) => {
    const client = await createClient(app.services, signedWith(alg))
    const { key } = await app.services.signingKeys.import({ text, alg, current: true })
    await app.refreshKeys()
    const { protectedHeader } = await verified(client, (await tokensFor(app, client)).idToken)
    expect(protectedHeader).toMatchObject({ alg, kid: key.kid })
  })

  test('a key that only verifies hints is not published and still verifies them', async () => {
    const client = await createClient(app.services)
    const { idToken } = await tokensFor(app, client, {}, browserSession(app.issuer))
    const [signer] = (await jwks()).keys.filter(({ alg }) => alg === 'RS256')
    const { db } = app.services.database
    await app.services.signingKeys.rotate('RS256')
    const now = app.services.clock.now()
    await db.updateTable('signing_keys').set({ activates_at: now }).where('activates_at', '>', now).execute()
    await db
      .updateTable('signing_keys')
      .set({ retires_at: now, unpublished_at: now })
      .where('kid', '=', signer?.kid ?? '')
      .execute()
    await app.refreshKeys()
    expect((await jwks()).keys.map(({ kid }) => kid)).not.toContain(signer?.kid)
    expect((await send(`${app.issuer}/logout?id_token_hint=${idToken}`)).status).toBe(200)
    await app.services.signingKeys.retire(signer?.kid ?? '')
    await app.refreshKeys()
    expect((await send(`${app.issuer}/logout?id_token_hint=${idToken}`)).status).toBe(400)
  })

  test('a key retired while people sign in drops no request, and every token verifies with the JWKS after it', async () => {
    const client = await createClient(app.services, signedWith('ES256'))
    const browser = browserSession(app.issuer)
    await authorize(browser, authorizeUrl(app, client))
    const retired: string[] = []
    let done = false
    const retiring = (async () => {
      for (let round = 0; round < 4; round++) {
        const signer = (await app.services.signingKeys.list()).find(
          ({ alg, state }) => alg === 'ES256' && state === 'current',
        )
        await app.services.signingKeys.retire(signer?.kid ?? '')
        retired.push(signer?.kid ?? '')
        await new Promise((resolve) => setTimeout(resolve, 700))
      }
      done = true
    })()
    const kids = new Set<unknown>()
    while (!done) {
      const code = await codeFor(app, client, { prompt: 'none' }, browser)
      const askedAt = app.services.clock.now()
      const answer = await redeem(app, client, code)
      expect(answer.status).toBe(200)
      const [header = ''] = String(answer.json['id_token']).split('.')
      const kid = claimsIn(`.${header}.`)['kid']
      kids.add(kid)
      const list = await app.services.signingKeys.list()
      const key = list.find((one) => one.kid === kid)
      // the key watch may be half a second behind; never more
      expect(key?.goneAt ?? Infinity).toBeGreaterThan(askedAt - 2)
    }
    await retiring
    expect(kids.size).toBeGreaterThanOrEqual(4)
    await app.refreshKeys()
    const published = (await jwks()).keys.map(({ kid }) => kid)
    for (const kid of retired) expect(published).not.toContain(kid)
    await verified(client, (await tokensFor(app, client, { prompt: 'none' }, browser)).idToken)
  })
})

describe('on several processes', () => {
  let cluster: Cluster
  beforeAll(async () => {
    const database = databases.at(-1)
    if (!database) throw new Error('no database to test on')
    cluster = await startCluster(database, 2)
    await createPerson(cluster.services)
  }, 60_000)
  afterAll(() => cluster.close())

  /** `latchkey` as a process of its own, on the same database. */
  const latchkey = async (...argv: string[]): Promise<unknown> => {
    const config = cluster.hosts[0]?.config
    const child = runNode(['src/cli.ts', ...argv, '--json'], {
      ISSUER: config?.issuer ?? '',
      DATABASE_URL: config?.databaseUrl.reveal() ?? '',
      KEYS_DIR: config?.keysDir ?? '',
    })
    const output = collect(child)
    const code = await new Promise((resolve) => child.once('close', resolve))
    if (code !== 0) throw new Error(`exit ${String(code)}: ${output.stderr()}`)
    return JSON.parse(output.stdout())
  }

  test('a client registered on the command line for a new algorithm signs in at once, everywhere', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-algorithms-'))
    for (const alg of ['PS384', 'ES512']) {
      const file = path.join(folder, `${alg}.json`)
      writeFileSync(file, JSON.stringify({ id_token_signed_response_alg: alg }))
      const client = registered(
        await latchkey(
          'client',
          'create',
          '--first-party',
          '--name',
          alg,
          '--redirect-uri',
          REDIRECT_URI,
          '--metadata',
          file,
        ),
      )
      const [first] = cluster.hosts
      for (const host of cluster.hosts) {
        const answer = await redeem(host, client, await codeFor(first ?? host, client))
        expect(answer.status).toBe(200)
        const { protectedHeader } = await jwtVerify(
          String(answer.json['id_token']),
          createRemoteJWKSet(new URL(`${host.issuer}/.well-known/jwks.json`)),
        )
        expect(protectedHeader.alg).toBe(alg)
      }
    }
    rmSync(folder, { recursive: true })
  }, 60_000)
})

const registration = z.looseObject({ client_id: z.string(), client_secret: z.string() })

function registered(json: unknown): RegisteredClient {
  const { client_id: id, client_secret: secret } = registration.parse(json)
  // boundary: the requests by hand take nothing of a client but its id
  return { client: { id } as RegisteredClient['client'], secret }
}

/** OpenID Connect Core 1.0 §3.1.3.6; EdDSA over Ed25519 hashes with SHA-512. */
function halfHash(alg: string, value: string): string {
  const hash = createHash(alg === 'EdDSA' ? 'sha512' : `sha${alg.slice(2)}`)
    .update(value)
    .digest()
  return hash.subarray(0, hash.length / 2).toString('base64url')
}

// Software that registers itself (RFC 7591, RFC 7592): what it may say, what it is told, and what it can never
// decide. How it keeps its record is in registration-management.test.ts.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import { createPerson, startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { send, token as requestToken, tokensFor } from '../support/protocol.ts'
import { itselfIn, registering } from '../support/registration.ts'

const CALLBACK = 'https://app.example/callback'
const HOUSE_MEMBERS = [
  'type',
  'first_party',
  'assignment',
  'groups',
  'require_pkce',
  'id_token_claims',
  'refresh_tokens',
  'claims',
  'origin',
  'previous_secret',
  'disabled',
]

describe.each(databases)('registration with a token on $name', (database) => {
  let app: TestApp
  let token: string
  const { register, read, change } = registering(() => app.issuer)

  beforeAll(async () => {
    app = await startApp(database, { settings: { REGISTRATION: 'token' } })
    await createPerson(app.services)
    await app.services.groups.create('staff')
  })
  beforeEach(async () => {
    token = await tokenWith({ uses: 10 })
  })
  afterAll(() => app.close())

  const tokenWith = async (input: Readonly<Record<string, unknown>>) =>
    (await app.services.registrationTokens.create(input)).value

  test('stands in discovery', async () => {
    const { json } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(json['registration_endpoint']).toBe(`${app.issuer}/register`)
  })

  test('registers an application that signs people in', async () => {
    const { status, json, headers } = await register(
      { client_name: 'Notes', redirect_uris: ['http://localhost:9/callback'] },
      token,
    )
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(json).toMatchObject({
      client_id: expect.any(String),
      client_secret: expect.any(String),
      client_secret_expires_at: 0,
      client_name: 'Notes',
      redirect_uris: ['http://localhost:9/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
      registration_access_token: expect.any(String),
      registration_client_uri: `${app.issuer}/register/${String(json['client_id'])}`,
    })
    const client = await app.services.clients.get(String(json['client_id']))
    expect(client).toMatchObject({ name: 'Notes', type: 'web', origin: 'dynamic', firstParty: false })
    expect((await tokensFor(app, { client, secret: String(json['client_secret']) })).accessToken).toBeTruthy()
  })

  test.each([
    ['web', {}],
    ['web', { token_endpoint_auth_method: 'client_secret_post' }],
    ['spa', { token_endpoint_auth_method: 'none' }],
    ['native', { application_type: 'native', redirect_uris: ['http://127.0.0.1/callback'] }],
    ['native', { token_endpoint_auth_method: 'none', redirect_uris: ['com.example.app:/callback'] }],
  ])('tells a client of type %s from %j', async (type, metadata) => {
    const { json } = await register({ client_name: 'Notes', redirect_uris: [CALLBACK], ...metadata }, token)
    expect((await app.services.clients.get(String(json['client_id']))).type).toBe(type)
    expect('client_secret' in json).toBe(type === 'web')
  })

  test('A77 never lets software decide what is the house’s own', async () => {
    const mine = {
      type: 'service',
      first_party: true,
      assignment: 'groups',
      groups: ['staff'],
      require_pkce: false,
      id_token_claims: 'full',
      refresh_tokens: 'always',
      claims: [{ claim: 'admin', value: true }],
      origin: 'administrator',
      previous_secret: 'guessed',
      disabled: true,
      client_id: 'mine',
      client_secret: 'chosen',
    }
    const { json } = await register({ client_name: 'Notes', redirect_uris: [CALLBACK], ...mine }, token)
    const id = String(json['client_id'])
    const decided = {
      type: 'web',
      firstParty: false,
      assignment: 'everyone',
      groups: [],
      idTokenClaims: 'strict',
      refreshTokens: 'offline_access',
      claims: [],
      origin: 'dynamic',
      disabled: false,
    }
    expect([id, json['client_secret']]).not.toContain('chosen')
    expect(id).not.toBe('mine')
    expect(await app.services.clients.get(id)).toMatchObject(decided)
    expect(Object.keys(json).filter((member) => HOUSE_MEMBERS.includes(member))).toEqual([])

    const { client_id: _, client_secret: __, ...rest } = mine
    const answer = await change(itselfIn(json), { client_name: 'Notes 2', redirect_uris: [CALLBACK], ...rest })
    expect([answer.status, answer.json['client_name']]).toEqual([200, 'Notes 2'])
    expect(await app.services.clients.get(id)).toMatchObject(decided)
    expect(
      Object.keys((await read(itselfIn(answer.json))).json).filter((member) => HOUSE_MEMBERS.includes(member)),
    ).toEqual([])
  })

  test.each([
    ['javascript:', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['a wildcard', { redirect_uris: ['https://*.app.example/'] }, 'invalid_redirect_uri'],
    ['a fragment', { redirect_uris: [`${CALLBACK}#x`] }, 'invalid_redirect_uri'],
    ['no redirect URI', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['a redirect URI that is no list', { redirect_uris: CALLBACK }, 'invalid_redirect_uri'],
    ['a page by javascript:', { client_uri: 'javascript:alert(1)' }, 'invalid_client_metadata'],
    ['keys inside the network', { jwks_uri: 'https://10.0.0.1/keys' }, 'invalid_client_metadata'],
    ['keys at a decimal address', { jwks_uri: 'https://2130706433/keys' }, 'invalid_client_metadata'],
    ['keys at an octal address', { jwks_uri: 'https://0177.0.0.1/keys' }, 'invalid_client_metadata'],
    ['keys on this machine', { jwks_uri: 'http://localhost/keys' }, 'invalid_client_metadata'],
    ['keys at a mapped address', { jwks_uri: 'https://[::ffff:127.0.0.1]/keys' }, 'invalid_client_metadata'],
    ['a logo inside the network', { logo_uri: 'https://169.254.169.254/logo' }, 'invalid_client_metadata'],
    ['a logout address inside', { backchannel_logout_uri: 'https://192.168.0.1/out' }, 'invalid_client_metadata'],
    ['a sector inside the network', { sector_identifier_uri: 'https://127.0.0.1/sector' }, 'invalid_client_metadata'],
    ['a sector that cannot be read', { sector_identifier_uri: 'https://nowhere.invalid/s' }, 'invalid_client_metadata'],
    ['a request inside the network', { request_uris: ['https://10.0.0.1/request'] }, 'invalid_client_metadata'],
    ['a software statement', { software_statement: 'e30.e30.' }, 'unapproved_software_statement'],
    ['a service', { grant_types: ['client_credentials'], redirect_uris: [] }, 'invalid_client_metadata'],
    ['a name with a line break', { client_name: 'Latchkey\nis fine' }, 'invalid_client_metadata'],
    ['a contact that is none', { contacts: ['x'] }, 'invalid_client_metadata'],
    ['an unknown method', { token_endpoint_auth_method: 'magic' }, 'invalid_client_metadata'],
    ['unsigned ID tokens', { id_token_signed_response_alg: 'none' }, 'invalid_client_metadata'],
    [
      'endless lists',
      { redirect_uris: Array.from({ length: 51 }, (_, i) => `${CALLBACK}/${i}`) },
      'invalid_redirect_uri',
    ],
  ])('refuses %s, with the reason', async (_, metadata, error) => {
    const before = (await app.services.clients.list({ limit: 1_000 })).items.length
    const answer = await register({ client_name: 'Notes', redirect_uris: [CALLBACK], ...metadata }, token)
    expect([answer.status, answer.json]).toEqual([
      400,
      { error, error_description: expect.stringMatching(/^[^"\\]{10,}$/), error_id: expect.any(String) },
    ])
    expect((await app.services.clients.list({ limit: 1_000 })).items).toHaveLength(before)
  })

  test('tells the addresses of requests that it took', async () => {
    const request_uris = ['https://app.example/request#4fJ-kk2Zb0s']
    const { json } = await register({ redirect_uris: [CALLBACK], request_uris }, token)
    expect(json['request_uris']).toEqual(request_uris)
    expect((await read(itselfIn(json))).json['request_uris']).toEqual(request_uris)
  })

  test('takes of the scopes and grant types those that there are', async () => {
    const { json } = await register(
      {
        redirect_uris: [CALLBACK],
        scope: 'openid notes:read email',
        grant_types: [
          'authorization_code',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:device_code',
          CIBA_GRANT,
          'x',
        ],
        backchannel_token_delivery_mode: 'poll',
        token_endpoint_auth_method: 'none',
        nonsense: true,
      },
      token,
    )
    expect(json).toMatchObject({ scope: 'openid email', grant_types: ['authorization_code', 'refresh_token'] })
    expect(json).not.toHaveProperty('nonsense')
  })

  test('registers a service where its token says so, and asks nobody to sign in to it', async () => {
    const robots = await tokenWith({ types: ['service'] })
    const { status, json } = await register({ client_name: 'Robot', grant_types: ['client_credentials'] }, robots)
    expect([status, json]).toMatchObject([201, { grant_types: ['client_credentials'], response_types: [] }])
    const client = await app.services.clients.get(String(json['client_id']))
    const answer = await requestToken(
      app,
      { client, secret: String(json['client_secret']) },
      { grant_type: 'client_credentials' },
    )
    expect(answer.status).toBe(200)
  })

  test.each(['id_token_signed_response_alg', 'userinfo_signed_response_alg'])(
    'has no key made for %s',
    async (member) => {
      expect((await register({ redirect_uris: [CALLBACK], [member]: 'PS512' }, token)).status).toBe(400)
    },
  )

  test.each([
    ['no token', undefined],
    ['an unknown token', 'unknown'],
  ])('refuses %s', async (_, value) => {
    expect((await register({ redirect_uris: [CALLBACK] }, value)).status).toBe(401)
  })

  test('A76 refuses a token that is used up, expired or revoked', async () => {
    const { registrationTokens, database: opened } = app.services
    const { token: spent, value } = await registrationTokens.create({ uses: 1 })
    expect((await register({ redirect_uris: [CALLBACK] }, value)).status).toBe(201)
    expect((await register({ redirect_uris: [CALLBACK] }, value)).json).toMatchObject({ error: 'invalid_token' })
    expect(await registrationTokens.get(spent.id)).toMatchObject({ uses: 1, usesLeft: 0 })

    const old = await registrationTokens.create({ expires: '1h' })
    await opened.db.updateTable('registration_tokens').set({ expires_at: 1 }).where('id', '=', old.token.id).execute()
    expect((await register({ redirect_uris: [CALLBACK] }, old.value)).status).toBe(401)

    const revoked = await registrationTokens.create({})
    await registrationTokens.revoke(revoked.token.id)
    expect((await register({ redirect_uris: [CALLBACK] }, revoked.value)).status).toBe(401)
  })

  test('costs no use where it is refused', async () => {
    const once = await tokenWith({ uses: 1 })
    expect((await register({ redirect_uris: ['https://app.example/#x'] }, once)).status).toBe(400)
    expect((await register({ redirect_uris: [CALLBACK] }, once)).status).toBe(201)
  })

  test('keeps within the bounds of its token, when it registers and ever after', async () => {
    const bound = await tokenWith({
      types: ['spa'],
      redirect_hosts: ['*.app.example'],
      scope: 'openid email',
      groups: ['staff'],
    })
    const spa = { redirect_uris: ['https://one.app.example/'], token_endpoint_auth_method: 'none' }
    const elsewhere = { ...spa, redirect_uris: ['https://app.example.evil.example/'] }
    expect((await register(elsewhere, bound)).json).toMatchObject({ error: 'invalid_redirect_uri' })
    expect((await register({ redirect_uris: spa.redirect_uris }, bound)).json).toMatchObject({
      error: 'invalid_client_metadata',
      error_description: expect.stringContaining('web'),
    })
    const { json } = await register({ ...spa, scope: 'openid email phone' }, bound)
    expect(json['scope']).toBe('openid email')
    expect(await app.services.clients.get(String(json['client_id']))).toMatchObject({
      assignment: 'groups',
      groups: ['staff'],
    })
    expect((await change(itselfIn(json), elsewhere)).json).toMatchObject({ error: 'invalid_redirect_uri' })
    const spelled = {
      ...itselfIn(json),
      id: String(json['client_id']).replace(/^./, (first) => `%${first.charCodeAt(0).toString(16)}`),
    }
    expect((await change(spelled, { ...elsewhere, client_id: json['client_id'] })).status).toBe(400)
    const changed = await change(itselfIn(json), { ...spa, scope: 'openid phone' })
    expect(changed.json['scope']).toBe('openid')
    expect(await app.services.clients.get(String(json['client_id']))).toMatchObject({ groups: ['staff'] })
  })

  test('refuses schemes of apps that pass themselves off as a host within the bounds', async () => {
    const bound = await tokenWith({ uses: 9, redirect_hosts: ['app.example', '*.app.example', 'com.example.notes:'] })
    const app = (uri: string) => register({ redirect_uris: [uri], token_endpoint_auth_method: 'none' }, bound)
    for (const uri of [
      'com.evil.app://app.example/',
      'com.evil.app://one.app.example/',
      'app.example:/',
      'one.app.example:/',
    ])
      expect((await app(uri)).json).toMatchObject({ error: 'invalid_redirect_uri' })
    for (const uri of ['com.example.notes:/callback', 'com.example.notes://callback', 'https://one.app.example/'])
      expect((await app(uri)).status).toBe(201)
  })
})

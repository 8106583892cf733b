import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { CALLBACK, made, openClientCommands, type ClientCommands } from '../support/client-commands.ts'

describe('latchkey client', () => {
  let commands: ClientCommands
  let latchkey: ClientCommands['latchkey']
  let created: ClientCommands['created']
  let shown: ClientCommands['shown']
  let folder: string
  let clients: ClientCommands['clients']

  beforeAll(async () => {
    commands = await openClientCommands()
    ;({ latchkey, created, shown, folder, clients } = commands)
  })
  afterAll(() => commands.close())

  test('create answers with the client as JSON, every default said', async () => {
    const client = await created()
    expect(client).toEqual({
      client_id: expect.stringMatching(/^[\w-]{22}$/),
      client_secret: expect.stringMatching(/^[\w-]{64}$/),
      client_name: 'Shop',
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      profile: 'none',
      redirect_uris: [CALLBACK],
      post_logout_redirect_uris: [],
      scope: 'openid offline_access profile email phone address groups',
      id_token_signed_response_alg: 'RS256',
      type: 'web',
      first_party: false,
      assignment: 'everyone',
      groups: [],
      require_pkce: false,
      id_token_claims: 'full',
      refresh_tokens: 'offline_access',
      claims: [],
      origin: 'administrator',
      disabled: false,
      created_at: 1_800_000_000,
      updated_at: 1_800_000_000,
    })
  })

  test('create tells a person the secret once, where to discover the rest, and what comes next', async () => {
    const { exit, stdout, stderr } = await latchkey(['create', '--name', 'Shop', '--redirect-uri', CALLBACK])
    expect(exit).toBe(0)
    const hidden = stdout.replace(/(client id +|snippet )\S+/g, '$1ID').replace(/(client secret +)\S+/, '$1SECRET')
    expect(`\n${hidden}`).toBe(`
Shop (web) is registered.

  client id      ID
  client secret  SECRET
  discovery      https://id.example/.well-known/openid-configuration

The secret is shown once: it cannot be read again, only rotated.
Next: give these three to the application.
\`latchkey client snippet ID --for LIBRARY\` prints its configuration.
`)
    expect(stderr).toBe('')
  })

  test('create takes every option', async () => {
    writeFileSync(
      path.join(folder, 'more.json'),
      JSON.stringify({ scope: 'openid', logo_uri: 'https://app.example/logo.png' }),
    )
    const uris = [
      '--redirect-uri',
      'https://app.example/other',
      '--post-logout-redirect-uri',
      'https://app.example/bye',
    ]
    const rights = ['--scope', 'openid email', '--first-party', '--assignment', 'groups', '--group', 'staff']
    const tokens = ['--require-pkce', '--id-token-claims', 'strict', '--refresh-tokens', 'never']
    const client = await created('--type', 'web', ...uris, ...rights, ...tokens, '--metadata', 'more.json')
    expect(client).toMatchObject({
      redirect_uris: [CALLBACK, 'https://app.example/other'],
      post_logout_redirect_uris: ['https://app.example/bye'],
      scope: 'openid email',
      logo_uri: 'https://app.example/logo.png',
      first_party: true,
      assignment: 'groups',
      groups: ['staff'],
      require_pkce: true,
      id_token_claims: 'strict',
      refresh_tokens: 'never',
      grant_types: ['authorization_code'],
    })
  })

  test('create makes public clients without a secret, and a service without redirect URIs', async () => {
    expect(await created('--type', 'spa')).not.toHaveProperty('client_secret')
    const { json } = await latchkey(['create', '--name', 'Job', '--type', 'service', '--json'])
    expect(json()).toMatchObject({
      grant_types: ['client_credentials'],
      redirect_uris: [],
      client_secret: expect.any(String),
    })
  })

  test('create reads metadata from stdin', async () => {
    const stdin = JSON.stringify({ client_name: 'Piped', redirect_uris: [CALLBACK], contacts: ['it@app.example'] })
    const { json } = await latchkey(['create', '--metadata', '-', '--json'], { stdin })
    expect(json()).toMatchObject({ client_name: 'Piped', redirect_uris: [CALLBACK], contacts: ['it@app.example'] })
  })

  test.each([
    [['create', '--redirect-uri', CALLBACK], /name: A client needs a name/],
    [['create', '--name', 'Shop'], /redirect_uris: A web client needs at least one/],
    [['create', '--name', 'Shop', '--redirect-uri', 'javascript:alert(1)'], /run or open/],
    [['create', '--name', 'Shop', '--redirect-uri', 'http://app.example/cb'], /use https/],
    [['create', '--name', 'Shop', '--redirect-uri', CALLBACK, '--scope', 'root'], /Unknown scope "root"/],
    [
      ['create', '--name', 'Shop', '--redirect-uri', CALLBACK, '--assignment', 'groups', '--group', 'ghosts'],
      /no group called "ghosts"/,
    ],
    [['create', '--name', 'Shop', '--redirect-uri', CALLBACK, '--group', 'staff'], /open to everyone/],
    [
      ['create', '--name', 'Shop', '--redirect-uri', CALLBACK, '--metadata', 'missing.json'],
      /missing\.json cannot be read/,
    ],
    [['show', 'nobody'], /no client with this id/],
    [['update', 'nobody', '--name', 'New'], /no client with this id/],
    [['delete', 'nobody', '--yes'], /no client with this id/],
  ])('%j is refused with a hint', async (argv, reason) => {
    const { exit, stdout, stderr } = await latchkey(argv)
    expect([exit, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(reason)
    expect(stderr.trim().split('\n').length).toBeGreaterThan(1)
  })

  test.each([
    [['create', '--name', 'Shop', '--redirect-uri', CALLBACK, '--type', 'machine']],
    [['create', '--name', 'Shop', '--redirect-uri', CALLBACK, '--client-secret', 'mine']],
    [['create', '--name']],
    [['show']],
    [['show', 'one', 'two']],
    [['rotate-secret', 'one', '--overlap']],
  ])('%j is misuse', async (argv) => {
    const { exit, stdout } = await latchkey(argv)
    expect([exit, stdout]).toEqual([2, ''])
  })

  test.each([
    ['{"skip_consent": true}', /skip_consent: This is not a member/],
    ['{"first_party": true}', /first_party: This is not a member/],
    ['{', /is not JSON/],
    ['[]', /metadata: /],
  ])('A77 create refuses the metadata %j', async (stdin, reason) => {
    const { exit, stdout, stderr } = await latchkey(
      ['create', '--name', 'Shop', '--redirect-uri', CALLBACK, '--metadata', '-'],
      { stdin },
    )
    expect([exit, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(reason)
  })

  test('A106 list and show never tell a secret', async () => {
    const { client_id: id, client_secret: secret = 'missing' } = await created()
    const answers = [
      ['list'],
      ['list', '--json'],
      ['show', id],
      ['show', id, '--json'],
      ['update', id, '--name', 'New', '--json'],
      ['disable', id, '--json'],
    ]
    for (const argv of answers) {
      const { stdout, stderr } = await latchkey(argv)
      expect(stdout).toContain(id)
      expect(stdout + stderr).not.toContain(secret)
      expect(stdout).not.toContain('client_secret"')
    }
  })

  test('list is one JSON value with all clients', async () => {
    const { client_id: id } = await created()
    const { items, next } = z
      .object({ items: z.array(made), next: z.null() })
      .parse(JSON.parse((await latchkey(['list', '--json'])).stdout))
    expect([items.some((client) => client.client_id === id), next]).toEqual([true, null])
  })

  test('update changes what is given and replaces lists', async () => {
    const { client_id: id, client_secret: _, ...before } = await created('--first-party', '--require-pkce')
    const { exit } = await latchkey([
      'update',
      id,
      '--redirect-uri',
      'https://new.example/cb',
      '--no-first-party',
      '--no-require-pkce',
    ])
    expect(exit).toBe(0)
    expect(await shown(id)).toEqual({
      ...before,
      client_id: id,
      redirect_uris: ['https://new.example/cb'],
      first_party: false,
      require_pkce: false,
    })
    expect((await latchkey(['update', id])).stderr).toMatch(/Nothing to change/)
  })

  test('rotate-secret tells the new secret once, on stdout only', async () => {
    const { client_id: id, client_secret: old } = await created()
    const rotated = await latchkey(['rotate-secret', id, '--json'])
    const { client_secret: secret = 'missing' } = rotated.json()
    expect(secret).not.toBe(old)
    expect((await clients.get(id)).secret).toBe(secret)
    expect(rotated.stderr).toBe('')
    expect((await latchkey(['rotate-secret', id])).stdout).toMatch(/new secret; the old one is worth nothing/)
    const { client_id: spa } = await created('--type', 'spa')
    expect((await latchkey(['rotate-secret', spa])).exit).toBe(1)
  })

  test('disable and enable turn a client off and on', async () => {
    const { client_id: id } = await created()
    expect((await latchkey(['disable', id, '--json'])).json()).toMatchObject({ client_id: id, disabled: true })
    expect((await latchkey(['show', id])).stdout).toMatch(/state +disabled/)
    expect((await latchkey(['enable', id, '--json'])).json()).toMatchObject({ disabled: false })
  })

  test('delete asks first at a terminal, and does as a script says', async () => {
    const { client_id: id } = await created()
    expect((await latchkey(['delete', id], { answers: { confirm: false } })).exit).toBe(1)
    expect(await clients.find(id)).toBeDefined()
    expect((await latchkey(['delete', id], { answers: { confirm: true } })).exit).toBe(0)
    expect(await clients.find(id)).toBeUndefined()
    const { client_id: another } = await created()
    expect((await latchkey(['delete', another])).exit).toBe(0)
    expect(await clients.find(another)).toBeUndefined()
  })

  test('--help says what can be given, and that lists are replaced', async () => {
    const { exit, stdout } = await latchkey(['update', '--help'])
    expect([exit, stdout]).toEqual([0, expect.stringContaining('latchkey client update')])
    expect(stdout.replace(/\s+/g, ' ')).toContain('replaces the whole list')
  })

  test('registers, changes and takes away the address that is told of a logout', async () => {
    const address = 'https://app.example/told'
    const { client_id: id, ...registered } = await created('--backchannel-logout-uri', address)
    expect(registered).toMatchObject({ backchannel_logout_uri: address })
    expect((await latchkey(['show', id])).stdout).toContain(address)
    const refused = await latchkey(['update', id, '--backchannel-logout-uri', 'http://app.example/told'])
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining('https://')])
    const metadata = { backchannel_logout_uri: null, backchannel_logout_session_required: true }
    const changed = await latchkey(['update', id, '--metadata', '-', '--json'], { stdin: JSON.stringify(metadata) })
    expect(changed.json()).toMatchObject({ backchannel_logout_session_required: true })
    expect(changed.json()).not.toHaveProperty('backchannel_logout_uri')
  })

  test('puts a client under FAPI 2.0 with its keys, shows it, and takes it away again', async () => {
    const { client_id: id } = await created()
    const bare = await latchkey(['update', id, '--profile', 'fapi2'])
    expect([bare.exit, bare.stderr]).toEqual([1, expect.stringContaining('public keys')])
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const stdin = JSON.stringify({ jwks: { keys: [publicKey.export({ format: 'jwk' })] } })
    const safe = await latchkey(['update', id, '--profile', 'fapi2', '--metadata', '-', '--json'], { stdin })
    expect(safe.json()).toMatchObject({ profile: 'fapi2', require_pkce: true, dpop_bound_access_tokens: true })
    expect((await latchkey(['show', id])).stdout).toMatch(/profile +fapi2/)
    const back = ['update', id, '--profile', 'none', '--metadata', '-', '--json']
    const method = { token_endpoint_auth_method: 'private_key_jwt' }
    const loose = await latchkey(back, { stdin: JSON.stringify(method) })
    expect(loose.json()).toMatchObject({ profile: 'none', ...method })
    expect(loose.json()).not.toHaveProperty('dpop_bound_access_tokens')
    expect((await latchkey(['create', '--name', 'Bank', '--profile', 'fapi1'])).exit).toBe(2)
  })
})

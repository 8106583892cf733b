import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiJson, isOpenToClient, MAX_API_TOKEN_SECONDS } from '#core/apis/api.ts'
import type { Apis } from '#core/apis/apis.ts'
import type { Clients } from '#core/clients/clients.ts'
import { AppError } from '#platform/errors.ts'
import { databases } from '../support/databases.ts'
import { servicesOn, type TestServices } from '../support/services.ts'

describe.each(databases)('APIs on $name', (kind) => {
  let opened: TestServices
  let clients: Clients
  let apis: Apis
  let now = 5_000
  let service: string
  let spa: string

  beforeAll(async () => {
    opened = await servicesOn(kind, { now: () => now })
    ;({ clients, apis } = opened.services)
    service = (await clients.register({ name: 'Robot', type: 'service' })).client.id
    spa = (await clients.register({ name: 'Shop', type: 'spa', redirect_uris: ['https://shop.example/cb'] })).client.id
  })
  afterAll(() => opened.close())

  const refusal = (fields: Record<string, unknown>) => ({ code: 'invalid_input', fields, hint: expect.any(String) })

  test('an API is found as it was registered, every default said', async () => {
    const api = await apis.create({ identifier: 'https://api.example/bare' })
    expect(apiJson(api)).toEqual({
      identifier: 'https://api.example/bare',
      name: 'https://api.example/bare',
      scopes: [],
      authorization_details_types: [],
      format: 'jwt',
      access_token_seconds: null,
      signing_alg: 'RS256',
      assignment: 'everyone',
      clients: [],
      introspection_clients: [],
      created_at: 5_000,
      updated_at: 5_000,
    })
    expect(await apis.find('https://api.example/bare')).toEqual(api)
    expect(await apis.get('https://api.example/bare')).toEqual(api)
  })

  test('everything that can be said about an API is kept', async () => {
    const api = await apis.create({
      identifier: 'urn:example:orders',
      name: ' Orders ',
      scope: 'write read  read',
      format: 'opaque',
      access_token_seconds: 120,
      signing_alg: 'EdDSA',
      assignment: 'clients',
      clients: [spa, service, spa],
      introspection_clients: [service],
    })
    expect(api).toMatchObject({ name: 'Orders', scopes: ['read', 'write'], clients: [spa, service].toSorted() })
    expect(await apis.find('urn:example:orders')).toEqual(api)
    expect([service, spa, 'nobody'].map((id) => isOpenToClient(api, id))).toEqual([true, true, false])
  })

  test.each([
    ['https://api.example/#part', /fragment/],
    ['api.example/orders', /absolute URI/],
    ['/orders', /absolute URI/],
    ['', /absolute URI/],
    ['https://', /URL libraries/],
    ['https://user:word@api.example/', /user name/],
    ['https://api.example/a b', /absolute URI/],
    ['https://api.example/\0', /absolute URI/],
    ['https://api.example/é', /absolute URI/],
    [`https://api.example/${'x'.repeat(500)}`, /at most 500/],
    [7, /text/],
  ])('%j is no identifier (RFC 8707 §2)', async (identifier, said) => {
    await expect(apis.create({ identifier })).rejects.toMatchObject(
      refusal({ identifier: expect.stringMatching(said) }),
    )
    expect(await apis.find(String(identifier))).toBeUndefined()
  })

  test.each([
    ['scope', { scope: 'read "all"' }, /cannot be a scope/],
    ['scope', { scope: 'back\\slash' }, /cannot be a scope/],
    ['scope', { scope: 'lesen-müssen' }, /cannot be a scope/],
    ['scope', { scope: 'x'.repeat(129) }, /cannot be a scope/],
    ['scope', { scope: 'read openid offline_access' }, /^offline_access, openid is about/],
    ['scope', { scope: Array.from({ length: 101 }, (_, index) => `s${index}`).join(' ') }, /at most 100/],
    ['format', { format: 'paseto' }, /jwt or opaque/],
    ['signing_alg', { signing_alg: 'none' }, /RS256, ES256, EdDSA/],
    ['signing_alg', { signing_alg: 'HS256' }, /RS256, ES256, EdDSA/],
    ['access_token_seconds', { access_token_seconds: 29 }, /At least 30/],
    ['access_token_seconds', { access_token_seconds: 86_401 }, /At most 86400/],
    ['access_token_seconds', { access_token_seconds: 60.5 }, /whole number/],
    ['access_token_seconds', { access_token_seconds: 'an hour' }, /whole number/],
    ['assignment', { assignment: 'groups' }, /everyone or clients/],
    ['name', { name: 'a\nb' }, /line breaks/],
    ['clients', { assignment: 'clients', clients: ['nobody', 'a\0b'] }, /no client "a\\u0000b", "nobody"/],
    ['introspection_clients', { introspection_clients: ['nobody'] }, /no client "nobody"/],
    ['audience', { audience: 'https://other.example' }, /no such setting/],
    ['__proto__', JSON.parse('{"__proto__": 1}'), /no such setting/],
  ])('refuses a wrong %s: %j', async (field, wrong, said) => {
    const input = { identifier: 'https://api.example/wrong', ...wrong }
    const error: unknown = await apis.create(input).catch((caught: unknown) => caught)
    if (!(error instanceof AppError)) throw error
    expect(error.code).toBe('invalid_input')
    expect(new Map(Object.entries(error.fields ?? {})).get(field)).toMatch(said)
    expect(await apis.find('https://api.example/wrong')).toBeUndefined()
  })

  test('refuses clients where every client may call it, and public clients as its voice', async () => {
    await expect(apis.create({ identifier: 'https://api.example/open', clients: [spa] })).rejects.toMatchObject(
      refusal({ clients: expect.stringContaining('open to every client') }),
    )
    await expect(
      apis.create({ identifier: 'https://api.example/open', introspection_clients: [spa] }),
    ).rejects.toMatchObject(refusal({ introspection_clients: expect.stringContaining('has no secret') }))
  })

  test('refuses an identifier that is taken, also to one of two who come at once', async () => {
    const identifier = 'https://api.example/once'
    const results = await Promise.allSettled([apis.create({ identifier }), apis.create({ identifier })])
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'conflict', fields: { identifier: expect.any(String) } },
    })
  })

  test('a change leaves what it does not name, and lists replace', async () => {
    const identifier = 'https://api.example/changing'
    await apis.create({
      identifier,
      scope: 'read',
      access_token_seconds: 60,
      assignment: 'clients',
      clients: [spa],
      introspection_clients: [service],
    })
    now = 6_000
    const changed = await apis.update(identifier, { scope: 'write', clients: [service] })
    expect(changed).toMatchObject({
      scopes: ['write'],
      accessTokenSeconds: 60,
      clients: [service],
      introspectionClients: [service],
      createdAt: 5_000,
      updatedAt: 6_000,
    })
    expect(await apis.find(identifier)).toEqual(changed)
    const opened = await apis.update(identifier, {
      assignment: 'everyone',
      access_token_seconds: null,
      introspection_clients: [],
    })
    expect(opened).toMatchObject({ clients: [], introspectionClients: [], accessTokenSeconds: null })
    expect(await apis.find(identifier)).toEqual(opened)
    now = 5_000
  })

  test('refuses a change of nothing, of the identifier, and of an API that is not there', async () => {
    const identifier = 'https://api.example/bare'
    await expect(apis.update(identifier, {})).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(apis.update(identifier, { identifier: 'https://api.example/other' })).rejects.toMatchObject(
      refusal({ identifier: expect.stringContaining('no such setting') }),
    )
    await expect(apis.update('https://api.example/none', { name: 'x' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(apis.update('\0', { name: 'x' })).rejects.toMatchObject({ code: 'not_found' })
    await expect(apis.get('https://api.example/bare/')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('two changes at once both count', async () => {
    const identifier = 'https://api.example/twice'
    await apis.create({ identifier })
    await Promise.all([apis.update(identifier, { scope: 'read' }), apis.update(identifier, { name: 'Twice' })])
    expect(await apis.find(identifier)).toMatchObject({ name: 'Twice', scopes: ['read'] })
  })

  test('a client that is removed leaves every API', async () => {
    const { id } = (await clients.register({ name: 'Brief', type: 'service' })).client
    const identifier = 'https://api.example/left'
    await apis.create({ identifier, assignment: 'clients', clients: [id], introspection_clients: [id] })
    await clients.remove(id)
    expect(await apis.find(identifier)).toMatchObject({ assignment: 'clients', clients: [], introspectionClients: [] })
  })

  test('the list is in the order of identifiers, and a removed API is gone', async () => {
    const before = (await apis.list()).map(({ identifier }) => identifier)
    expect(before).toEqual(before.toSorted())
    expect(before).toContain('urn:example:orders')
    await apis.remove('urn:example:orders')
    expect((await apis.list()).map(({ identifier }) => identifier)).not.toContain('urn:example:orders')
    expect(await apis.find('urn:example:orders')).toBeUndefined()
    await expect(apis.remove('urn:example:orders')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('the key of a token that lives as long as any may is published until it expires', async () => {
    const { signingKeys, settings } = opened.services
    await apis.create({ identifier: 'https://api.example/long', access_token_seconds: MAX_API_TOKEN_SECONDS })
    const [rotation] = await signingKeys.rotate('RS256')
    const signedUntil = now + settings.keys.publishAheadSeconds
    now = signedUntil + MAX_API_TOKEN_SECONDS
    const state = (await signingKeys.list()).find(({ kid }) => kid === rotation?.predecessor.kid)?.state
    now = 5_000
    expect(state).toBe('retiring')
  })
})

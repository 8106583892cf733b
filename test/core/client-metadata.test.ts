// What the house registers has to be what the protocol library takes: these tests ask the library itself.
import { generateKeyPairSync, type JsonWebKey as JWK } from 'node:crypto'
import { Provider } from 'oidc-provider'
import { describe, expect, test } from 'vitest'
import type { Client, ClientType } from '#core/clients/client.ts'
import { clientJson, toProviderMetadata } from '#core/clients/client-json.ts'
import { parseRegistration } from '#core/clients/client-input.ts'
import { wholeMetadata } from '#core/clients/presets.ts'
import { OFFERED_SCOPES } from '#core/clients/scopes.ts'

const CALLBACK = 'https://app.example/callback'
const minimal: Record<ClientType, Record<string, unknown>> = {
  web: { name: 'Web', type: 'web', redirect_uris: [CALLBACK] },
  spa: { name: 'Page', type: 'spa', redirect_uris: [CALLBACK] },
  native: { name: 'App', type: 'native', redirect_uris: ['com.example.app:/callback', 'http://127.0.0.1/callback'] },
  service: { name: 'Job', type: 'service' },
}

describe('the metadata of a client', () => {
  test.each(Object.values(minimal))('of type $type are taken by the protocol library', (input) => {
    expect(libraryClient(clientFrom(input)).clientId).toBe('the-id')
  })

  test('follow from the type alone', () => {
    const presets = Object.values(minimal).map((input) => {
      const { application_type, token_endpoint_auth_method, grant_types, response_types } = clientFrom(input).metadata
      return [input['type'], application_type, token_endpoint_auth_method, grant_types, response_types]
    })
    expect(presets).toEqual([
      ['web', 'web', 'client_secret_basic', ['authorization_code', 'refresh_token'], ['code']],
      ['spa', 'web', 'none', ['authorization_code', 'refresh_token'], ['code']],
      ['native', 'native', 'none', ['authorization_code', 'refresh_token'], ['code']],
      ['service', 'web', 'client_secret_basic', ['client_credentials'], []],
    ])
  })

  test('lose the refresh grant where refresh tokens are never given', () => {
    const input = {
      ...minimal.web,
      refresh_tokens: 'never',
      metadata: { grant_types: ['authorization_code', 'refresh_token'] },
    }
    expect(clientFrom(input).metadata['grant_types']).toEqual(['authorization_code'])
  })

  test('carry everything that may be registered to the library and into JSON', () => {
    const metadata = {
      client_uri: 'https://app.example/',
      logo_uri: 'https://app.example/logo.png',
      policy_uri: 'https://app.example/privacy#short',
      tos_uri: 'https://app.example/terms',
      initiate_login_uri: 'https://app.example/login',
      contacts: ['it@app.example'],
      application_type: 'web',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
      default_max_age: 3600,
      require_auth_time: true,
      post_logout_redirect_uris: ['https://app.example/bye'],
      scope: 'openid email',
    }
    const client = clientFrom({ ...minimal.web, metadata })
    expect(clientJson(client)).toMatchObject(metadata)
    expect(libraryClient(client).metadata()).toMatchObject(metadata)
  })

  test('tell the library what is ours under the names that JSON has', () => {
    const client = clientFrom({
      ...minimal.web,
      first_party: true,
      refresh_tokens: 'always',
      id_token_claims: 'strict',
    })
    const ours = {
      type: 'web',
      first_party: true,
      assignment: 'everyone',
      require_pkce: false,
      id_token_claims: 'strict',
      refresh_tokens: 'always',
    }
    expect(toProviderMetadata(client)).toMatchObject({
      ...ours,
      client_id: 'the-id',
      client_name: 'Web',
      client_secret: 's'.repeat(43),
    })
    expect(clientJson(client)).toMatchObject({
      ...ours,
      client_id: 'the-id',
      client_name: 'Web',
      groups: [],
      disabled: false,
    })
  })

  test('A106 tell the secret only where it was just made', () => {
    const client = clientFrom(minimal.web)
    expect(clientJson(client)).not.toHaveProperty('client_secret')
    expect(JSON.stringify(clientJson(client))).not.toContain(client.secret)
    expect(clientJson(client, client.secret)['client_secret']).toBe(client.secret)
  })
})

describe('a request’s redirect URI', () => {
  const near = [
    'https://app.example/callback/',
    'https://app.example/callback?x=1',
    'https://app.example/callback#',
    'https://app.example/Callback',
    'https://APP.example/callback',
    'https://app.example:443/callback',
    'https://app.example./callback',
    'https://app.example/x/../callback',
    'https://app.example/%63allback',
    'https://app.example.evil.example/callback',
    'https://app.example@evil.example/callback',
    'http://app.example/callback',
    'https://app.example/callback\n',
    ' https://app.example/callback',
    'https://app.example/callback;x',
    'https://app.example',
  ]

  test.each(near)('A2 %j is not the registered one', (uri) => {
    const client = libraryClient(clientFrom(minimal.web))
    expect(client.redirectUriAllowed(CALLBACK)).toBe(true)
    expect(client.redirectUriAllowed(uri)).toBe(false)
  })

  test('A3 may have another port on a literal loopback address of a native client only', () => {
    const native = libraryClient(clientFrom(minimal.native))
    const web = libraryClient(clientFrom({ ...minimal.web, redirect_uris: ['http://127.0.0.1/callback'] }))
    expect(native.redirectUriAllowed('http://127.0.0.1:51234/callback')).toBe(true)
    expect(web.redirectUriAllowed('http://127.0.0.1:51234/callback')).toBe(false)
    for (const uri of [
      'http://localhost:1/callback',
      'http://127.1:1/callback',
      'http://127.0.0.1:1@evil.example/callback',
      'http://127.0.0.1.evil.example/callback',
      'http://[::ffff:127.0.0.1]/callback',
      'https://127.0.0.1:1/callback',
    ]) {
      expect([uri, native.redirectUriAllowed(uri)]).toEqual([uri, false])
    }
  })
})

function clientFrom(input: Record<string, unknown>): Client {
  const { registered, ...draft } = parseRegistration(input)
  const secret = draft.type === 'web' || draft.type === 'service' ? 's'.repeat(43) : undefined
  const metadata = wholeMetadata({ ...draft, registered })
  return { ...draft, id: 'the-id', metadata, secret, disabled: false, createdAt: 1, updatedAt: 1 }
}

interface LibraryClient {
  clientId: string
  redirectUriAllowed(uri: string): boolean
  metadata(): Record<string, unknown>
}

const library = new Provider('https://id.example', {
  adapter: () => {
    throw new Error('nothing is stored here')
  },
  scopes: [...OFFERED_SCOPES],
  jwks: { keys: [privateJwk('rsa'), privateJwk('ec'), privateJwk('ed25519')] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  extraClientMetadata: {
    properties: ['type', 'first_party', 'assignment', 'require_pkce', 'id_token_claims', 'refresh_tokens'],
  },
})

function libraryClient(client: Client): LibraryClient {
  // boundary: the library's types do not say that its Client can be constructed
  const { Client } = library as unknown as { Client: new (metadata: Record<string, unknown>) => LibraryClient }
  return new Client(toProviderMetadata(client))
}

function privateJwk(type: 'rsa' | 'ec' | 'ed25519'): JWK {
  const options = { modulusLength: 2048, namedCurve: 'P-256' }
  // boundary: the overloads of node:crypto want each type by itself
  const { privateKey } = generateKeyPairSync(type as 'rsa', options)
  return privateKey.export({ format: 'jwk' })
}

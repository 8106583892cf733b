// What the profile fapi2 makes of a client's metadata: what contradicts it is refused, and no row can loosen it.
import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { parseChange, parseRegistration } from '#core/clients/client-input.ts'
import { keepsSecret } from '#core/clients/client-authentication.ts'
import { underFapi2 } from '#core/clients/fapi2.ts'
import { wholeMetadata } from '#core/clients/presets.ts'
import { AppError } from '#platform/errors.ts'

const publicJwk = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' })
const jwks = { keys: [publicJwk('P-256')] }
const bank = { name: 'Bank', redirect_uris: ['https://bank.example/callback'], profile: 'fapi2', metadata: { jwks } }
const withMetadata = (metadata: unknown) => ({ ...bank, metadata: { jwks, ...Object(metadata) } })

function fieldsOf(input: unknown): Readonly<Record<string, string>> {
  try {
    parseRegistration(input)
  } catch (error) {
    if (error instanceof AppError) return error.fields ?? {}
  }
  throw new Error('it was not refused')
}

describe('a client of the profile fapi2', () => {
  test.each<[string, unknown, string, RegExp]>([
    ['5.3.2.1 no. 3: a public client', { ...bank, type: 'spa', metadata: {} }, 'profile', /web and service/],
    [
      '5.3.2.1 no. 5: tokens that are bound to nothing',
      withMetadata({ dpop_bound_access_tokens: false }),
      'dpop_bound_access_tokens',
      /no\. 5/,
    ],
    [
      '5.3.2.1 no. 5: tokens that are bound to two things',
      withMetadata({ dpop_bound_access_tokens: true, tls_client_certificate_bound_access_tokens: true }),
      'dpop_bound_access_tokens',
      /to one of them/,
    ],
    ...['client_secret_basic', 'client_secret_post', 'client_secret_jwt'].map(
      (method): [string, unknown, string, RegExp] => [
        `5.3.2.1 no. 6: authentication by ${method}`,
        withMetadata({ token_endpoint_auth_method: method }),
        'token_endpoint_auth_method',
        /private_key_jwt.*no\. 6/,
      ],
    ),
    ['5.3.2.1 no. 6: no keys', { ...bank, metadata: {} }, 'jwks', /needs the public keys/],
    [
      '5.3.2.2 no. 1: a response type beside the code',
      withMetadata({ response_types: ['code', 'code id_token'] }),
      'response_types',
      /no\. 1/,
    ],
    ['5.3.2.2: a further grant type', { ...bank, device_flow: true }, 'grant_types', /at most/],
    [
      '5.3.2.2 no. 3: requests that are not pushed',
      withMetadata({ require_pushed_authorization_requests: false }),
      'require_pushed_authorization_requests',
      /no\. 3/,
    ],
    ['5.3.2.2 no. 5: no PKCE', { ...bank, require_pkce: false }, 'require_pkce', /no\. 5/],
    [
      '5.3.2.2 no. 8: http, on this machine too',
      { ...bank, redirect_uris: [...bank.redirect_uris, 'http://localhost:8080/cb'] },
      'redirect_uris',
      /https.*no\. 8/,
    ],
    ...['RS256', 'PS384', 'ES512'].flatMap((alg) =>
      [
        'id_token_signed_response_alg',
        'userinfo_signed_response_alg',
        'introspection_signed_response_alg',
        'authorization_signed_response_alg',
        'request_object_signing_alg',
      ].map((member): [string, unknown, string, RegExp] => [
        `5.4.1 no. 1: ${member} ${alg}`,
        withMetadata({ [member]: alg }),
        member,
        /ES256, PS256, EdDSA/,
      ]),
    ),
    [
      '5.4.1 no. 1: keys of other algorithms only',
      { ...bank, metadata: { jwks: { keys: [publicJwk('P-384')] } } },
      'jwks',
      /None of these keys signs with/,
    ],
  ])('is refused for %s', (_, input, field, why) => {
    expect(fieldsOf(input)).toMatchObject({ [field]: expect.stringMatching(why) })
  })

  test('is told everything that is wrong at once, and an unknown profile by its name', () => {
    const loose = { token_endpoint_auth_method: 'client_secret_basic', id_token_signed_response_alg: 'RS256' }
    expect(Object.keys(fieldsOf(withMetadata(loose))).toSorted()).toEqual(Object.keys(loose).toSorted())
    expect(fieldsOf({ ...bank, profile: 'fapi1' })).toEqual({ profile: expect.stringContaining('fapi2') })
  })

  test('has everything that the profile wants without naming it', () => {
    const draft = parseRegistration(bank)
    expect([draft.requirePkce, keepsSecret(draft)]).toEqual([true, false])
    expect(wholeMetadata(draft)).toMatchObject({
      token_endpoint_auth_method: 'private_key_jwt',
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: 'ES256',
    })
    expect(wholeMetadata(draft)).not.toHaveProperty('userinfo_signed_response_alg')
    expect(wholeMetadata(draft)).not.toHaveProperty('response_modes')
  })

  test('binds its tokens to a certificate where that is registered', () => {
    const draft = parseRegistration(withMetadata({ tls_client_certificate_bound_access_tokens: true }))
    expect(wholeMetadata(draft)['dpop_bound_access_tokens']).toBe(false)
  })

  test('becomes one by a change, as long as what it has fits', () => {
    const before = parseRegistration({ ...bank, profile: 'none', metadata: {} })
    const fields = (input: unknown) => {
      try {
        return parseChange(before, input).registered
      } catch (error) {
        return error instanceof AppError ? error.fields : undefined
      }
    }
    expect(fields({ profile: 'fapi2' })).toEqual({ jwks: expect.stringContaining('public keys') })
    expect(fields({ profile: 'fapi2', metadata: { jwks } })).toMatchObject({ jwks })
  })

  test('is under the profile whatever stands in its row', () => {
    const loose = {
      token_endpoint_auth_method: 'none',
      require_pushed_authorization_requests: false,
      dpop_bound_access_tokens: false,
      response_types: ['code', 'code token'],
      grant_types: ['authorization_code', 'implicit', 'password'],
      redirect_uris: ['http://bank.example/callback', 'https://bank.example/callback', 7],
      id_token_signed_response_alg: 'none',
      userinfo_signed_response_alg: 'RS256',
      token_endpoint_auth_signing_alg: 'RS256',
      request_object_signing_alg: 'HS256',
    }
    expect(underFapi2(loose)).toEqual({
      token_endpoint_auth_method: 'private_key_jwt',
      require_pushed_authorization_requests: true,
      dpop_bound_access_tokens: true,
      response_types: ['code'],
      grant_types: ['authorization_code'],
      redirect_uris: ['https://bank.example/callback'],
      id_token_signed_response_alg: 'ES256',
      userinfo_signed_response_alg: 'ES256',
      token_endpoint_auth_signing_alg: 'ES256',
      request_object_signing_alg: 'ES256',
      introspection_signed_response_alg: 'ES256',
      authorization_signed_response_alg: 'ES256',
    })
  })
})

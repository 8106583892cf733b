// Which grant types a client has with the device flow switched on, off, or left alone.
import { describe, expect, test } from 'vitest'
import type { ClientDraft } from '#core/clients/client.ts'
import { parseChange, parseRegistration } from '#core/clients/client-input.ts'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { wholeMetadata } from '#core/clients/presets.ts'
import { AppError } from '#platform/errors.ts'

const CODE = 'authorization_code'
const REFRESH = 'refresh_token'
const named = { name: 'Television' }
const redirect_uris = ['https://app.example/callback']
const app = { ...named, redirect_uris }

function flows(draft: ClientDraft): unknown {
  const { grant_types, response_types } = wholeMetadata(draft)
  return [grant_types, response_types]
}

describe('a client that registers', () => {
  test.each([
    ['as before without the device flow', app, [[CODE, REFRESH], ['code']]],
    ['as before with the device flow off', { ...app, device_flow: false }, [[CODE, REFRESH], ['code']]],
    ['with both flows', { ...app, device_flow: true }, [[CODE, REFRESH, DEVICE_GRANT], ['code']]],
    ['for devices only', { ...named, device_flow: true }, [[REFRESH, DEVICE_GRANT], []]],
    ['as a device that is public', { ...named, type: 'native', device_flow: true }, [[REFRESH, DEVICE_GRANT], []]],
    [
      'for devices only by its metadata',
      { ...named, type: 'native', metadata: { grant_types: [DEVICE_GRANT, REFRESH], response_types: [] } },
      [[DEVICE_GRANT, REFRESH], []],
    ],
    [
      'for devices by its metadata and a redirect URI, as it says',
      { ...app, metadata: { grant_types: [CODE, DEVICE_GRANT] } },
      [[CODE, DEVICE_GRANT], ['code']],
    ],
    ['without refresh tokens', { ...named, device_flow: true, refresh_tokens: 'never' }, [[DEVICE_GRANT], []]],
  ])('has its flows %s', (_how, input, expected) => {
    expect(flows(parseRegistration(input))).toEqual(expected)
  })

  test.each([
    ['without a redirect URI and without the device flow', named, 'redirect_uris', /or the device flow/],
    ['of type spa with the device flow', { ...app, type: 'spa', device_flow: true }, 'grant_types', /spa client has/],
    [
      'of type service with the device flow',
      { ...named, type: 'service', device_flow: true },
      'grant_types',
      /nothing/,
    ],
    [
      'with no flow at all',
      { ...named, metadata: { grant_types: [REFRESH] } },
      'grant_types',
      /has authorization_code/,
    ],
    [
      'for devices only with a response type',
      { ...named, metadata: { grant_types: [DEVICE_GRANT], response_types: ['code'] } },
      'response_types',
      /has none/,
    ],
  ])('is refused %s', (_how, input, field, reason) => {
    expect(fieldsOf(() => parseRegistration(input))[field]).toMatch(reason)
  })
})

describe('a client that changes', () => {
  const both = parseRegistration({ ...app, device_flow: true })
  const devices = parseRegistration({ ...named, device_flow: true })

  test('gains and loses the device flow', () => {
    const plain = parseRegistration(app)
    expect(flows(parseChange(plain, { device_flow: true }))).toEqual(flows(both))
    expect(parseChange(both, { device_flow: false }).registered).toEqual(plain.registered)
  })

  test('of devices only gains the code flow with its first redirect URI', () => {
    expect(flows(parseChange(devices, { redirect_uris }))).toEqual(flows(both))
  })

  test('keeps the grant types that it named, whatever else changes', () => {
    const asNamed = parseRegistration({ ...app, metadata: { grant_types: [CODE] } })
    expect(flows(parseChange(asNamed, { name: 'New' }))).toEqual([[CODE], ['code']])
  })

  test('is refused where no flow would be left', () => {
    expect(fieldsOf(() => parseChange(devices, { device_flow: false }))['redirect_uris']).toMatch(/at least one/)
  })
})

function fieldsOf(refused: () => unknown): Readonly<Record<string, string>> {
  try {
    refused()
  } catch (error) {
    if (error instanceof AppError) return error.fields ?? {}
    throw error
  }
  throw new Error('it was not refused')
}

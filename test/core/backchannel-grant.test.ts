// What a client registers for backchannel authentication, and what is refused by its name.
import { describe, expect, test } from 'vitest'
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import { parseChange, parseRegistration } from '#core/clients/client-input.ts'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { wholeMetadata } from '#core/clients/presets.ts'
import { AppError } from '#platform/errors.ts'

const named = { name: 'Till' }
const endpoint = { backchannel_client_notification_endpoint: 'https://till.example/ciba' }
const ping = { ...named, ciba: 'ping', metadata: endpoint }
const redirect_uris = ['https://till.example/callback']

describe('a client of backchannel authentication', () => {
  test.each([
    ['by poll', { ...named, ciba: 'poll' }, { backchannel_token_delivery_mode: 'poll' }],
    ['by ping', ping, { backchannel_token_delivery_mode: 'ping', ...endpoint }],
    [
      'by its metadata alone',
      { ...named, metadata: { grant_types: [CIBA_GRANT], backchannel_token_delivery_mode: 'poll' } },
      { backchannel_token_delivery_mode: 'poll' },
    ],
  ])('is registered %s, without a redirect URI', (_how, input, expected) => {
    const metadata = wholeMetadata(parseRegistration(input))
    expect(metadata).toMatchObject(expected)
    expect(metadata['grant_types']).toContain(CIBA_GRANT)
    expect(metadata['grant_types']).not.toContain('authorization_code')
  })

  test.each([
    ['by push', { ...named, ciba: 'push' }, 'ciba', /poll or ping; push, where .* is not offered/],
    [
      'by push in its metadata',
      { ...named, metadata: { backchannel_token_delivery_mode: 'push' } },
      'backchannel_token_delivery_mode',
      /push, where .* is not offered/,
    ],
    ['by ping without an address', { ...named, ciba: 'ping' }, Object.keys(endpoint)[0], /needs the https address/],
    [
      'by ping at an address without TLS',
      { ...ping, metadata: { backchannel_client_notification_endpoint: 'http://localhost:9/ciba' } },
      Object.keys(endpoint)[0],
      /has to start with https/,
    ],
    ['by poll with an address', { ...ping, ciba: 'poll' }, Object.keys(endpoint)[0], /Only delivery by ping/],
    [
      'without saying how',
      { ...named, metadata: { grant_types: [CIBA_GRANT] } },
      'backchannel_token_delivery_mode',
      /poll or ping/,
    ],
    ['without the grant type', { ...named, redirect_uris, metadata: endpoint }, Object.keys(endpoint)[0], /no use/],
    ['as spa', { ...named, type: 'spa', redirect_uris, ciba: 'poll' }, 'grant_types', /spa client has/],
    ['as native', { ...named, type: 'native', ciba: 'poll' }, 'grant_types', /native client has/],
    ['as service', { ...named, type: 'service', ciba: 'poll' }, 'grant_types', /nothing else/],
    [
      'with pairwise subjects',
      { ...named, redirect_uris, ciba: 'poll', metadata: { subject_type: 'pairwise' } },
      'subject_type',
      /do not go with CIBA/,
    ],
    [
      'with user codes',
      { ...named, ciba: 'poll', metadata: { backchannel_user_code_parameter: true } },
      'backchannel_user_code_parameter',
      /not a member/,
    ],
  ])('is refused %s', (_how, input, field = '', reason) => {
    expect(fieldsOf(() => parseRegistration(input))[field]).toMatch(reason)
  })

  test('changes from ping to poll and loses its address, gains and loses all of it, beside the device flow', () => {
    const both = parseRegistration({ ...ping, device_flow: true })
    expect(both.registered['grant_types']).toEqual(['refresh_token', DEVICE_GRANT, CIBA_GRANT])
    const polling = parseChange(both, { ciba: 'poll' })
    expect(polling.registered).not.toHaveProperty('backchannel_client_notification_endpoint')
    const devices = parseChange(polling, { ciba: false })
    expect(devices.registered).toEqual({ grant_types: ['refresh_token', DEVICE_GRANT] })
    expect(parseChange(devices, { ciba: 'poll' }).registered).toEqual(polling.registered)
    expect(parseChange(devices, { ciba: false }).registered).toEqual(devices.registered)
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

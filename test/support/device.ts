// A device by hand: what it sends to get a code, and to ask whether somebody approved it.
import { expect } from 'vitest'
import type { RegisteredClient, TestApp } from './app.ts'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { basic, post, token, type Answer } from './protocol.ts'

export interface StartedDevice {
  readonly deviceCode: string
  readonly userCode: string
  /** `verification_uri_complete` */
  readonly complete: string
}

/** Gets a code as the client, from a device that calls itself as `userAgent` says. */
export async function authorizeDevice(
  app: TestApp,
  client: RegisteredClient,
  fields: Readonly<Record<string, string>> = {},
  userAgent = 'LivingRoomTV/1.0',
): Promise<StartedDevice> {
  const own = client.secret === undefined ? { client_id: client.client.id } : {}
  const answer = await post(
    `${app.issuer}/device_authorization`,
    { ...own, scope: 'openid email', ...fields },
    { ...basic(client), 'user-agent': userAgent },
  )
  expect(answer.status, answer.body).toBe(200)
  return {
    deviceCode: String(answer.json['device_code']),
    userCode: String(answer.json['user_code']),
    complete: String(answer.json['verification_uri_complete']),
  }
}

export function pollDevice(app: TestApp, client: RegisteredClient, deviceCode: string): Promise<Answer> {
  return token(app, client, { grant_type: DEVICE_GRANT, device_code: deviceCode })
}

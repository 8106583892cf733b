import type { Context, Middleware } from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Services } from '#core/services.ts'
import { artifactKey } from './adapter.ts'
import { holdCodeInAddress } from './device.ts'

/** RFC 8628 §3.2 `interval`, and by how much it grows with each slow_down (§3.5). */
const INTERVAL_SECONDS = 5

/**
 * What the protocol library leaves out of the device flow: `interval` in the answer to the device, and `slow_down`
 * for a device that asks sooner. Polls are counted in the database, so it does not matter which process is asked.
 * A code that was approved meanwhile is redeemed however early the device asks: the limit is on waiting.
 */
export function devicePolling({ artifacts, clock }: Pick<Services, 'artifacts' | 'clock'>): Middleware {
  return async (ctx, next) => {
    if (ctx.path === '/device' && ctx.method !== 'POST') holdCodeInAddress(ctx)
    await next()
    const { body } = ctx
    if (ctx.method !== 'POST' || !isMembers(body)) return

    if (ctx.path === '/device_authorization' && ctx.status === 200) body['interval'] = INTERVAL_SECONDS

    const deviceCode = ctx.path === '/token' ? deviceCodeIn(ctx) : undefined
    if (deviceCode === undefined || body['error'] !== 'authorization_pending') return
    if (await artifacts.poll(artifactKey('DeviceCode', deviceCode), clock.now(), INTERVAL_SECONDS)) return
    ctx.body = { error: 'slow_down', error_description: 'the device asks too often; wait 5 seconds longer from now on' }
  }
}

function deviceCodeIn(ctx: Context): string | undefined {
  // boundary: the library leaves its context on the request that it answered
  const { oidc } = ctx as Context & Partial<Pick<KoaContextWithOIDC, 'oidc'>>
  const value = oidc?.params?.['device_code']
  return typeof value === 'string' ? value : undefined
}

function isMembers(body: unknown): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype
}

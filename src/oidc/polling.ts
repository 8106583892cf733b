import type { Context, Middleware } from 'koa'
import type { Services } from '#core/services.ts'
import { onPaths } from '#platform/http/on-paths.ts'
import { artifactKey } from './adapter.ts'
import { holdCodeInAddress } from './device.ts'
import { oidcOf } from './library-context.ts'

/** RFC 8628 §3.2 and CIBA Core 1.0 §7.3 `interval`, and by how much it grows with each slow_down. */
const INTERVAL_SECONDS = 5

/** Where what is polled for is begun, the library's model of it, and its name at the token endpoint. */
const POLLED = [
  { begun: '/device_authorization', model: 'DeviceCode', parameter: 'device_code' },
  { begun: '/backchannel_authentication', model: 'BackchannelAuthenticationRequest', parameter: 'auth_req_id' },
] as const

const CONCERNED = new Set<string>(['/device', '/token', ...POLLED.map(({ begun }) => begun)])

/**
 * What the protocol library leaves out of the flows in which a client waits for a person: `interval` in the first
 * answer, and `slow_down` for who asks sooner. Polls are counted in the database, so it does not matter which process
 * is asked. What was approved meanwhile is redeemed however early the client asks: the limit is on waiting.
 */
export function polling({ artifacts, clock }: Pick<Services, 'artifacts' | 'clock'>): Middleware {
  return onPaths(CONCERNED, async (ctx, next) => {
    if (ctx.path === '/device' && ctx.method !== 'POST') holdCodeInAddress(ctx)
    await next()
    const { body } = ctx
    if (ctx.method !== 'POST' || !isMembers(body)) return

    if (ctx.status === 200 && POLLED.some(({ begun }) => begun === ctx.path)) body['interval'] = INTERVAL_SECONDS

    const key = ctx.path === '/token' && body['error'] === 'authorization_pending' ? keyOfPolled(ctx) : undefined
    if (key === undefined || (await artifacts.poll(key, clock.now(), INTERVAL_SECONDS))) return
    ctx.body = { error: 'slow_down', error_description: 'this is asked too often; wait 5 seconds longer from now on' }
  })
}

function keyOfPolled(ctx: Context): string | undefined {
  const params = oidcOf(ctx)?.params
  for (const { model, parameter } of POLLED) {
    const value = params?.[parameter]
    if (typeof value === 'string') return artifactKey(model, value)
  }
  return undefined
}

function isMembers(body: unknown): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && Object.getPrototypeOf(body) === Object.prototype
}

import type { Middleware } from 'koa'
import type { Services } from '#core/services.ts'
import { addressList } from '#platform/address-list.ts'
import { onPaths } from '#platform/http/on-paths.ts'
import { factsOf, isFromTrustedProxy } from '#platform/http/request-facts.ts'
import { isProof, sealedTestimony, WITNESS_PATH } from './witness.ts'

/** GET /doctor, with a proof of the master key; for anybody else there is no such page, and a wrong proof is a guess. */
export function witnessRoute({ secrets, clock, guesses, settings: { clientCertificates } }: Services): Middleware {
  const trusted = addressList(clientCertificates.trustedProxies)
  return onPaths(new Set([WITNESS_PATH]), async (ctx, next) => {
    const proof = /^Bearer (\d{1,12}\.[\w-]+)$/.exec(ctx.get('Authorization'))?.[1]
    if (ctx.method !== 'GET' || proof === undefined) return next()
    if (!isProof(proof, clock.now(), secrets)) {
      const hint = 'Run latchkey doctor with the master key of the server that it asks, and with the right time.'
      const request = factsOf(ctx.req)
      // each proof differs, and none tells which key made it: all wrong ones are alike
      await guesses.countWrongSecret({ event: 'guessing.token', request, of: WITNESS_PATH, secret: 'a proof', hint })
      return next()
    }
    const { header } = clientCertificates
    const told = {
      clientAddress: factsOf(ctx.req).clientAddress,
      peerAddress: ctx.req.socket.remoteAddress ?? '',
      peerIsTrusted: isFromTrustedProxy(ctx.req, trusted),
      forwardedFor: ctx.get('X-Forwarded-For'),
      host: ctx.get('Host'),
      certificate: header === undefined ? '' : ctx.get(header),
    }
    ctx.set('Cache-Control', 'no-store')
    ctx.body = sealedTestimony(told, proof, secrets)
  })
}

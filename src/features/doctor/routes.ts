import type { Middleware } from 'koa'
import type { Services } from '#core/services.ts'
import { addressList } from '#platform/address-list.ts'
import { factsOf, isFromTrustedProxy } from '#platform/http/request-facts.ts'
import { isProof, sealedTestimony, WITNESS_PATH } from './witness.ts'

/** GET /doctor, with a proof of the master key; for anybody else there is no such page. */
export function witnessRoute({ secrets, clock, settings: { clientCertificates } }: Services): Middleware {
  const trusted = addressList(clientCertificates.trustedProxies)
  return async (ctx, next) => {
    const proof = /^Bearer (\d{1,12}\.[\w-]+)$/.exec(ctx.get('Authorization'))?.[1]
    const isAsked = ctx.path === WITNESS_PATH && ctx.method === 'GET'
    if (!isAsked || proof === undefined || !isProof(proof, clock.now(), secrets)) return next()
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
  }
}

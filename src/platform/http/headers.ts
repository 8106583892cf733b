import helmet from 'koa-helmet'
import type { Middleware } from 'koa'

const YEAR_SECONDS = 31_536_000

/**
 * Security headers for every answer, set before the handlers run: the protocol library adds the hash of its
 * auto-submit script to the script-src that it finds.
 *
 * form-action is left out on purpose: browsers apply it to every redirect that follows a form, so it would cut the
 * way back to relying parties that redirect on to another of their hosts. Referrer-Policy no-referrer makes browsers
 * send `Origin: null` with our own forms, which `refuseForeignOrigin` knows.
 */
export function securityHeaders(https: boolean): Middleware {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'https:', 'data:'],
        'font-src': ["'self'"],
        'base-uri': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    strictTransportSecurity: https ? { maxAge: YEAR_SECONDS, includeSubDomains: false } : false,
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  })
}

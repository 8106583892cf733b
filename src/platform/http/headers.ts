import type { Context, Middleware } from 'koa'
import helmet from 'koa-helmet'

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
  const headers = headersOf(
    helmet({
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
    }),
  )
  return ({ res }, next) => {
    res.setHeaders(headers)
    return next()
  }
}

/** Helmet sets the same on every answer, so it is asked once: its dozen of middleware, and promises, cost some 10 µs. */
function headersOf(middleware: Middleware): Map<string, string> {
  const headers = new Map<string, string>()
  const res = { setHeader: (name: string, value: string) => headers.set(name, value), removeHeader() {} }
  // boundary: all of a request that Helmet touches, and it does so at once
  void middleware({ req: {}, res } as unknown as Context, async () => {})
  return headers
}

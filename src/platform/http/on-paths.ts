import type { Middleware } from 'koa'

/**
 * Middleware for some paths. On the others it is passed without a promise being made: of some twenty that stand around
 * the protocol library, three or four concern a request.
 */
export function onPaths(paths: ReadonlySet<string>, middleware: Middleware): Middleware {
  return (ctx, next) => (paths.has(ctx.path) ? middleware(ctx, next) : next())
}

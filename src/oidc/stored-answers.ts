/**
 * Endpoints whose answer stands on several rows. Those of tokens, devices and sign-outs are stored in one commit, before
 * the answer is given. What is refused is stored too, since it may have ended a family of tokens; after a failure of ours
 * nothing of the request is left, so it may come again as it is (RFC 7009 §2.2.1 says so of 503). Those of a sign-in have
 * one commit where it costs nobody anything. docs/decisions/024-one-commit-per-answer.md says why, and why the other
 * endpoints do without.
 */
import type { Middleware } from 'koa'
import type { Services } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { notStored } from '#platform/database/unit.ts'

const IN_ONE_COMMIT = /^\/(token|revoke|device(\/[^/]+)?|logout\/confirm)$/
const GATHERED = /^\/(authorize|interaction)(\/|$)/

/** @throws AppError(unavailable) instead of any answer with a status from 500 */
export function storedAnswers({ database }: Pick<Services, 'database'>): Middleware {
  const stored: Middleware = async (ctx, next) => {
    let refusal: AppError | undefined
    await database.together(async () => {
      try {
        await next()
        return ctx.status < 500
      } catch (error) {
        if (!isRefusal(error)) throw error instanceof AppError ? error : notStored(error)
        refusal = error
        return true
      }
    })
    if (refusal) throw refusal
    // the library has told its log why
    if (ctx.status >= 500) throw notStored()
  }
  return (ctx, next) => (IN_ONE_COMMIT.test(ctx.path) ? stored(ctx, next) : next())
}

/** The authorization endpoint and the pages of a sign-in: what one request stores there costs one wait for the disk. */
export function gatheredWrites({ database }: Pick<Services, 'database'>): Middleware {
  return (ctx, next) => (GATHERED.test(ctx.path) ? database.gathered(next) : next())
}

function isRefusal(error: unknown): error is AppError {
  return error instanceof AppError && error.code !== 'unavailable' && error.code !== 'configuration'
}

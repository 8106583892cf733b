import type { Middleware } from 'koa'
import type { Services } from '#core/services.ts'
import { AppError } from '#platform/errors.ts'
import { oidcOf } from './library-context.ts'

/**
 * A new password ends what stands on the old one, as far as it is stored. A sign-in under way at that moment is stored a
 * little later, so once its session is there the account is looked at again: where it was changed since the person
 * proved to be them, all that stands on it ends once more, and they sign in anew.
 */
export function endOvertakenSignIns({ accounts, artifacts }: Pick<Services, 'accounts' | 'artifacts'>): Middleware {
  return async (ctx, next) => {
    await next()
    const login = oidcOf(ctx)?.result?.login
    if (!login || (await accounts.settledChange(login.accountId)) === login['accountChangedAt']) return
    await artifacts.removeByAccount(login.accountId)
    throw new AppError('expired', 'The account was changed during this sign-in.', {
      hint: 'Go back to the app and sign in again.',
    })
  }
}

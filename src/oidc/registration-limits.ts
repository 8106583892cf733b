import type { Context } from 'koa'
import type { Services } from '#core/services.ts'
import { attemptCounters } from '#platform/database/attempt-counter.ts'
import { AppError } from '#platform/errors.ts'
import { networkOf } from '#platform/http/network.ts'
import { factsOf } from '#platform/http/request-facts.ts'

const OF_ONE_NETWORK = { most: 100, seconds: 3_600, from: 'first' } as const
const OF_ALL = { most: 1_000, seconds: 3_600, from: 'first' } as const

/**
 * Counts requests to register where anybody may send them.
 * @throws AppError(too_many_attempts) from the function it gives
 */
export function limitRegistrations({ database, clock, secrets }: Pick<Services, 'database' | 'clock' | 'secrets'>) {
  const counters = attemptCounters(database.db.withTables())
  const keyOf = (who: string) => secrets.keyedDigest('attempts', `registration\0${who}`)
  return async (ctx: Context): Promise<void> => {
    const network = networkOf(factsOf(ctx.req).clientAddress)
    const limits = [
      { key: keyOf(network), ...OF_ONE_NETWORK },
      { key: keyOf(''), ...OF_ALL },
    ]
    const wait = await counters.count(limits, clock.now())
    if (wait === undefined) return
    throw new AppError('too_many_attempts', 'Too many applications were registered from here.', {
      hint: 'Try again later, or ask the operator to register the application.',
      retryAfterSeconds: wait,
    })
  }
}

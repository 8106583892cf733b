/**
 * How many wrong passwords are looked at before the next one is not. A guess is counted before its hash is computed, in
 * the database, so of guesses made at once, in whatever process, no more are looked at than a budget holds; the right
 * password is given back. Names that nobody has are counted like all others, so that a budget tells nothing.
 *
 * The budgets of a browser in which the person signed in before are its own: whoever guesses elsewhere does not lock
 * the person out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 */
import type { Kysely } from 'kysely'
import type { Secrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import {
  countAttempt,
  forgetAttempts,
  giveBackAttempt,
  type AttemptLimit,
  type AttemptTables,
} from '#platform/database/attempt-counter.ts'
import { AppError } from '#platform/errors.ts'

/** Where a guess comes from. */
export interface Guesser {
  /** The address, or the /64 of an IPv6 address. */
  readonly network: string
  /** Names the browser, if whoever has this name signed in there before. */
  readonly knownBrowser: string | undefined
}

export interface PasswordGuesses {
  /** @param name as it is looked up, see `signInKey` @throws AppError(too_many_attempts) for one guess too many */
  count(name: string, guesser: Guesser): Promise<void>
  /** The guess was right: forgets those before it that were not. */
  wasRight(name: string, guesser: Guesser): Promise<void>
  /** Forgets what was guessed wrong for these names, in the caller's transaction. */
  forget(db: Kysely<Tables>, names: readonly string[]): Promise<void>
}

const QUARTER_OF_AN_HOUR = 900
const THIRTY_DAYS = 30 * 86_400

/** A person has two names, user name and e-mail address, so an account takes ten in a quarter of an hour. */
const OF_A_NAME = { most: 5, seconds: QUARTER_OF_AN_HOUR, from: 'last' } as const

/** With both names 100 wrong ones in a row (NIST SP 800-63B-4 §3.2.2); who waits a month is slower than chance. */
const IN_A_ROW = { most: 50, seconds: THIRTY_DAYS, from: 'first' } as const

/** For whoever tries one password on many names. */
const OF_A_NETWORK = { most: 50, seconds: QUARTER_OF_AN_HOUR, from: 'first' } as const

/** For whoever does so from many networks. */
const OF_ALL = { most: 5_000, seconds: QUARTER_OF_AN_HOUR, from: 'first' } as const

export function passwordGuesses(db: Kysely<Tables>, secrets: Secrets, clock: Clock): PasswordGuesses {
  const keyOf = (...parts: readonly string[]) => secrets.keyedDigest('attempts', ['password', ...parts].join('\0'))

  const ofName = (name: string, browser = ''): readonly AttemptLimit[] => [
    { key: keyOf('name', browser, name), ...OF_A_NAME },
    { key: keyOf('row', browser, name), ...IN_A_ROW },
  ]
  /** In this order everywhere: transactions that meet wait for each other, and never in a circle. */
  const shared = ({ network, knownBrowser }: Guesser): Readonly<Record<string, readonly AttemptLimit[]>> =>
    knownBrowser === undefined
      ? {
          network: [{ key: keyOf('network', network), ...OF_A_NETWORK }],
          server: [{ key: keyOf('all'), ...OF_ALL }],
        }
      : {}

  const counters: Kysely<AttemptTables> = db.withTables()

  return {
    count: (name, guesser) =>
      // one refusal takes the others back, so a guess that nobody looked at uses up nothing
      counters.transaction().execute(async (transaction) => {
        const budgets = { account: ofName(name, guesser.knownBrowser), ...shared(guesser) }
        for (const [budget, limits] of Object.entries(budgets)) {
          const wait = await countAttempt(transaction, limits, clock.now())
          if (wait !== undefined) throw tooManyPasswords(wait, `guessing.${budget}`)
        }
      }),

    wasRight: (name, guesser) =>
      counters.transaction().execute(async (transaction) => {
        await forgetAttempts(transaction, ofName(name, guesser.knownBrowser))
        await giveBackAttempt(transaction, Object.values(shared(guesser)).flat())
      }),

    forget: (inTransaction, names) =>
      forgetAttempts(
        inTransaction.withTables(),
        names.flatMap((name) => ofName(name)),
      ),
  }
}

function tooManyPasswords(retryAfterSeconds: number, rule: string): AppError {
  return new AppError('too_many_attempts', 'Too many wrong passwords were sent; this one was not looked at.', {
    hint: 'Wait, or sign in with a browser that you signed in with before.',
    retryAfterSeconds,
    rule,
  })
}

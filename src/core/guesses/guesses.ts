/**
 * The one home of guesses. Every door that takes a secret counts the wrong ones here, whatever the secret is: passwords,
 * codes of devices, secrets of clients, tokens of registration and of monitoring. A door has budgets of its own (a name, a
 * client); behind them all doors share one of each network and one of the server. They stand in the database, so they
 * hold for all processes and over restarts, and each is taken from by one conditional statement, so of guesses made at
 * once no more get through than it holds. A guess that is refused uses up nothing. What each door counts, and why:
 * docs/decisions/036-guesses.md.
 */
import type { Kysely } from 'kysely'
import type { Audit } from '#core/audit/audit.ts'
import type { GuessingEvent } from '#core/audit/event.ts'
import type { Secrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import { attemptCounters, type AttemptLimit, type AttemptTables } from '#platform/database/attempt-counter.ts'
import type { Database } from '#platform/database/open.ts'
import { AppError, type AppErrorDetails } from '#platform/errors.ts'
import { networkOf } from '#platform/http/network.ts'
import type { RequestFacts } from '#platform/http/request-facts.ts'
import type { Log } from '#platform/log.ts'
import { guessingPatterns, PATTERNS, type Pattern } from './patterns.ts'

/** How many guesses it holds, and the event that it is when there are more. */
export interface Budget extends Omit<AttemptLimit, 'key'> {
  readonly event: Exclude<GuessingEvent, Pattern>
  /** Whose it is; the database keeps a keyed digest. */
  readonly of: readonly string[]
}

export interface Guess {
  readonly request: RequestFacts
  /** The door's own budgets, taken from first: whom they refuse uses up nothing that others share. */
  readonly own: readonly Budget[]
  /** Takes nothing from what all share, and is not refused by it. */
  readonly apart?: boolean
  /** Of guesses alike, what all share counts one. */
  readonly alike?: readonly string[]
  /** What the reader can do about a refusal. */
  readonly advice: Pick<AppErrorDetails, 'hint' | 'told'>
}

/** A secret too long to be guessed that was found wrong. */
export interface WrongSecret {
  readonly event: 'guessing.client_secret' | 'guessing.token'
  readonly request: RequestFacts
  /** What it was sent for, such as a client's id. */
  readonly of: string
  /** The same again is a mistake that repeats itself, such as of an application with an old secret. */
  readonly secret: string
  readonly hint: string
}

export interface Guesses {
  /** Before it is looked at. @throws AppError(too_many_attempts) for one guess too many */
  count(guess: Guess): Promise<void>
  /** The guess was right. 'forget' begins the door's own budgets anew, 'give-back' takes back this guess only. */
  wasRight(guess: Guess, what: 'forget' | 'give-back'): Promise<void>
  /** Begins budgets anew, in the caller's transaction. */
  forget(db: Kysely<Tables>, budgets: readonly Budget[]): Promise<void>
  /**
   * After it was looked at, so that the right one costs no look at the budgets and is always taken: nobody guesses it.
   * @throws AppError(too_many_attempts) for one too many
   */
  countWrongSecret(wrong: WrongSecret): Promise<void>
  /** A password was wrong: puts on record where many of them together are an attack. */
  sawWrongPassword(guess: { readonly request: RequestFacts; readonly name: string; readonly password: string }): void
}

const QUARTER_OF_AN_HOUR = 900
const OF_A_NETWORK = { event: 'guessing.network', most: 50, seconds: QUARTER_OF_AN_HOUR, from: 'first' } as const
const OF_THE_SERVER = { event: 'guessing.server', most: 5_000, seconds: QUARTER_OF_AN_HOUR, from: 'first' } as const
/** Of one client, or one door for tokens, from one network. */
const OF_WRONG_SECRETS = { most: 20, seconds: QUARTER_OF_AN_HOUR, from: 'last' } as const
const FIRST_OF_ALIKE = { most: 1, seconds: QUARTER_OF_AN_HOUR, from: 'first' } as const

export interface GuessesNeeds {
  readonly database: Database<Tables>
  readonly secrets: Pick<Secrets, 'keyedDigest'>
  readonly clock: Clock
  readonly audit: Pick<Audit, 'refused'>
  readonly log: Pick<Log, 'warn'>
}

export function createGuesses({ database: { db, apart }, secrets, clock, audit, log }: GuessesNeeds): Guesses {
  const tables: Kysely<AttemptTables> = db.withTables()
  const counters = attemptCounters(tables)
  const patterns = guessingPatterns(clock)
  const keyed = <T extends { readonly of: readonly string[] }>({ of, ...budget }: T) => ({
    ...budget,
    key: secrets.keyedDigest('attempts', of.join('\0')),
  })

  /** Those that a guess takes from, in this order everywhere: transactions that meet wait, and never in a circle. */
  const budgetsOf = ({ own, alike, request, apart = false }: Guess) => ({
    own: own.map(keyed),
    once: (alike ? [{ of: ['alike', ...alike], ...FIRST_OF_ALIKE }] : []).map(keyed),
    shared: (apart ? [] : sharedBudgets(request)).map(keyed),
  })

  /** One look, without a lock, so that a flood costs no more; what two see at once is decided where they are counted. */
  const refuseWhereUsedUp = async (guess: Guess): Promise<void> => {
    const { own, once, shared } = budgetsOf(guess)
    const waits = await counters.waitsFor([...own, ...once, ...shared], clock.now())
    const isRepeated = once.some(({ key }) => waits.has(key))
    for (const { key, event } of isRepeated ? own : [...own, ...shared]) {
      const wait = waits.get(key)
      if (wait !== undefined) throw tooMany(event, wait, guess.advice)
    }
  }

  const takeFromBudgets = (guess: Guess): Promise<void> =>
    // one refusal takes the others back, so a guess that nobody looked at uses up nothing
    tables.transaction().execute(async (transaction) => {
      const { own, once, shared } = budgetsOf(guess)
      const takeFrom = async (budgets: typeof own): Promise<void> => {
        for (const budget of budgets) {
          const wait = await counters.count([budget], clock.now(), transaction)
          if (wait !== undefined) throw tooMany(budget.event, wait, guess.advice)
        }
      }
      await takeFrom(own)
      if ((await counters.count(once, clock.now(), transaction)) === undefined) await takeFrom(shared)
    })

  // for all to see before it is looked at, whatever becomes of the request
  const count: Guesses['count'] = (guess) => apart(() => takeFromBudgets(guess))

  return {
    count,

    async wasRight(guess, what) {
      const { own, shared } = budgetsOf(guess)
      await (what === 'forget' ? counters.forget(own) : counters.giveBack(own))
      await counters.giveBack(shared)
    },

    forget: (transaction, budgets) => counters.forget(budgets.map(keyed), transaction.withTables()),

    async countWrongSecret({ event, request, of, secret, hint }) {
      const here = [event, networkOf(request.clientAddress), of]
      const own = [{ event, of: here, ...OF_WRONG_SECRETS }]
      const guess: Guess = { request, own, alike: [...here, secret], advice: { hint } }
      await refuseWhereUsedUp(guess)
      await count(guess)
    },

    sawWrongPassword({ request, name, password }) {
      const network = networkOf(request.clientAddress)
      for (const pattern of patterns.see({ network, name, password })) {
        const { rule, facts } = PATTERNS[pattern]
        log.warn({ id: request.id, event: pattern, ...facts }, rule)
        audit.refused({ type: pattern, by: { kind: 'unknown', request }, rule, facts })
      }
    },
  }
}

function sharedBudgets({ clientAddress }: RequestFacts): readonly Budget[] {
  return [
    { of: ['network', networkOf(clientAddress)], ...OF_A_NETWORK },
    { of: ['server'], ...OF_THE_SERVER },
  ]
}

const MESSAGES: Readonly<Record<Budget['event'], string>> = {
  'guessing.account': 'Too many wrong passwords were sent for this name; this one was not looked at.',
  'guessing.user_code': 'Too many codes were typed that are not right; this one was not looked at.',
  'guessing.client_secret': 'Too many wrong client secrets came from here.',
  'guessing.token': 'Too many wrong tokens came from here.',
  'guessing.network': 'Too many wrong passwords, codes, secrets and tokens came from this network.',
  'guessing.server': 'Too many wrong passwords, codes, secrets and tokens came from many networks.',
}

function tooMany(event: Budget['event'], retryAfterSeconds: number, advice: Guess['advice']): AppError {
  return new AppError('too_many_attempts', MESSAGES[event], { ...advice, retryAfterSeconds, rule: event })
}

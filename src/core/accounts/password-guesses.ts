/**
 * How many wrong passwords are looked at before the next one is not. A guess is counted before its hash is computed;
 * names that nobody has are counted like all others, so that a budget tells nothing.
 *
 * The budgets of a browser in which the person signed in before are its own: whoever guesses elsewhere does not lock
 * the person out (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
 */
import type { Kysely } from 'kysely'
import type { Budget, Guess, Guesses } from '#core/guesses/guesses.ts'
import type { Tables } from '#core/tables.ts'
import type { RequestFacts } from '#platform/http/request-facts.ts'

/** Where a guess comes from. */
export interface Guesser {
  readonly request: RequestFacts
  /** Names the browser, if whoever has this name signed in there before. */
  readonly knownBrowser: string | undefined
}

export interface PasswordGuesses {
  /** @param name as it is looked up, see `signInKey` @throws AppError(too_many_attempts) for one guess too many */
  count(name: string, guesser: Guesser): Promise<void>
  /** The guess was right: forgets those before it that were not. */
  wasRight(name: string, guesser: Guesser): Promise<void>
  wasWrong(name: string, password: string, guesser: Guesser): void
  /** Forgets what was guessed wrong for these names, in the caller's transaction. */
  forget(db: Kysely<Tables>, names: readonly string[]): Promise<void>
}

/** A person has two names, user name and e-mail address, so an account takes ten in a quarter of an hour. */
const OF_A_NAME = { event: 'guessing.account', most: 5, seconds: 900, from: 'last' } as const

/** With both names 100 wrong ones in a row (NIST SP 800-63B-4 §3.2.2); who waits a month is slower than chance. */
const IN_A_ROW = { event: 'guessing.account', most: 50, seconds: 30 * 86_400, from: 'first' } as const

export function passwordGuesses(guesses: Guesses): PasswordGuesses {
  return {
    count: (name, guesser) => guesses.count(guessOf(name, guesser)),
    wasRight: (name, guesser) => guesses.wasRight(guessOf(name, guesser), 'forget'),

    wasWrong(name, password, { request, knownBrowser }) {
      if (knownBrowser === undefined) guesses.sawWrongPassword({ request, name, password })
    },

    forget: (inTransaction, names) =>
      guesses.forget(
        inTransaction,
        names.flatMap((name) => ofName(name)),
      ),
  }
}

function guessOf(name: string, { request, knownBrowser }: Guesser): Guess {
  return {
    request,
    own: ofName(name, knownBrowser),
    apart: knownBrowser !== undefined,
    advice: { hint: 'Wait, or sign in with a browser that you signed in with before.' },
  }
}

function ofName(name: string, browser = ''): readonly Budget[] {
  return [
    { of: ['password', 'name', browser, name], ...OF_A_NAME },
    { of: ['password', 'row', browser, name], ...IN_A_ROW },
  ]
}

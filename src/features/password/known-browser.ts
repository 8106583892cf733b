import type { Context } from 'koa'
import { signInKey, signInKeysOf } from '#core/accounts/account-keys.ts'
import type { Account } from '#core/accounts/account.ts'
import { equalSecrets, randomToken, type Secrets } from '#core/secrets.ts'
import type { Services } from '#core/services.ts'

export interface KnownBrowsers {
  /** The browser's own name, if whoever is named so signed in with it before. @param typed user name or e-mail address */
  find(ctx: Context, typed: string): string | undefined
  /** From now on the browser is one that the person signed in with. */
  remember(ctx: Context, account: Account): void
}

const DAY = 86_400
const KNOWN_SECONDS = 180 * DAY
/** Four people with two names each may share a browser; who signed in longest ago is forgotten first. */
const MOST_NAMES = 8
/** As they are written below; whatever else stands in the cookie was put there by somebody else. */
const NAME = /^[\w-]{43}$/
const ENTRY = /^\d{10,}~[\w-]{43}$/

/**
 * Tells the browsers in which a person signed in before from all others, by a cookie that the browser keeps: its own
 * random name, and for each person a keyed digest over both names and the end. It proves nothing but that, and is worth
 * a budget of wrong passwords of its own (see password-guesses.ts).
 */
export function knownBrowsers({
  secrets,
  settings,
  clock,
}: Pick<Services, 'secrets' | 'settings' | 'clock'>): KnownBrowsers {
  const cookie = `${settings.issuer.startsWith('https:') ? '__Host-' : ''}latchkey_browser`

  const read = (ctx: Context): { id: string | undefined; people: readonly string[] } => {
    const [id = '', ...people] = (ctx.cookies.get(cookie, { signed: false }) ?? '').split('.')
    return {
      id: NAME.test(id) ? id : undefined,
      people: people.filter((entry) => ENTRY.test(entry)).slice(0, MOST_NAMES),
    }
  }

  /** Does the entry say that whoever is named so signed in with this browser, and does it still hold? */
  const isOf = (entry: string, id: string, name: string): boolean => {
    const endsAt = Number(entry.split('~', 1))
    return endsAt > clock.now() && equalSecrets(entry, entryOf(secrets, id, name, endsAt))
  }

  return {
    find(ctx, typed) {
      const { id, people } = read(ctx)
      const name = signInKey(typed)?.key
      const isKnown = id !== undefined && name !== undefined && people.some((entry) => isOf(entry, id, name))
      return isKnown ? id : undefined
    },

    remember(ctx, account) {
      const { id = randomToken(), people } = read(ctx)
      const names = signInKeysOf(account)
      const others = people.filter((entry) => !names.some((name) => isOf(entry, id, name)))
      const own = names.map((name) => entryOf(secrets, id, name, clock.now() + KNOWN_SECONDS))
      ctx.cookies.set(cookie, [id, ...own, ...others].slice(0, 1 + MOST_NAMES).join('.'), {
        signed: false,
        httpOnly: true,
        sameSite: 'lax',
        maxAge: KNOWN_SECONDS * 1_000,
        overwrite: true,
      })
    },
  }
}

function entryOf(secrets: Secrets, browser: string, name: string, endsAt: number): string {
  return `${endsAt}~${secrets.keyedDigest('known-browser', [browser, name, endsAt].join('\0'))}`
}

/**
 * The language of an answer: what the request's own parameters wish for goes before the browser's setting, and that
 * before the server's. It is asked for when a page is drawn, since some parameters are known late.
 */
import type { Context, Middleware } from 'koa'
import { attached } from '#platform/attached.ts'

/** The languages that pages are written in, as BCP 47 tags. A new one is asked for in every words.json. */
export const LOCALES = ['de', 'en', 'es', 'fr'] as const
export type Locale = (typeof LOCALES)[number]

interface Wishes {
  readonly fallback: Locale
  readonly asked: () => unknown
}

const wishes = attached<Wishes>()

/** Before everything that draws a page. @param fallback where nothing that is wished for is spoken */
export function language(fallback: Locale): Middleware {
  return (ctx, next) => {
    wishes.to(ctx.req, { fallback, asked: () => undefined })
    return next()
  }
}

/** Sets what goes before the browser's setting: language tags by preference, separated by spaces; untrusted. */
export function askForLanguage(ctx: Pick<Context, 'req'>, asked: () => unknown): void {
  wishes.to(ctx.req, { ...wishesFor(ctx), asked })
}

/** The language that was asked for by `askForLanguage`, if it is one of ours. */
export function askedLocale(ctx: Pick<Context, 'req'>): Locale | undefined {
  const asked = wishesFor(ctx).asked()
  return typeof asked === 'string' ? lookUp(asked.split(' ')) : undefined
}

/** The language to answer in. */
export function localeOf(ctx: Pick<Context, 'req' | 'get'>): Locale {
  return askedLocale(ctx) ?? lookUp(acceptedRanges(ctx.get('Accept-Language'))) ?? wishesFor(ctx).fallback
}

function wishesFor({ req }: Pick<Context, 'req'>): Wishes {
  const found = wishes.of(req)
  if (!found) throw new Error('the request has no language: the middleware `language` goes before what draws pages')
  return found
}

/**
 * RFC 4647 §3.4: each range in turn, shortened from its end until it is a language of ours; ours have one subtag, so
 * the first of the range decides.
 */
function lookUp(ranges: readonly string[]): Locale | undefined {
  for (const range of ranges) {
    const [primary] = range.toLowerCase().split('-', 1)
    const found = LOCALES.find((locale) => locale === primary)
    if (found) return found
  }
  return undefined
}

/** The ranges of Accept-Language (RFC 9110 §12.5.4), the best liked first; those with a weight of 0 are not wanted. */
function acceptedRanges(header: string): string[] {
  return header
    .split(',')
    .map((entry) => {
      const [range = '', weight = 'q=1'] = entry.split(';').map((part) => part.trim())
      return { range, weight: Number(/^q=([01](?:\.\d{0,3})?)$/i.exec(weight)?.[1] ?? 0) }
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((one, other) => other.weight - one.weight)
    .map(({ range }) => range)
}

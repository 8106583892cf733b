/**
 * What a setting may be: schemas and rules for the table in config.ts. Their messages are read by operators: each
 * continues the setting's name and names the remedy.
 */
import { z } from 'zod'
import { parseMasterKey } from '#core/master-key.ts'
import { addressList } from '#platform/address-list.ts'
import { kindOf } from '#platform/database/dialects/index.ts'
import { AppError } from '#platform/errors.ts'
import { Secret } from '#platform/secret.ts'
import type { Setting } from '#platform/settings.ts'

export function setting<T>(definition: Setting<T>): Setting<T> {
  return definition
}

export function seconds(
  name: string,
  fallback: number,
  [least, most]: readonly [number, number],
  sentence: string,
): Setting<number> {
  return { name, schema: wholeNumber(least, most), default: String(fallback), sentence: `${sentence} In seconds.` }
}

export function wholeNumber(
  least: number,
  most: number,
  message = `must be a whole number from ${least} to ${most}`,
): z.ZodType<number> {
  return z
    .string()
    .regex(/^\d+$/, message)
    .transform(Number)
    .refine((value) => value >= least && value <= most, message)
}

export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}

/** Turns a rule that gives a sentence into a check of a schema. */
export function refine<T>(problem: (value: T) => string | undefined) {
  return (value: T, context: z.RefinementCtx): void => {
    const message = problem(value)
    if (message !== undefined) context.addIssue({ code: 'custom', message })
  }
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

export function issuerProblem(issuer: string): string | undefined {
  const url = URL.parse(issuer)
  if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    return 'must be a URL that starts with https:// (or http://localhost for trying out)'
  if (url.protocol === 'http:' && !LOOPBACK.has(url.hostname))
    return 'must start with https:// unless its host is localhost, 127.0.0.1 or [::1]'
  if (url.search !== '' || url.hash !== '' || issuer.includes('?') || issuer.includes('#'))
    return 'must have no query and no fragment: remove them'
  if (url.username !== '' || url.password !== '') return 'must hold no user name and password: remove them'
  if (issuer.endsWith('/')) return 'must not end with a slash: remove it'
  if (url.href.replace(/\/$/, '') !== issuer) return `must be written as ${url.href.replace(/\/$/, '')}`
  return undefined
}

export function databaseProblem(url: string): string | undefined {
  try {
    kindOf(url)
    return undefined
  } catch (error) {
    return error instanceof AppError
      ? `names no database that Latchkey knows. ${error.hint ?? ''}`.trim()
      : String(error)
  }
}

export function proxiesProblem(entries: readonly string[]): string | undefined {
  try {
    addressList(entries)
    return undefined
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}: list addresses such as 10.1.2.3 or 10.0.0.0/8`
  }
}

export function masterKeys(text: string, context: z.RefinementCtx): Secret<readonly Buffer[]> {
  try {
    return new Secret(words(text).map((key) => parseMasterKey(key, 'it')))
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof AppError ? error.message : String(error) })
    return z.NEVER
  }
}

/**
 * How claims are written on one line, on a command line for one: `name=value` for a person, `name=source@scope` for a
 * client.
 */
import { CUSTOM, SOURCES, type ClaimRule } from './claim-rules.ts'

/**
 * Reads `name=value`. The value is JSON where it can be read as JSON, else text; a number that would not come back as it
 * was written (007, 1.0, 12345678901234567890) is text. Undefined where there is no `=`.
 */
export function parseClaimValue(text: string): readonly [name: string, value: unknown] | undefined {
  const [name, written] = halves(text)
  return written === undefined ? undefined : [name, valueIn(written)]
}

/**
 * Reads `name`, `name=source` or `name="JSON for everybody"`, each with `@scope` behind it if it hangs on a scope. A name
 * alone is what is known under that name: a standard source, else the custom claim. It judges nothing.
 */
export function parseClaimRule(text: string): ClaimRule {
  const [claim, written] = halves(text)
  if (written !== undefined && isJson(written)) return { claim, value: JSON.parse(written) }
  const [, from = text, scope] = /^(.*?)(?:@([^@]*))?$/su.exec(written ?? claim) ?? []
  const hangsOn = scope === undefined ? {} : { scope }
  if (written !== undefined && isJson(from)) return { claim, value: JSON.parse(from), ...hangsOn }
  const source = written === undefined && !SOURCES.includes(from) ? `${CUSTOM}${from}` : from
  return { claim: written === undefined ? from : claim, source, ...hangsOn }
}

/** As parseClaimRule reads it. */
export function claimRuleText({ claim, source, value, scope }: ClaimRule): string {
  const from = source ?? JSON.stringify(value)
  return `${claim}=${from}${scope === undefined ? '' : `@${scope}`}`
}

function halves(text: string): readonly [string, string | undefined] {
  const at = text.indexOf('=')
  return at < 0 ? [text.trim(), undefined] : [text.slice(0, at).trim(), text.slice(at + 1)]
}

function valueIn(text: string): unknown {
  if (!isJson(text)) return text
  const value: unknown = JSON.parse(text)
  return typeof value === 'number' && String(value) !== text.trim() ? text : value
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

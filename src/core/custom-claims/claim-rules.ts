/**
 * Which claims a client gets beyond those of its scopes, and under which names: a list of rules in the client's own
 * settings. Each names a claim and what stands in it: something that is known of the person, or one value for everybody.
 */
import { z } from 'zod'
import { isOfferedScope, OFFERED_SCOPES } from '#core/clients/scopes.ts'
import { STANDARD_CLAIMS } from './claim-name.ts'
import { claimName, claimValue } from './custom-claims.ts'

export interface ClaimRule {
  /** Its name in tokens and at userinfo. */
  readonly claim: string
  /** `custom.<name>`, or what is known of every person: see SOURCES. */
  readonly source?: string | undefined
  /** In place of a source: the same for everybody. */
  readonly value?: unknown
  /** Given only where this scope was granted; without it, whenever somebody signs in to the client. */
  readonly scope?: string | undefined
}

/** Before the name of a person's custom claim. */
export const CUSTOM = 'custom.'

/** What every person may have: standard claims, the groups, and two names that people know from elsewhere. */
export const SOURCES: readonly string[] = [...STANDARD_CLAIMS, 'groups', 'username', 'sub']

const MAX_RULES = 50

const source = z.string('A source is text.').superRefine((name, context) => {
  const known = SOURCES.includes(name) || (name.startsWith(CUSTOM) && claimName.safeParse(ownName(name)).success)
  if (!known) {
    context.addIssue(
      `There is no source ${JSON.stringify(name)}: use custom.NAME for a custom claim, or one of ${SOURCES.join(', ')}.`,
    )
  }
})

const scope = z
  .string('A scope is text.')
  .refine(isOfferedScope, `A claim can hang on one of the scopes that the server offers: ${OFFERED_SCOPES.join(' ')}.`)

const rule = z
  .strictObject({ claim: claimName, source, value: claimValue, scope })
  .partial({ source: true, value: true, scope: true })
  .refine(
    (given) => (given.source === undefined) !== (given.value === undefined),
    'A claim has a source, or a value that is the same for everybody: give one of the two.',
  )

/** The rules of one client. */
export const claimRules = z
  .array(rule, 'The claims must be a list of { claim, source } or { claim, value }, each with a scope if need be.')
  .max(MAX_RULES, `A client has at most ${MAX_RULES} claims of its own.`)
  .superRefine((rules, context) => {
    const names = rules.map(({ claim }) => claim)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) context.addIssue(`The claim ${twice} is given twice: give it once.`)
  })

/** The name behind `custom.`. */
export function ownName(sourceName: string): string {
  return sourceName.slice(CUSTOM.length)
}

/** The rules that count where these scopes were granted. */
export function rulesFor(rules: readonly ClaimRule[], scopes: ReadonlySet<string>): readonly ClaimRule[] {
  return rules.filter((one) => one.scope === undefined || scopes.has(one.scope))
}

/**
 * True where the person has to allow the claim by its name: it tells something of them, and the scope that it hangs on
 * would not have told the same.
 * @param ofScope the claims that a scope gives
 */
export function needsConsent(
  { source: from, scope: hangsOn }: ClaimRule,
  ofScope: (scope: string) => readonly string[],
) {
  if (from === undefined || from === 'sub') return false
  const told = from === 'username' ? 'preferred_username' : from
  return hangsOn === undefined || !ofScope(hangsOn).includes(told)
}

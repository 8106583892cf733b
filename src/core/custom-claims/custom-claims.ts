/**
 * What an organisation knows of a person beyond the standard claims: a department, a staff number, roles. It is kept
 * for each person under names of one's own and is given to nobody until a client's settings say so (claim-rules.ts).
 */
import { z } from 'zod'
import { AppError } from '#platform/errors.ts'
import { isJsonObject } from '#platform/json-object.ts'
import { claimNameProblem, isDangerousKey } from './claim-name.ts'

const MAX_CLAIMS = 50
const MAX_VALUE_BYTES = 4_096
const MAX_DEPTH = 8

export type CustomClaims = Readonly<Record<string, unknown>>

/** The name of a claim of one's own. */
export const claimName = z.string('The name of a claim is text.').superRefine((name, context) => {
  const problem = claimNameProblem(name)
  if (problem !== undefined) context.addIssue(problem)
})

/** The value of a claim: any JSON but null, at most 4 KiB of it; or nothing. */
export const claimValue = z.unknown().superRefine((value, context) => {
  const problem = value === undefined ? undefined : valueProblem(value)
  if (problem !== undefined) context.addIssue(problem)
})

/** What is to be set, by name; null takes a claim away. */
export const customClaimChanges = z
  // no z.record, which drops a member called __proto__ in silence
  .custom<CustomClaims>(isJsonObject, 'The custom claims must be an object: the value of each claim under its name.')
  .superRefine((claims, context) => {
    for (const [name, value] of Object.entries(claims)) {
      // a claim that is only taken away may have any name
      const problem = value === null ? undefined : (claimNameProblem(name) ?? valueProblem(value))
      if (problem !== undefined) context.addIssue(problem.includes(name) ? problem : `${name}: ${problem}`)
    }
  })

/**
 * The claims as they are after the change, in the order of their names.
 * @throws AppError(invalid_input) where they would be too many
 */
export function changedCustomClaims(before: CustomClaims, changes: CustomClaims): CustomClaims {
  const after = new Map(Object.entries(before))
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) after.delete(name)
    else after.set(name, value)
  }
  if (after.size > MAX_CLAIMS) {
    throw new AppError('invalid_input', 'The person was not saved.', {
      fields: { custom_claims: `A person has at most ${MAX_CLAIMS} custom claims, and would have ${after.size}.` },
      hint: 'Take others away first.',
    })
  }
  return Object.fromEntries([...after].toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

function valueProblem(value: unknown): string | undefined {
  if (!isPlain(value, MAX_DEPTH)) {
    return `The value is no JSON that a claim may have: text, a number, true, false, a list or an object, at most ${MAX_DEPTH} deep.`
  }
  if (Buffer.byteLength(JSON.stringify(value)) > MAX_VALUE_BYTES)
    return 'The value is too long: use at most 4 KiB of JSON.'
  return undefined
}

function isPlain(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (depth === 0 || typeof value !== 'object' || value === null) return false
  const inside = depth - 1
  if (Array.isArray(value)) return value.every((item) => item === null || isPlain(item, inside))
  return Object.entries(value).every(
    ([key, item]) => key.isWellFormed() && !isDangerousKey(key) && (item === null || isPlain(item, inside)),
  )
}

/**
 * Types of authorization details (RFC 9396): what an API lets an application ask for that says more than a scope, such as
 * one payment with its amount. They are the API's own words, like its scopes; here is what a detail may hold, and how it
 * is told to the person who is asked.
 */
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { UNPRINTABLE } from '#core/accounts/line.ts'
import { shownName } from '#core/clients/client-metadata.ts'
import { AppError } from '#platform/errors.ts'

export interface DetailType {
  readonly type: string
  /** What a person reads that is asked for it, such as "Make a payment". */
  readonly title: string
  /** What a detail may hold beside its type. */
  readonly members: readonly string[]
}

/** What an application asks for: untrusted but for its type's name being a text. */
export type Detail = Readonly<Record<string, unknown>> & { readonly type: string }

/** A line of a detail, as it is shown: where the value stands in it, and the value. */
export interface DetailLine {
  readonly name: string
  readonly value: string
}

const MAX_TYPES = 50
const MAX_MEMBERS = 50
const MAX_DEPTH = 6
/** Of all details of a request, in characters. */
export const MAX_DETAILS_LENGTH = 8_192

const typeName = z
  .string('The name of a type is text.')
  .regex(/^[A-Za-z][\w.~:/-]{0,127}$/, 'A type is called by letters, digits and . _ ~ : / - (at most 128).')
const member = z
  .string('A member is text.')
  .regex(/^[A-Za-z]\w{0,63}$/, 'A member is called by letters, digits and _ (at most 64).')
  .refine((name) => name !== 'type', 'Every detail has its type; it is not named among the members.')

export const detailTypes = z
  .array(
    z.strictObject({
      type: typeName,
      title: shownName,
      members: z
        .array(member)
        .max(MAX_MEMBERS, `A type has at most ${MAX_MEMBERS} members.`)
        .transform((members) => [...new Set(members)]),
    }),
    'A list of types was expected.',
  )
  .max(MAX_TYPES, `An API has at most ${MAX_TYPES} types of details.`)
  .refine((types) => new Set(types.map(({ type }) => type)).size === types.length, 'Two types have the same name.')

/** Reads `TYPE[member,member]=Title`, as a command line has it. @throws AppError(invalid_input) */
export function parseDetailType(text: string): DetailType {
  const [, type, members, title] = /^([^[\]=]+)(?:\[([^[\]]*)\])?=(.+)$/s.exec(text) ?? []
  if (type === undefined || title === undefined)
    throw new AppError('invalid_input', `"${text}" is not a type of authorization details.`, {
      hint: 'Write its name, its members and what people read: "payment[amount,creditor]=Make a payment".',
    })
  return { type, title, members: members ? members.split(',') : [] }
}

/** The same text for a type. */
export function detailTypeText({ type, members, title }: DetailType): string {
  return `${type}[${members.join(',')}]=${title}`
}

/** Says why an application may not ask for the detail; undefined when it may. */
export function detailProblem(detail: Detail, { members }: DetailType): string | undefined {
  const unknown = Object.keys(detail).find((name) => name !== 'type' && !members.includes(name))
  if (unknown !== undefined) return `a detail of the type ${detail.type} has no such member`
  if (!isShallow(detail, MAX_DEPTH)) return 'a detail is nested too deeply'
  if (!isDeepStrictEqual(JSON.parse(JSON.stringify(detail)), detail))
    return 'a detail contains a number that cannot be kept as it is'
  const hidden = detailLines(detail).some(({ name, value }) => UNPRINTABLE.test(name) || UNPRINTABLE.test(value))
  return hidden ? 'a detail contains control characters, which nobody could read' : undefined
}

/** All that a detail says beside its type, line by line; nothing is left out. */
export function detailLines(detail: Detail): DetailLine[] {
  const { type: _, ...members } = detail
  return linesOf('', members)
}

function linesOf(name: string, value: unknown): DetailLine[] {
  if (typeof value !== 'object' || value === null) return [{ name, value: String(value) }]
  const inside = Array.isArray(value)
    ? value.flatMap((one, index) => linesOf(isObject(one) ? `${name} ${index + 1}` : name, one))
    : Object.entries(value).flatMap(([key, one]) => linesOf(name === '' ? key : `${name}.${key}`, one))
  return inside.length === 0 && name !== '' ? [{ name, value: 'nothing' }] : inside
}

function isShallow(value: unknown, depth: number): boolean {
  return !isObject(value) || (depth > 0 && Object.values(value).every((one) => isShallow(one, depth - 1)))
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

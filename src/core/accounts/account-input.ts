/**
 * What may be said about a person, once for every door: command line, REST and console send the same members under
 * the same names and read the same sentences when something is wrong. Names are those of OpenID Connect Core 1.0 §5.1.
 * A member's `meta` describes it to whoever builds a door: `description`, and `placeholder` for its value.
 */
import { z } from 'zod'
import { AppError } from '#platform/errors.ts'
import { customClaimChanges } from '#core/custom-claims/custom-claims.ts'
import { groupName } from '#core/groups/group-name.ts'
import { standardClaims } from './standard-claims.ts'
import { line } from './line.ts'
import { passwordHashProblem } from './password-hash.ts'

const email = z
  .string({
    error: ({ input }) =>
      input === undefined
        ? 'The e-mail address is missing: give the one that the person signs in with.'
        : 'The e-mail address must be text.',
  })
  .trim()
  .max(254, 'The e-mail address is too long: use one of at most 254 characters.')
  .regex(z.regexes.html5Email, 'The e-mail address is not valid: write it as name@example.com.')
  .meta({ description: 'e-mail address, with which the person signs in', placeholder: 'email' })

const username = line('The user name', 64)
  // full-width forms become plain ones when names are compared, so they are judged in that form
  .refine(
    (name) => !/[@\s]/u.test(name.normalize('NFKC')),
    'The user name holds an @ or white space: use letters, digits and signs such as . _ -',
  )
  .refine((name) => !/\p{Cf}/u.test(name), 'The user name holds invisible characters: remove them.')
  .meta({ description: 'user name, with which the person signs in, too', placeholder: 'name' })

/** Every member, with the schema of its value. */
export const accountMembers = {
  email,
  username,
  given_name: line('The given name').meta({ description: 'given name' }),
  family_name: line('The family name').meta({ description: 'family name' }),
  name: line('The name').meta({ description: 'full name as shown; without it given and family name' }),
  email_verified: z
    .boolean('email_verified must be true or false.')
    .meta({ description: 'the e-mail address is known to belong to the person' }),
  admin: z.boolean('admin must be true or false.').meta({ description: 'the person may administer this server' }),
  groups: z
    .array(groupName, 'The groups must be a list of names.')
    .transform((names) => [...new Set(names)])
    .meta({ description: 'group of the person', placeholder: 'name' }),
  ...standardClaims,
}

/** Custom claims are named one by one, so that a change of one leaves the others. */
const allMembers = { ...accountMembers, custom_claims: customClaimChanges }

const changes = z.strictObject(allMembers).partial()
const newAccount = changes.extend({ email })

/** Somebody who comes from another system. */
const importedPerson = newAccount.extend({
  // an id is the `sub` that applications know the person by, so it may be brought along; only these look like no other name
  id: z.guid('The id must be a UUID: leave it out, and the person gets a new one.').toLowerCase().optional(),
  // whoever wrote the file decides about people, not about this server
  admin: z.literal(false, 'Nobody becomes an administrator by an import: make them one afterwards.').optional(),
  disabled: z.boolean('disabled must be true or false.').optional(),
  password_hash: z
    .string('The password hash must be text.')
    .max(1_024, 'The password hash is too long.')
    .superRefine((hash, context) => {
      const problem = passwordHashProblem(hash)
      if (problem !== undefined) context.addIssue(problem)
    })
    .optional(),
})

export type AccountMember = keyof typeof accountMembers
export type AccountMembers = z.output<typeof changes>
export type NewAccount = z.output<typeof newAccount>

/** What is to change: members absent from both stay as they are. */
export interface AccountChanges {
  readonly set: AccountMembers
  readonly clear: readonly ClearableMember[]
}

/** Members that a person may be without. */
export type ClearableMember = Exclude<AccountMember, 'email' | 'email_verified' | 'admin' | 'groups'>

/** @throws AppError(invalid_input) with one sentence for each member that cannot be taken */
export function parseNewAccount(input: unknown): NewAccount {
  return taken(newAccount.safeParse(input))
}

/** @throws AppError(invalid_input) as parseNewAccount does */
export function parseImportedPerson(input: unknown): z.output<typeof importedPerson> {
  return taken(importedPerson.safeParse(input))
}

/** A member that is null is cleared. @throws AppError(invalid_input) as parseNewAccount does, and where nothing is given */
export function parseAccountChanges(input: unknown): AccountChanges {
  const members = taken(z.record(z.string(), z.unknown()).safeParse(input))
  if (Object.keys(members).length === 0) {
    throw new AppError('invalid_input', 'Nothing to change was given.', {
      hint: 'Name at least one thing about the person and its new value.',
    })
  }
  const nulls = Object.keys(members).filter((name) => members[name] === null)
  const clear = nulls.filter(isClearable)
  const stuck = nulls.filter((name) => !isClearable(name))
  if (stuck.length > 0) throw refused(Object.fromEntries(stuck.map((name) => [name, cannotBeCleared(name)])))
  const kept = Object.entries(members).filter(([, value]) => value !== null)
  return { set: taken(changes.safeParse(Object.fromEntries(kept))), clear }
}

/** In the order in which they are described. */
export const clearableMembers: readonly ClearableMember[] = Object.keys(accountMembers).filter(isClearable)

function isClearable(name: string): name is ClearableMember {
  return Object.hasOwn(accountMembers, name) && !['email', 'email_verified', 'admin', 'groups'].includes(name)
}

function cannotBeCleared(name: string): string {
  if (!Object.hasOwn(allMembers, name)) return unknownMember
  return 'This cannot be cleared: give another value instead.'
}

const unknownMember = 'A person has nothing of this name: correct it or leave it out.'

function taken<T>(result: z.ZodSafeParseResult<T>): T {
  if (result.success) return result.data
  // a map, since a member may be named like one that every object has
  const fields = new Map<string, string>()
  const tell = (member: string, problem: string): unknown => fields.has(member) || fields.set(member, problem)
  for (const issue of result.error.issues) {
    const [member] = issue.path
    if (member !== undefined) tell(String(member), issue.message)
    else if (issue.code === 'unrecognized_keys') for (const name of issue.keys) tell(name, unknownMember)
    else throw new AppError('invalid_input', 'What describes a person must be an object with named members.')
  }
  throw refused(Object.fromEntries(fields))
}

function refused(fields: Record<string, string>): AppError {
  return new AppError('invalid_input', 'The person was not saved.', {
    fields,
    hint: 'Correct what is named above and try again.',
  })
}

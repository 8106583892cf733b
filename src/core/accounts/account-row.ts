import { changedCustomClaims } from '#core/custom-claims/custom-claims.ts'
import type { AccountRow } from '#core/tables.ts'
import type { Account } from './account.ts'
import { accountMembers, type AccountChanges, type AccountMember, type NewAccount } from './account-input.ts'
import { emailKey, usernameKey } from './account-keys.ts'

/** Members with a column, or a table, of their own; all other standard claims stand in the column `claims`. */
const columns: readonly AccountMember[] = [
  'email',
  'username',
  'given_name',
  'family_name',
  'name',
  'email_verified',
  'admin',
  'groups',
]
const claimNames = Object.keys(accountMembers).filter((name) => !columns.some((column) => column === name))

/** The row of a person who was not there before. @param now seconds since the epoch */
export function rowOfNew(id: string, person: NewAccount, passwordHash: string | undefined, now: number): AccountRow {
  return {
    id,
    username: person.username ?? null,
    username_key: person.username === undefined ? null : usernameKey(person.username),
    email: person.email,
    email_key: emailKey(person.email),
    email_verified: bit(person.email_verified),
    password_hash: passwordHash ?? null,
    name: person.name ?? null,
    given_name: person.given_name ?? null,
    family_name: person.family_name ?? null,
    claims: claimsText(claimsIn(person)),
    custom_claims: JSON.stringify(changedCustomClaims({}, person.custom_claims ?? {})),
    admin: bit(person.admin),
    disabled_at: null,
    password_changed_at: passwordHash === undefined ? null : now,
    created_at: now,
    updated_at: now,
  }
}

/** The columns that the changes touch. What was verified was the old address or number: a new one has to be verified anew. */
export function rowChange(before: Account, { set, clear }: AccountChanges): Partial<AccountRow> {
  const change: Partial<AccountRow> = {}
  if (set.email !== undefined) {
    Object.assign(change, { email: set.email, email_key: emailKey(set.email) })
    if (before.email === undefined || emailKey(before.email) !== emailKey(set.email)) change.email_verified = 0
  }
  if (set.email_verified !== undefined) change.email_verified = bit(set.email_verified)
  if (set.admin !== undefined) change.admin = bit(set.admin)
  if (set.username !== undefined)
    Object.assign(change, { username: set.username, username_key: usernameKey(set.username) })
  if (clear.includes('username')) Object.assign(change, { username: null, username_key: null })
  for (const name of ['name', 'given_name', 'family_name'] as const) {
    if (set[name] !== undefined) change[name] = set[name]
    if (clear.includes(name)) change[name] = null
  }
  const added = claimsIn(set)
  const unset = clear.filter((name) => claimNames.includes(name))
  if (unset.length > 0 || Object.keys(added).length > 0)
    change.claims = claimsText({ ...kept(before.claims, added, clear), ...added })
  if (set.custom_claims !== undefined)
    change.custom_claims = JSON.stringify(changedCustomClaims(before.customClaims, set.custom_claims))
  return change
}

function kept(before: Account['claims'], added: Account['claims'], clear: readonly string[]): Account['claims'] {
  const otherPhone =
    clear.includes('phone_number') ||
    (added['phone_number'] !== undefined && added['phone_number'] !== before['phone_number'])
  const dropped = otherPhone ? [...clear, 'phone_number_verified'] : clear
  return Object.fromEntries(Object.entries(before).filter(([name]) => !dropped.includes(name)))
}

function claimsIn(members: Readonly<Record<string, unknown>>): Account['claims'] {
  return Object.fromEntries(
    claimNames.filter((name) => members[name] !== undefined).map((name) => [name, members[name]]),
  )
}

/** In one order, whatever the order in which claims were set. */
function claimsText(claims: Account['claims']): string {
  return JSON.stringify(claimsIn(claims))
}

function bit(value: boolean | undefined): 0 | 1 {
  return value ? 1 : 0
}

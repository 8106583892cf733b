/**
 * Many people at once, from another system, with the hashes of their passwords. Each is judged alone: what is wrong with
 * one keeps no other out. Whoever is there already is left as they are, so that an import that broke off is simply run
 * again.
 */
import { randomUUID } from 'node:crypto'
import type { Transaction } from 'kysely'
import type { Recorder } from '#core/audit/audit.ts'
import { ADMINISTRATOR } from '#core/audit/event.ts'
import { groupStore } from '#core/groups/store.ts'
import type { AccountRow, Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import { parseImportedPerson } from './account-input.ts'
import { rowOfNew } from './account-row.ts'
import { fromKeycloak } from './keycloak-user.ts'
import { accountStore, type AccountNames } from './store.ts'

/** What became of one of those who were to be imported. */
export type ImportOutcome =
  | { readonly kind: 'imported' }
  /** Somebody has all the names that were given. */
  | { readonly kind: 'existing' }
  | {
      readonly kind: 'refused'
      /** One sentence for each member that cannot be taken. */
      readonly problems: Readonly<Record<string, string>>
    }

interface Candidate {
  readonly row: AccountRow
  readonly groups: readonly string[]
  /** The names that were given, and nobody else may have. */
  readonly names: readonly Name[]
}

type Name = readonly [member: 'id' | 'email' | 'username', key: string]

/**
 * Imports people in one transaction: a thousand at once are a good measure.
 * @param people members as docs/import.md lists them, or Keycloak's
 * @param dryRun writes nothing, and tells what would become of each
 * @returns one outcome for each, in their order
 */
export async function importPeople(
  { database, clock, audit }: { readonly database: Database<Tables>; readonly clock: Clock; readonly audit: Recorder },
  people: readonly unknown[],
  { dryRun }: { readonly dryRun: boolean },
): Promise<readonly ImportOutcome[]> {
  const judged = people.map((person) => candidateOf(person, clock.now()))
  const candidates = judged.filter((one): one is Candidate => 'row' in one)
  const outcomes = await database.db.transaction().execute(async (transaction) => {
    const settled = await settle(transaction, candidates, dryRun)
    const imported = candidates.filter((candidate) => settled.get(candidate)?.kind === 'imported')
    const events = imported.map(
      ({ row }) => ({ type: 'account.imported', by: ADMINISTRATOR, accountId: row.id }) as const,
    )
    if (!dryRun && events.length > 0) await audit.record(events, transaction)
    return settled
  })
  return judged.flatMap((one) => ('row' in one ? (outcomes.get(one) ?? []) : one))
}

function candidateOf(input: unknown, now: number): Candidate | ImportOutcome {
  try {
    const { id, disabled, password_hash, groups = [], ...person } = parseImportedPerson(fromKeycloak(input))
    const row = rowOfNew(id ?? randomUUID(), person, password_hash, now)
    return {
      row: disabled === true ? { ...row, disabled_at: now } : row,
      groups,
      names: namesOf(row).filter(([member]) => member !== 'id' || id !== undefined),
    }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return refused(error.fields ?? { person: error.message })
  }
}

async function settle(
  transaction: Transaction<Tables>,
  candidates: readonly Candidate[],
  dryRun: boolean,
): Promise<ReadonlyMap<Candidate, ImportOutcome>> {
  const store = accountStore(transaction)
  const groupIds = await groupStore(transaction).idsOf([...new Set(candidates.flatMap(({ groups }) => groups))])
  const owners = ownersOf(await store.listNames(candidates.map(({ row }) => row)))
  const outcomes = new Map<Candidate, ImportOutcome>()
  for (const candidate of candidates) {
    const outcome = whatOf(candidate, owners, groupIds)
    outcomes.set(candidate, outcome)
    if (outcome.kind === 'imported') own(owners, candidate.row)
  }
  const fresh = candidates.filter((candidate) => outcomes.get(candidate)?.kind === 'imported')
  if (dryRun || fresh.length === 0) return outcomes
  const inserted = await store.insertUnlessThere(fresh.map(({ row }) => row))
  for (const candidate of fresh) if (!inserted.has(candidate.row.id)) outcomes.set(candidate, takenMeanwhile())
  await groupStore(transaction).addMembers(
    fresh
      .filter(({ row }) => inserted.has(row.id))
      .flatMap(({ row, groups }) => groups.map((name) => ({ account_id: row.id, group_id: groupIds.get(name) ?? '' }))),
  )
  return outcomes
}

/** By member and key: who has the name. */
type Owners = Map<string, string>

function whatOf({ names, groups }: Candidate, owners: Owners, groupIds: ReadonlyMap<string, string>): ImportOutcome {
  const unknown = groups.filter((name) => !groupIds.has(name))
  if (unknown.length > 0)
    return refused({ groups: `There is no group called ${unknown.join(', ')}: create it first, or leave it out.` })
  const found = names.map((name) => owners.get(name.join(' ')))
  const [first, ...others] = new Set(found)
  if (others.length === 0) return { kind: first === undefined ? 'imported' : 'existing' }
  const taken = names.filter((_, index) => found[index] !== undefined)
  return refused(Object.fromEntries(taken.map(([member]) => [member, 'Somebody else has this already.'])))
}

function ownersOf(people: readonly AccountNames[]): Owners {
  const owners: Owners = new Map()
  for (const person of people) own(owners, person)
  return owners
}

function own(owners: Owners, person: AccountNames): void {
  for (const name of namesOf(person)) owners.set(name.join(' '), person.id)
}

function namesOf({ id, email_key, username_key }: AccountNames): readonly Name[] {
  return [
    ['id', id],
    ...(email_key === null ? [] : [['email', email_key] as const]),
    ...(username_key === null ? [] : [['username', username_key] as const]),
  ]
}

function takenMeanwhile(): ImportOutcome {
  return refused({ person: 'Somebody took one of the names at this very moment: run the import again.' })
}

function refused(problems: Readonly<Record<string, string>>): ImportOutcome {
  return { kind: 'refused', problems }
}

/**
 * People: the one set of rules behind every door. Whatever takes a person's access away (disable, delete, a new
 * password, sign-out) ends all that stands on them in the same transaction: sessions, grants, codes, tokens. Their
 * clients are then owed a logout token.
 */
import { randomUUID } from 'node:crypto'
import type { Transaction } from 'kysely'
import { artifactStore } from '#core/artifacts/store.ts'
import type { Recorder } from '#core/audit/audit.ts'
import { ADMINISTRATOR, type AuditType, type Facts } from '#core/audit/event.ts'
import { requiredGroupIds } from '#core/groups/required-groups.ts'
import { groupStore } from '#core/groups/store.ts'
import type { Guesses } from '#core/guesses/guesses.ts'
import { queueLogoutsOf } from '#core/logout-deliveries/logout-deliveries.ts'
import { cursorAt, pageOf, positionIn, type Page } from '#core/paging.ts'
import type { Secrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import type { Account } from './account.ts'
import { importPeople, type ImportOutcome } from './account-import.ts'
import { assertGoodPassword, noSuchPerson, personConflict } from './account-errors.ts'
import { parseAccountChanges, parseNewAccount } from './account-input.ts'
import { emailKey, signInKey, signInKeysOf, usernameKey } from './account-keys.ts'
import { parseAccountListQuery, type AccountListQuery } from './account-list.ts'
import { rowChange, rowOfNew } from './account-row.ts'
import { passwordGuesses, type Guesser } from './password-guesses.ts'
import type { Passwords } from './passwords.ts'
import { accountStore } from './store.ts'

export interface Accounts {
  /**
   * @param input members as a door received them, see account-input.ts
   * @param password without one the person cannot sign in by password
   * @throws AppError(invalid_input) naming each member that cannot be taken; AppError(conflict) for a user name or
   *   e-mail address that somebody has
   */
  create(input: unknown, password?: string): Promise<Account>
  /** Adds people from another system, see account-import.ts. */
  importPeople(people: readonly unknown[], options: { readonly dryRun: boolean }): Promise<readonly ImportOutcome[]>
  findById(id: string): Promise<Account | undefined>
  /** When the person was last changed, once whatever is being changed is changed; undefined where they are gone. */
  settledChange(id: string): Promise<number | undefined>
  /** By id, e-mail address or user name. */
  find(who: string): Promise<Account | undefined>
  /** By id, e-mail address or user name. @throws AppError(not_found) */
  get(who: string): Promise<Account>
  /** @throws AppError(invalid_input) for a limit or a cursor that is none */
  list(query?: AccountListQuery | Readonly<Record<string, unknown>>): Promise<Page<Account>>
  /** @param changes members as a door received them; null clears one. @throws as `create` does, and AppError(not_found) */
  update(id: string, changes: unknown): Promise<Account>
  /**
   * Ends all that stands on the person.
   * @throws AppError(invalid_input) for a password that may not be one; AppError(not_found)
   */
  setPassword(id: string, password: string): Promise<Account>
  /** Ends all that stands on the person, who cannot sign in until enabled. @throws AppError(not_found) */
  disable(id: string): Promise<Account>
  /** Also forgets the wrong passwords that were counted for the person. @throws AppError(not_found) */
  enable(id: string): Promise<Account>
  /** Ends all that stands on the person. @throws AppError(not_found) */
  signOut(id: string): Promise<Account>
  /** Deletes the person and all that stands on them, and gives them back as they were. @throws AppError(not_found) */
  remove(id: string): Promise<Account>
  /**
   * The person whose e-mail address (if it holds an @) or user name and password these are. Undefined for every way of
   * failing alike, and at a price that tells nothing: whoever has no password, or is nobody, costs what somebody does.
   * @throws AppError(unavailable) when too many passwords are being checked; AppError(too_many_attempts) when too many
   *   were wrong before, for whatever password and name
   */
  authenticate(identifier: string, password: string, guesser: Guesser): Promise<Account | undefined>
  /** @throws AppError(unavailable) where `authenticate` would, since too many passwords wait already */
  refuseWhenBusy(): void
}

export interface AccountsNeeds {
  readonly database: Database<Tables>
  readonly passwords: Passwords
  readonly guesses: Guesses
  readonly secrets: Secrets
  readonly clock: Clock
  readonly audit: Recorder
}

export function createAccounts(needs: AccountsNeeds): Accounts {
  const { database, passwords, secrets, clock, audit } = needs
  const { db, kind } = database
  const store = accountStore(db)
  const guesses = passwordGuesses(needs.guesses)

  const find: Accounts['find'] = async (who) => {
    const lookup = signInKey(who)
    if (!lookup) return undefined
    // an id wins over a user name that was made to look like it
    return (await store.find('id', who.trim())) ?? store.find(lookup.column, lookup.key)
  }

  const get: Accounts['get'] = async (who) => {
    const account = await find(who)
    if (account) return account
    throw noSuchPerson(who)
  }

  /** Runs a change of one person in a transaction that holds their row from the start. */
  const change = (
    id: string,
    run: (transaction: Transaction<Tables>, before: Account) => Promise<void>,
  ): Promise<Account> =>
    db.transaction().execute(async (transaction) => {
      const rows = accountStore(transaction)
      const before = (await rows.lock(id)) === undefined ? undefined : await rows.find('id', id)
      if (!before) throw noSuchPerson(id)
      await run(transaction, before)
      return (await rows.find('id', id)) ?? before
    })

  const record = (transaction: Transaction<Tables>, type: AuditType, accountId: string, facts?: Facts): Promise<void> =>
    audit.record({ type, by: ADMINISTRATOR, accountId, facts }, transaction)

  const endAll = async (transaction: Transaction<Tables>, id: string): Promise<void> => {
    await artifactStore(transaction).removeByAccount(id)
    await queueLogoutsOf(transaction, id, clock.now())
  }

  /** Of several writers of one user name or e-mail address the database lets one through; the others hear which it was. */
  const orConflict = async <T>(
    write: () => Promise<T>,
    id: string,
    names: { username?: string | undefined; email?: string | undefined },
  ): Promise<T> => {
    try {
      return await write()
    } catch (cause) {
      if (!kind.isUniqueViolation(cause)) throw cause
      const isTaken = async (column: 'username_key' | 'email_key', key: string | undefined): Promise<boolean> =>
        key !== undefined && ![undefined, id].includes((await store.find(column, key))?.id)
      const email = await isTaken('email_key', names.email && emailKey(names.email))
      const username = await isTaken('username_key', names.username && usernameKey(names.username))
      throw personConflict({ email, username }, cause)
    }
  }

  /**
   * Where among the people the one is found whose hash is computed for a name without one of its own: always the same for
   * a name, and anywhere. Hashes from other systems take longer than ours, so one cost for all such names would tell them
   * from those of people (docs/decisions/032-people-from-other-systems.md).
   */
  const standInFor = (name: string): string =>
    Buffer.from(secrets.keyedDigest('stand-in', name), 'base64url').toString('hex')

  const authenticate: Accounts['authenticate'] = async (identifier, password, guesser) => {
    const lookup = signInKey(identifier)
    const name = lookup?.key ?? ''
    const found = lookup && (await store.findCredentials(lookup.column, lookup.key))
    const hash = found?.passwordHash
    const standIn = await store.findHashAfter(standInFor(name))
    const right = await passwords.verify(hash ?? standIn, password, () => guesses.count(name, guesser))
    if (!right || !found || found.disabled || hash === undefined) {
      guesses.wasWrong(name, password, guesser)
      return undefined
    }
    // read after the hash was computed: whoever was disabled or given a new password meanwhile does not get in
    const account = await store.findByCredentials(found.id, hash)
    const isWeak = passwords.needsRehash(hash)
    // it may only have been upgraded by another sign-in at the same moment
    if (!account) return isWeak ? authenticate(identifier, password, guesser) : undefined
    await guesses.wasRight(name, guesser)
    // others wait for what a request has written, and not for a hash
    if (isWeak) await store.upgradeHash(account.id, hash, await database.apart(() => passwords.hash(password)))
    return account
  }

  return {
    async create(input, password) {
      const { groups = [], ...person } = parseNewAccount(input)
      if (password !== undefined) assertGoodPassword(password, person)
      const hash = password === undefined ? undefined : await passwords.hash(password)
      const id = randomUUID()
      const write = (): Promise<Account> =>
        db.transaction().execute(async (transaction) => {
          const rows = accountStore(transaction)
          const groupIds = await requiredGroupIds(groupStore(transaction), groups)
          await rows.insert(rowOfNew(id, person, hash, clock.now()))
          await rows.replaceGroups(id, groupIds)
          await record(transaction, 'account.created', id)
          return mustBeThere(await rows.find('id', id))
        })
      return orConflict(write, id, person)
    },

    importPeople: (people, options) => importPeople({ database, clock, audit }, people, options),

    findById: (id) => store.find('id', id),
    settledChange: (id) => store.lock(id),
    find,
    get,

    async list(query = {}) {
      const { search, limit, cursor } = parseAccountListQuery(query)
      const after = cursor === undefined ? undefined : positionIn(cursor)
      return pageOf(await store.list({ search, after, limit: limit + 1 }), limit, cursorAt)
    },

    async update(id, changes) {
      const parsed = parseAccountChanges(changes)
      const { groups } = parsed.set
      const write = (): Promise<Account> =>
        change(id, async (transaction, before) => {
          const rows = accountStore(transaction)
          await rows.update(id, rowChange(before, parsed), clock.now())
          if (groups) await rows.replaceGroups(id, await requiredGroupIds(groupStore(transaction), groups))
          await record(transaction, 'account.updated', id, { members: [...Object.keys(parsed.set), ...parsed.clear] })
        })
      return orConflict(write, id, parsed.set)
    },

    async setPassword(id, password) {
      const account = await store.find('id', id)
      if (!account) throw noSuchPerson(id)
      assertGoodPassword(password, account)
      const hash = await passwords.hash(password)
      return change(id, async (transaction) => {
        const now = clock.now()
        await accountStore(transaction).update(id, { password_hash: hash, password_changed_at: now }, now)
        await guesses.forget(transaction, signInKeysOf(account))
        await endAll(transaction, id)
        await record(transaction, 'account.password_set', id)
      })
    },

    disable: (id) =>
      change(id, async (transaction, before) => {
        if (!before.disabled) await accountStore(transaction).update(id, { disabled_at: clock.now() }, clock.now())
        await endAll(transaction, id)
        await record(transaction, 'account.disabled', id)
      }),

    enable: (id) =>
      change(id, async (transaction, before) => {
        await accountStore(transaction).update(id, { disabled_at: null }, clock.now())
        await guesses.forget(transaction, signInKeysOf(before))
        await record(transaction, 'account.enabled', id)
      }),

    signOut: (id) =>
      change(id, async (transaction) => {
        await endAll(transaction, id)
        await record(transaction, 'account.signed_out', id)
      }),

    remove: (id) =>
      change(id, async (transaction) => {
        await endAll(transaction, id)
        await accountStore(transaction).remove(id)
        await record(transaction, 'account.deleted', id)
      }),

    authenticate,
    refuseWhenBusy: passwords.refuseWhenBusy,
  }
}

function mustBeThere(account: Account | undefined): Account {
  if (!account) throw new Error('a person who was written in this transaction cannot be read in it')
  return account
}

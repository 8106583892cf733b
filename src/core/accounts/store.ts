/**
 * The rows of people. An account is read in one query together with the names of its groups, since this is what every
 * request for a token or a page does. A row is changed only after an empty write to it in the same transaction:
 * that locks it on either database, so that of two changes at once neither loses what the other wrote.
 */
import {
  sql,
  type Expression,
  type Insertable,
  type Kysely,
  type Selectable,
  type SqlBool,
  type Updateable,
} from 'kysely'
import type { Position } from '#core/paging.ts'
import type { AccountRow, Tables } from '#core/tables.ts'
import { prepared } from '#platform/database/prepared.ts'
import { parseJsonObject } from '#platform/json-object.ts'
import type { Account } from './account.ts'

export interface Credentials {
  readonly id: string
  readonly passwordHash: string | undefined
  readonly disabled: boolean
}

/** What no two people share. */
export type AccountNames = Pick<AccountRow, 'id' | 'email_key' | 'username_key'>

/** Unique columns. */
type KeyColumn = 'id' | 'username_key' | 'email_key'

export interface AccountStore {
  insert(row: Insertable<AccountRow>): Promise<void>
  /** Leaves out those who share a name with somebody. @returns the ids of those who were added */
  insertUnlessThere(rows: readonly Insertable<AccountRow>[]): Promise<ReadonlySet<string>>
  /** Whoever has any of these names. */
  listNames(names: readonly AccountNames[]): Promise<readonly AccountNames[]>
  find(column: KeyColumn, key: string): Promise<Account | undefined>
  findCredentials(column: 'username_key' | 'email_key', key: string): Promise<Credentials | undefined>
  /** The hash of the first person with a password whose id follows the text, going round; undefined where nobody has one. */
  findHashAfter(text: string): Promise<string | undefined>
  /** The account while it can be signed in to with exactly this hash. */
  findByCredentials(id: string, passwordHash: string): Promise<Account | undefined>
  /** Oldest first. */
  list(page: { search: string | undefined; after: Position | undefined; limit: number }): Promise<readonly Account[]>
  /**
   * Keeps the row from other writers until the transaction ends.
   * @returns when it was last changed, in epoch seconds; undefined where there is no such row
   */
  lock(id: string): Promise<number | undefined>
  /** @param now when the change is made */
  update(id: string, change: Updateable<AccountRow>, now: number): Promise<void>
  /** Puts the same password's newer hash in the place of the old one, unless it was changed meanwhile. */
  upgradeHash(id: string, before: string, after: string): Promise<void>
  remove(id: string): Promise<void>
  replaceGroups(id: string, groupIds: readonly string[]): Promise<void>
}

/** What an account is made of: a hash is read only where a password is compared with it. */
const COLUMNS = [
  'id',
  'username',
  'email',
  'email_verified',
  'name',
  'given_name',
  'family_name',
  'claims',
  'custom_claims',
  'admin',
  'disabled_at',
  'created_at',
  'updated_at',
] as const

/** No group's name holds a control character. */
const SEPARATOR = '\u001f'

export function accountStore(db: Kysely<Tables>): AccountStore {
  const accounts = () =>
    db
      .selectFrom('accounts')
      .select(COLUMNS)
      .select((select) =>
        select
          .selectFrom('group_members')
          .innerJoin('groups', 'groups.id', 'group_members.group_id')
          .whereRef('group_members.account_id', '=', 'accounts.id')
          .select(sql<string | null>`string_agg(${sql.ref('groups.name')}, ${sql.lit(SEPARATOR)})`.as('names'))
          .as('group_names'),
      )

  const lookup = (column: KeyColumn) => prepared(db, ({ key }: { key: string }) => accounts().where(column, '=', key))
  const findBy = { id: lookup('id'), username_key: lookup('username_key'), email_key: lookup('email_key') }

  const credentials = (column: 'username_key' | 'email_key') =>
    prepared(db, ({ key }: { key: string }) =>
      db.selectFrom('accounts').select(['id', 'password_hash', 'disabled_at']).where(column, '=', key),
    )
  const credentialsBy = { username_key: credentials('username_key'), email_key: credentials('email_key') }
  const firstHashFrom = prepared(db, ({ id }: { id: string }) =>
    db
      .selectFrom('accounts')
      .select('password_hash')
      .where('password_hash', 'is not', null)
      .where('id', '>=', id)
      .orderBy('id')
      .limit(1),
  )
  const findOpen = prepared(db, ({ id, passwordHash }: { id: string; passwordHash: string }) =>
    accounts().where('id', '=', id).where('password_hash', '=', passwordHash).where('disabled_at', 'is', null),
  )

  const locking = prepared(db, ({ id }: { id: string }) =>
    db
      .updateTable('accounts')
      .set((row) => ({ updated_at: row.ref('updated_at') }))
      .where('id', '=', id)
      .returning('updated_at'),
  )

  return {
    async insert(row) {
      await db.insertInto('accounts').values(row).execute()
    },

    async insertUnlessThere(rows) {
      const inserted = await db
        .insertInto('accounts')
        .values(rows)
        .onConflict((conflict) => conflict.doNothing())
        .returning('id')
        .execute()
      return new Set(inserted.map(({ id }) => id))
    },

    async listNames(names) {
      if (names.length === 0) return []
      const usernames = names.flatMap(({ username_key }) => username_key ?? [])
      const emails = names.flatMap(({ email_key }) => email_key ?? [])
      return db
        .selectFrom('accounts')
        .select(['id', 'email_key', 'username_key'])
        .where((where) =>
          where.or([
            where(
              'id',
              'in',
              names.map(({ id }) => id),
            ),
            ...(emails.length > 0 ? [where('email_key', 'in', emails)] : []),
            ...(usernames.length > 0 ? [where('username_key', 'in', usernames)] : []),
          ]),
        )
        .execute()
    },

    async find(column, key) {
      const { rows } = await findBy[column]({ key })
      return rows[0] && accountOf(rows[0])
    },

    async findCredentials(column, key) {
      const [row] = (await credentialsBy[column]({ key })).rows
      return row && { id: row.id, passwordHash: row.password_hash ?? undefined, disabled: row.disabled_at !== null }
    },

    async findHashAfter(text) {
      const [after] = (await firstHashFrom({ id: text })).rows
      const [row] = after ? [after] : (await firstHashFrom({ id: '' })).rows
      return row?.password_hash ?? undefined
    },

    async findByCredentials(id, passwordHash) {
      const [row] = (await findOpen({ id, passwordHash })).rows
      return row && accountOf(row)
    },

    async list({ search, after, limit }) {
      const rows = await accounts()
        .$if(search !== undefined, (query) => query.where((where) => where.or(matches(search ?? ''))))
        .$if(after !== undefined, (query) =>
          query.where(sql<SqlBool>`(created_at, id) > (${after?.createdAt}, ${after?.id})`),
        )
        .orderBy('created_at')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(accountOf)
    },

    lock: async (id) => (await locking({ id })).rows[0]?.updated_at,

    async update(id, change, now) {
      await db
        .updateTable('accounts')
        .set({ ...change, updated_at: now })
        .where('id', '=', id)
        .execute()
    },

    async upgradeHash(id, before, after) {
      await db
        .updateTable('accounts')
        .set({ password_hash: after })
        .where('id', '=', id)
        .where('password_hash', '=', before)
        .execute()
    },

    async remove(id) {
      await db.deleteFrom('accounts').where('id', '=', id).execute()
    },

    async replaceGroups(id, groupIds) {
      await db.deleteFrom('group_members').where('account_id', '=', id).execute()
      const members = groupIds.map((groupId) => ({ group_id: groupId, account_id: id }))
      if (members.length > 0) await db.insertInto('group_members').values(members).execute()
    },
  }
}

/** SQLite folds the case of ASCII letters only, so the pattern comes in the cases a name is usually written in. */
function matches(search: string): Expression<SqlBool>[] {
  const folded = search.toLowerCase()
  const capitalised = folded.replaceAll(/(?<!\p{L})\p{L}/gu, (letter) => letter.toUpperCase())
  const patterns = new Set(
    [folded, capitalised, search.toUpperCase()].map((text) => `%${escapeLike(lowerAscii(text))}%`),
  )
  const columns = ['username_key', 'email_key', 'name', 'given_name', 'family_name'].map(
    (column) => sql`lower(${sql.ref(column)})`,
  )
  const fullName = sql`lower(coalesce(given_name, '') || ' ' || coalesce(family_name, ''))`
  return [...columns, fullName].flatMap((column) =>
    [...patterns].map((pattern) => sql<SqlBool>`${column} like ${pattern} escape '!'`),
  )
}

function lowerAscii(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

function escapeLike(text: string): string {
  return text.replaceAll(/[!%_]/g, '!$&')
}

type AccountRead = Pick<Selectable<AccountRow>, (typeof COLUMNS)[number]> & { group_names: string | null }

function accountOf(row: AccountRead): Account {
  return {
    id: row.id,
    username: row.username ?? undefined,
    email: row.email ?? undefined,
    emailVerified: row.email_verified === 1,
    name: row.name ?? undefined,
    givenName: row.given_name ?? undefined,
    familyName: row.family_name ?? undefined,
    claims: parseJsonObject(row.claims),
    customClaims: parseJsonObject(row.custom_claims),
    groups: row.group_names === null ? [] : row.group_names.split(SEPARATOR).toSorted(),
    admin: row.admin === 1,
    disabled: row.disabled_at !== null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

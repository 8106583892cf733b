/** The rows of groups and of who is in them. */
import type { Kysely } from 'kysely'
import type { GroupMemberRow, GroupRow, Tables } from '#core/tables.ts'
import type { Group } from './group.ts'

export interface GroupStore {
  insert(row: GroupRow): Promise<void>
  /** By name. */
  list(): Promise<readonly Group[]>
  find(name: string): Promise<Group | undefined>
  /** Ids by name; names that no group has are missing. */
  idsOf(names: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** A second time changes nothing. */
  addMember(groupId: string, accountId: string): Promise<void>
  /** People who are in none of these groups yet. */
  addMembers(members: readonly GroupMemberRow[]): Promise<void>
  /** False where the person was not in the group. */
  removeMember(groupId: string, accountId: string): Promise<boolean>
  remove(id: string): Promise<void>
}

/** Neither database takes any number of values in one statement. */
const ROWS_AT_ONCE = 10_000

export function groupStore(db: Kysely<Tables>): GroupStore {
  const groups = () =>
    db.selectFrom('groups').select((select) => [
      'id',
      'name',
      'created_at as createdAt',
      select
        .selectFrom('group_members')
        .whereRef('group_members.group_id', '=', 'groups.id')
        .select((count) => count.fn.countAll<number>().as('members'))
        .as('members'),
    ])

  return {
    async insert(row) {
      await db.insertInto('groups').values(row).execute()
    },

    list: async () => (await groups().orderBy('name').execute()).map(groupOf),

    async find(name) {
      const row = await groups().where('name', '=', name).executeTakeFirst()
      return row && groupOf(row)
    },

    async idsOf(names) {
      if (names.length === 0) return new Map()
      const rows = await db.selectFrom('groups').select(['id', 'name']).where('name', 'in', names).execute()
      return new Map(rows.map(({ name, id }) => [name, id]))
    },

    async addMember(groupId, accountId) {
      await db
        .insertInto('group_members')
        .values({ group_id: groupId, account_id: accountId })
        .onConflict((conflict) => conflict.columns(['group_id', 'account_id']).doNothing())
        .execute()
    },

    async addMembers(members) {
      for (let start = 0; start < members.length; start += ROWS_AT_ONCE) {
        const rows = members.slice(start, start + ROWS_AT_ONCE)
        await db.insertInto('group_members').values(rows).execute()
      }
    },

    async removeMember(groupId, accountId) {
      const { numDeletedRows } = await db
        .deleteFrom('group_members')
        .where('group_id', '=', groupId)
        .where('account_id', '=', accountId)
        .executeTakeFirst()
      return numDeletedRows > 0n
    },

    async remove(id) {
      await db.deleteFrom('groups').where('id', '=', id).execute()
    },
  }
}

/** A count is never null, but a subquery could be. */
function groupOf({ members, ...group }: Omit<Group, 'members'> & { members: number | null }): Group {
  return { ...group, members: members ?? 0 }
}

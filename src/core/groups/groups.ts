/** The rules of groups, for every door. */
import { randomUUID } from 'node:crypto'
import type { Account } from '#core/accounts/account.ts'
import type { Recorder } from '#core/audit/audit.ts'
import { ADMINISTRATOR, type AuditType } from '#core/audit/event.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { AppError } from '#platform/errors.ts'
import type { Group } from './group.ts'
import { groupName } from './group-name.ts'
import { groupStore, type GroupStore } from './store.ts'

export interface Groups {
  /** @throws AppError(invalid_input) for a name that cannot be one; AppError(conflict) for one that is taken */
  create(name: unknown): Promise<Group>
  /** All of them, by name. */
  list(): Promise<readonly Group[]>
  find(name: string): Promise<Group | undefined>
  /** @throws AppError(not_found) */
  get(name: string): Promise<Group>
  /** Adding somebody who is in the group already changes nothing. @throws AppError(not_found) for either */
  addMember(name: string, who: string): Promise<Group>
  /** @throws AppError(not_found) for either, and for somebody who is not in the group */
  removeMember(name: string, who: string): Promise<Group>
  /** Deletes the group and gives it back as it was. @throws AppError(not_found) */
  remove(name: string): Promise<Group>
}

export interface GroupsNeeds {
  readonly database: Database<Tables>
  readonly clock: Clock
  readonly accounts: { get(who: string): Promise<Account> }
  readonly audit: Recorder
}

export function createGroups({ database, clock, accounts, audit }: GroupsNeeds): Groups {
  const store = groupStore(database.db)

  /** Changes a group and puts that on record, both or neither. */
  const recorded = <T>(
    type: AuditType,
    { id, name }: Pick<Group, 'id' | 'name'>,
    change: (rows: GroupStore) => Promise<T>,
    accountId?: string,
  ): Promise<T> =>
    database.db.transaction().execute(async (transaction) => {
      const changed = await change(groupStore(transaction))
      await audit.record({ type, by: ADMINISTRATOR, accountId, facts: { group: name, group_id: id } }, transaction)
      return changed
    })

  const get: Groups['get'] = async (name) => {
    // a control character is in no group's name, and PostgreSQL takes no NUL in text
    const group = groupName.safeParse(name).success ? await store.find(name.trim()) : undefined
    if (group) return group
    throw new AppError('not_found', `There is no group called "${name}".`, {
      hint: '`latchkey group list` shows the groups there are.',
    })
  }

  return {
    async create(input) {
      const parsed = groupName.safeParse(input)
      if (!parsed.success) {
        const [message = 'The name cannot be taken.'] = parsed.error.issues.map((issue) => issue.message)
        throw new AppError('invalid_input', 'The group was not created.', {
          fields: { name: message },
          hint: 'Choose another name.',
        })
      }
      const group = { id: randomUUID(), name: parsed.data, members: 0, createdAt: clock.now() }
      try {
        await recorded('group.created', group, (rows) =>
          rows.insert({ id: group.id, name: group.name, created_at: group.createdAt }),
        )
      } catch (cause) {
        if (!database.kind.isUniqueViolation(cause)) throw cause
        throw nameTaken(group.name, cause)
      }
      return group
    },

    list: () => store.list(),
    find: async (name) => (groupName.safeParse(name).success ? store.find(name.trim()) : undefined),
    get,

    async addMember(name, who) {
      const [group, account] = [await get(name), await accounts.get(who)]
      await recorded('group.member_added', group, (rows) => rows.addMember(group.id, account.id), account.id)
      return get(name)
    },

    async removeMember(name, who) {
      const [group, account] = [await get(name), await accounts.get(who)]
      const remove = async (rows: GroupStore): Promise<void> => {
        if (!(await rows.removeMember(group.id, account.id))) throw notInGroup(who, account.id, group.name)
      }
      await recorded('group.member_removed', group, remove, account.id)
      return get(name)
    },

    async remove(name) {
      const group = await get(name)
      await recorded('group.deleted', group, (rows) => rows.remove(group.id))
      return group
    },
  }
}

function notInGroup(who: string, accountId: string, group: string): AppError {
  return new AppError('not_found', `"${who}" is not in the group "${group}".`, {
    hint: `\`latchkey user show ${accountId}\` shows the groups of this person.`,
  })
}

function nameTaken(name: string, cause: unknown): AppError {
  return new AppError('conflict', `There is a group called "${name}" already.`, {
    fields: { name: 'This name is taken: choose another one.' },
    hint: 'Choose another name, or use the group that is there.',
    cause,
  })
}

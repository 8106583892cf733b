/** `latchkey group …`: reads what was typed, calls one rule of core/groups, prints what came of it. */
import { groupJson, type Group } from '#core/groups/group.ts'
import type { Groups } from '#core/groups/groups.ts'
import type { CommandGroup, CommandResult, CommandSpec } from '#platform/cli.ts'

interface Needs {
  readonly groups: Groups
}

const create: CommandSpec<Needs> = {
  verb: 'create',
  summary: 'Add a group.',
  arguments: ['<name>'],
  run: async ({ needs: { groups }, args: [name = ''] }) => answer(await groups.create(name)),
}

const list: CommandSpec<Needs> = {
  verb: 'list',
  summary: 'List all groups by name.',
  async run({ needs: { groups } }) {
    const all = await groups.list()
    return {
      json: { items: all.map(groupJson), next: null },
      text: all.length === 0 ? 'No group yet. Add one: latchkey group create NAME' : all.map(line).join('\n'),
    }
  },
}

const add: CommandSpec<Needs> = {
  verb: 'add',
  summary: 'Put a person into a group.',
  arguments: ['<name>', '<id|email|username>'],
  run: async ({ needs: { groups }, args: [name = '', who = ''] }) => answer(await groups.addMember(name, who)),
}

const remove: CommandSpec<Needs> = {
  verb: 'remove',
  summary: 'Take a person out of a group.',
  arguments: ['<name>', '<id|email|username>'],
  run: async ({ needs: { groups }, args: [name = '', who = ''] }) => answer(await groups.removeMember(name, who)),
}

const destroy: CommandSpec<Needs> = {
  verb: 'delete',
  summary: 'Delete a group; the people in it stay.',
  arguments: ['<name>'],
  confirm: ([name = '']) => `Delete the group ${name}? Its members lose what is open to it.`,
  async run({ needs: { groups }, args: [name = ''] }) {
    const group = await groups.remove(name)
    return { json: { id: group.id, name: group.name, deleted: true }, text: `The group ${group.name} is deleted.` }
  },
}

export const groupCommands: CommandGroup<Needs> = {
  noun: 'group',
  summary: 'Groups of people, for claims and for who may use a client.',
  commands: [create, list, add, remove, destroy],
}

function answer(group: Group): CommandResult {
  return { json: groupJson(group), text: line(group) }
}

function line({ name, members }: Group): string {
  return `${name}  ${members} ${members === 1 ? 'member' : 'members'}`
}

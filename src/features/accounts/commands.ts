/** `latchkey user …`: reads what was typed, calls one rule of core/accounts, prints what came of it. */
import { accountJson, personLabel, type Account } from '#core/accounts/account.ts'
import type { Accounts } from '#core/accounts/accounts.ts'
import type { CommandGroup, CommandResult, CommandSpec } from '#platform/cli.ts'
import { AppError } from '#platform/errors.ts'
import { importCommand } from './import-command.ts'
import { newPassword, passwordStdinOption } from './new-password.ts'
import { createOptions, membersFrom, updateOptions } from './options.ts'
import { peopleText, personText } from './person-text.ts'

interface Needs {
  readonly accounts: Accounts
}

const WHO = '<id|email|username>'

const create: CommandSpec<Needs> = {
  verb: 'create',
  summary: 'Add a person.',
  options: [...createOptions, passwordStdinOption],
  async run({ needs: { accounts }, options, terminal }) {
    const password = await newPassword(options, terminal)
    const account = await accounts.create(membersFrom(options), password)
    if (password === undefined) {
      terminal.say(
        'Nobody could be asked for a password, so this person has none and cannot sign in with one.\n' +
          `Set it with: latchkey user set-password ${account.id}\n`,
      )
    }
    return person(account)
  },
}

const list: CommandSpec<Needs> = {
  verb: 'list',
  summary: 'List people, oldest first.',
  options: [
    { flags: '--search <text>', description: 'only those with this in their user name, e-mail address or name' },
    { flags: '--limit <number>', description: 'how many at once, 50 unless told' },
    { flags: '--cursor <text>', description: 'go on after an earlier page: its "next"' },
  ],
  async run({ needs: { accounts }, options, terminal }) {
    const { items, next } = await accounts.list(options)
    if (next !== undefined) terminal.say(`There are more: add --cursor ${next}\n`)
    return { json: { items: items.map(accountJson), next: next ?? null }, text: peopleText(items) }
  },
}

const show: CommandSpec<Needs> = {
  verb: 'show',
  summary: 'Show a person.',
  arguments: [WHO],
  run: async ({ needs: { accounts }, args: [who = ''] }) => person(await accounts.get(who)),
}

const update: CommandSpec<Needs> = {
  verb: 'update',
  summary: 'Change what is known about a person; what is not named stays.',
  arguments: [WHO],
  options: updateOptions,
  async run({ needs: { accounts }, args: [who = ''], options }) {
    const { id } = await accounts.get(who)
    return person(await accounts.update(id, membersFrom(options)))
  },
}

const setPassword: CommandSpec<Needs> = {
  verb: 'set-password',
  summary: 'Give a person a new password and sign them out everywhere.',
  arguments: [WHO],
  options: [passwordStdinOption],
  async run({ needs: { accounts }, args: [who = ''], options, terminal }) {
    const { id } = await accounts.get(who)
    const password = await newPassword(options, terminal)
    if (password === undefined) {
      throw new AppError('invalid_input', 'No password was set, since nobody could be asked for one.', {
        hint: 'Send it on stdin and add --password-stdin, or run this in a terminal.',
      })
    }
    return done(await accounts.setPassword(id, password), 'has a new password and is signed out everywhere')
  },
}

const disable = onOne(
  'disable',
  'Keep a person from signing in, and sign them out everywhere.',
  'is disabled and signed out everywhere',
  (accounts, { id }) => accounts.disable(id),
)
const enable = onOne(
  'enable',
  'Let a person sign in again who was disabled, or at whose password too many guessed.',
  'is enabled',
  (accounts, { id }) => accounts.enable(id),
)
const signOut = onOne(
  'sign-out',
  'Sign a person out everywhere and end their tokens.',
  'is signed out everywhere',
  (accounts, { id }) => accounts.signOut(id),
)

const remove: CommandSpec<Needs> = {
  verb: 'delete',
  summary: 'Delete a person with all that stands on them.',
  arguments: [WHO],
  confirm: ([who = '']) => `Delete the person ${who} for good?`,
  async run({ needs: { accounts }, args: [who = ''] }) {
    const { id } = await accounts.get(who)
    const account = await accounts.remove(id)
    return { json: { id, deleted: true }, text: `${personLabel(account)} is deleted.` }
  },
}

export const userCommands: CommandGroup<Needs> = {
  noun: 'user',
  summary: 'People who sign in.',
  commands: [create, list, show, update, setPassword, disable, enable, signOut, remove, importCommand],
}

/** A command that names one person and takes no options. It tells what was done; its JSON is the person as they are then. */
function onOne(
  verb: string,
  summary: string,
  what: string,
  run: (accounts: Accounts, account: Account) => Promise<Account>,
): CommandSpec<Needs> {
  return {
    verb,
    summary,
    arguments: [WHO],
    run: async ({ needs: { accounts }, args: [who = ''] }) => done(await run(accounts, await accounts.get(who)), what),
  }
}

function person(account: Account): CommandResult {
  return { json: accountJson(account), text: personText(account) }
}

function done(account: Account, what: string): CommandResult {
  return { json: accountJson(account), text: `${personLabel(account)} ${what}.` }
}

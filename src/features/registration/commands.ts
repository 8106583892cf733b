/** `latchkey registration-token <verb>`: what lets software register itself. */
import { CLIENT_TYPES } from '#core/clients/client.ts'
import type { RegistrationTokens } from '#core/registration/registration-tokens.ts'
import { registrationTokenJson, type RegistrationToken } from '#core/registration/registration-token.ts'
import type { Settings } from '#core/services.ts'
import type { CommandGroup, CommandResult, CommandSpec } from '#platform/cli.ts'
import type { Clock } from '#platform/clock.ts'
import { createdText, tokenDetails, tokenTable } from './token-text.ts'

interface Needs {
  readonly registrationTokens: RegistrationTokens
  readonly settings: Pick<Settings, 'issuer' | 'registration'>
  readonly clock: Clock
}

const create: CommandSpec<Needs> = {
  verb: 'create',
  summary: 'Let somebody register software within bounds; the token is shown once.',
  options: [
    { flags: '--name <name>', description: 'what it is for; default: registration' },
    { flags: '--expires <time>', description: 'how long it holds, such as 12h or 7d, or in seconds; default: 7d' },
    { flags: '--uses <number>', description: 'how many clients may be registered with it; default: 1' },
    {
      flags: '--type <type>',
      description: 'what may be registered; default: web, spa and native',
      choices: CLIENT_TYPES,
      repeatable: true,
    },
    {
      flags: '--redirect-host <host>',
      description:
        'where its redirect URIs may lead, such as app.example, *.app.example or com.example.app: for an app’s scheme; default: anywhere',
      repeatable: true,
    },
    { flags: '--scope <scopes>', description: 'the most that it may ask for; default: all that the server offers' },
    { flags: '--group <name>', description: 'a group that it is open to; default: everyone', repeatable: true },
  ],
  async run({ needs: { registrationTokens, settings, clock }, options, terminal }) {
    const { token, value } = await registrationTokens.create({
      name: options['name'],
      expires: options['expires'],
      uses: options['uses'],
      types: options['type'],
      redirect_hosts: options['redirectHost'],
      scope: options['scope'],
      groups: options['group'],
    })
    if (settings.registration.mode !== 'token')
      terminal.say(`It is good for nothing while REGISTRATION is ${settings.registration.mode}: set it to token.\n`)
    return { json: registrationTokenJson(token, clock.now(), value), text: createdText(token, value, settings.issuer) }
  },
}

const list: CommandSpec<Needs> = {
  verb: 'list',
  summary: 'List all registration tokens, newest first.',
  async run({ needs: { registrationTokens, clock } }) {
    const all = await registrationTokens.list()
    const items = all.map((token) => registrationTokenJson(token, clock.now()))
    return { json: { items, next: null }, text: tokenTable(all, clock.now()) }
  },
}

const show: CommandSpec<Needs> = {
  verb: 'show',
  summary: 'Show what may be registered with a token.',
  arguments: ['<id>'],
  run: async ({ needs, args: [id = ''] }) => answer(await needs.registrationTokens.get(id), needs),
}

const revoke: CommandSpec<Needs> = {
  verb: 'revoke',
  summary: 'Let nobody register with a token any more; what was registered stays.',
  arguments: ['<id>'],
  run: async ({ needs, args: [id = ''] }) => answer(await needs.registrationTokens.revoke(id), needs),
}

export const registrationTokenCommands: CommandGroup<Needs> = {
  noun: 'registration-token',
  summary: 'Tokens with which software registers itself (initial access tokens, RFC 7591).',
  commands: [create, list, show, revoke],
}

function answer(token: RegistrationToken, { clock }: Needs): CommandResult {
  return { json: registrationTokenJson(token, clock.now()), text: tokenDetails(token, clock.now()) }
}

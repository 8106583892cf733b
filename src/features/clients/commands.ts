/** `latchkey client <verb>`: options become the one shape of core/clients, and what comes back becomes text or JSON. */
import {
  CLIENT_ASSIGNMENTS,
  CLIENT_PROFILES,
  CLIENT_TYPES,
  ID_TOKEN_CLAIMS,
  REFRESH_TOKENS,
  type Client,
} from '#core/clients/client.ts'
import { clientJson } from '#core/clients/client-json.ts'
import type { Services } from '#core/services.ts'
import type { CommandGroup, CommandInput, CommandResult, CommandSpec, OptionSpec } from '#platform/cli.ts'
import { utc } from '#platform/columns.ts'
import { inputFrom } from './input-from-options.ts'
import { clientDetails, clientTable, secretDetails } from './client-text.ts'
import { SNIPPET_TARGETS, snippetFor } from './snippet.ts'

type ClientCommand = CommandSpec<Services>

const LIST_PAGE = 200

const SETTINGS: readonly OptionSpec[] = [
  { flags: '--name <name>', description: 'how people see it, on the consent page for one' },
  {
    flags: '--redirect-uri <uri>',
    description: 'where people come back to; compared character by character',
    repeatable: true,
  },
  {
    flags: '--type <type>',
    description: 'web has a secret; spa and native have none; service acts for itself',
    choices: CLIENT_TYPES,
  },
  {
    flags: '--post-logout-redirect-uri <uri>',
    description: 'where people may come back to after signing out',
    repeatable: true,
  },
  {
    flags: '--backchannel-logout-uri <uri>',
    description: 'where it is told that a person was signed out (OpenID Connect Back-Channel Logout 1.0)',
  },
  { flags: '--scope <scopes>', description: 'what it may ask for, separated by spaces' },
  { flags: '--first-party', description: 'an application of your own: people are not asked for consent' },
  { flags: '--assignment <whom>', description: 'who may sign in to it', choices: CLIENT_ASSIGNMENTS },
  { flags: '--group <name>', description: 'a group that may sign in to it', repeatable: true },
  { flags: '--require-pkce', description: 'refuse requests without PKCE (spa and native: always)' },
  {
    flags: '--id-token-claims <form>',
    description: 'full: claims in the ID token too; strict: only at userinfo',
    choices: ID_TOKEN_CLAIMS,
  },
  {
    flags: '--refresh-tokens <when>',
    description: 'when it gets a refresh token',
    choices: REFRESH_TOKENS,
  },
  {
    flags: '--claim <rule>',
    description: 'a claim beyond its scopes: NAME, NAME=SOURCE or NAME=JSON, each with @SCOPE if it hangs on one',
    repeatable: true,
  },
  {
    flags: '--device-flow',
    description: 'for devices without a browser: people type a code (web and native; needs no redirect URI)',
  },
  {
    flags: '--ciba <mode>',
    description:
      'people approve its requests on a page of this server (web; needs no redirect URI); it hears of it by poll or ping',
  },
  {
    flags: '--profile <name>',
    description: 'fapi2: demand the FAPI 2.0 Security Profile of it (web and service; needs its keys)',
    choices: CLIENT_PROFILES,
  },
  { flags: '--metadata <file>', description: 'further metadata as JSON in its RFC 7591 spelling; - reads stdin' },
]

const DEFAULTS: Readonly<Record<string, string>> = {
  '--type <type>': 'web',
  '--scope <scopes>': 'every scope that the server offers',
  '--assignment <whom>': 'everyone',
  '--id-token-claims <form>': 'full',
  '--refresh-tokens <when>': 'offline_access',
  '--profile <name>': 'none',
}

const create: ClientCommand = {
  verb: 'create',
  summary: 'Register an application; its secret is shown once.',
  options: SETTINGS.map((option) => withDefault(option)),
  async run({ needs, options, terminal }) {
    const { client, secret } = await needs.clients.register(await inputFrom(options, terminal))
    const done = `${client.name} (${client.type}) is registered.`
    return { json: clientJson(client, secret), text: secretDetails(done, client, secret, needs.settings.issuer) }
  },
}

const list: ClientCommand = {
  verb: 'list',
  summary: 'List all applications, oldest first.',
  async run({ needs }) {
    const found: Client[] = []
    let cursor: string | undefined
    do {
      const page = await needs.clients.list({ limit: LIST_PAGE, cursor })
      found.push(...page.items)
      cursor = page.next
    } while (cursor !== undefined)
    return { json: { items: found.map((client) => clientJson(client)), next: null }, text: clientTable(found) }
  },
}

const show = onOne('show', 'Show what is registered for an application.', ({ needs }, id) => needs.clients.get(id))

const update: ClientCommand = {
  ...onOne('update', 'Change what is given and leave the rest.', async ({ needs, options, terminal }, id) =>
    needs.clients.update(id, await inputFrom(options, terminal)),
  ),
  options: [
    ...SETTINGS.map((option) => asChange(option)),
    { flags: '--no-first-party', description: 'ask people for consent from now on' },
    { flags: '--no-device-flow', description: 'give devices no codes any more' },
    { flags: '--no-ciba', description: 'take no backchannel authentication requests any more' },
    { flags: '--no-require-pkce', description: 'accept requests without PKCE (type web only)' },
    { flags: '--clear-claims', description: 'give it no claims beyond its scopes' },
    {
      flags: '--vouched',
      description: 'you know software that registered itself: people are not warned, and it cannot change itself',
    },
  ],
}

const rotateSecret: ClientCommand = {
  verb: 'rotate-secret',
  summary: 'Give an application a new secret, shown once; the old one ends at once, or after --overlap.',
  arguments: ['<id>'],
  options: [
    {
      flags: '--overlap <seconds>',
      description: 'how long the old secret holds beside the new one, at most 30 days; default: 0',
    },
  ],
  async run({ needs, args: [id = ''], options: { overlap } }) {
    const rotation = overlap === undefined ? {} : { overlap_seconds: secondsIn(overlap) }
    const { client, secret } = await needs.clients.rotateSecret(id, rotation)
    const done = `${client.name} has a new secret; ${fateOfTheOld(client)}`
    return { json: clientJson(client, secret), text: secretDetails(done, client, secret, needs.settings.issuer) }
  },
}

const disable = onOne('disable', 'Let nobody sign in to an application, and end its tokens.', ({ needs }, id) =>
  needs.clients.disable(id),
)
const enable = onOne('enable', 'Open a disabled application again.', ({ needs }, id) => needs.clients.enable(id))

const remove: ClientCommand = {
  verb: 'delete',
  summary: 'Remove an application with its tokens and what people allowed it.',
  arguments: ['<id>'],
  confirm: ([id = '']) => `Delete the client ${id}, its tokens and what people allowed it?`,
  async run({ needs, args: [id = ''] }) {
    await needs.clients.remove(id)
    return { json: { client_id: id, deleted: true }, text: `The client ${id} is gone.` }
  },
}

const snippet: ClientCommand = {
  verb: 'snippet',
  summary: "Print an application's configuration for a library, with the client's values (not its secret).",
  arguments: ['<id>'],
  options: [{ flags: '--for <library>', description: 'what the application is built with', choices: SNIPPET_TARGETS }],
  async run({ needs, args: [id = ''], options, terminal }) {
    const target = typeof options['for'] === 'string' ? options['for'] : ''
    const { files, aboutSecret } = snippetFor(await needs.clients.get(id), target, needs.settings.issuer)
    if (aboutSecret !== undefined) terminal.say(`${aboutSecret}\n`)
    return { json: { target, files }, text: files.map(({ content }) => content).join('\n') }
  },
}

export const clientCommands: CommandGroup<Services> = {
  noun: 'client',
  summary: 'Applications that people sign in to (relying parties).',
  commands: [create, list, show, update, rotateSecret, snippet, disable, enable, remove],
}

function fateOfTheOld({ previousSecret }: Client): string {
  if (!previousSecret) return 'the old one is worth nothing from now on.'
  const until = utc(previousSecret.expiresAt)
  return `the old one authenticates until ${until}, and signs nothing from now on.`
}

/** A number as core/clients judges it; what is none is left as it is, to be refused there. */
function secondsIn(text: unknown): unknown {
  return typeof text === 'string' && /^\d{1,15}$/.test(text) ? Number(text) : text
}

/** A command on one client that answers with that client. */
function onOne(
  verb: string,
  summary: string,
  run: (input: CommandInput<Services>, id: string) => Promise<Client>,
): ClientCommand {
  return {
    verb,
    summary,
    arguments: ['<id>'],
    async run(input): Promise<CommandResult> {
      const client = await run(input, input.args[0] ?? '')
      return { json: clientJson(client), text: clientDetails(client) }
    },
  }
}

function withDefault(option: OptionSpec): OptionSpec {
  const byDefault = DEFAULTS[option.flags]
  return byDefault === undefined ? option : { ...option, description: `${option.description}; default: ${byDefault}` }
}

function asChange(option: OptionSpec): OptionSpec {
  if (option.repeatable) return { ...option, description: `${option.description}; replaces the whole list` }
  if (option.flags.startsWith('--metadata'))
    return { ...option, description: `${option.description}; null takes a member away` }
  return option
}

/** `latchkey api <verb>`: options become the one shape of core/apis, and what comes back becomes text or JSON. */
import { apiJson, type Api } from '#core/apis/api.ts'
import { SIGNING_ALGORITHMS } from '#core/signing-keys/algorithms.ts'
import type { Apis } from '#core/apis/apis.ts'
import type { CommandGroup, CommandResult, CommandSpec, OptionSpec } from '#platform/cli.ts'
import { parseDetailType } from '#core/apis/detail-type.ts'
import { apiDetails, apiTable } from './api-text.ts'

interface Needs {
  readonly apis: Apis
}

const SETTINGS: readonly (OptionSpec & { readonly byDefault?: string })[] = [
  {
    flags: '--name <name>',
    description: 'how people see it, on the consent page for one',
    byDefault: 'the identifier',
  },
  { flags: '--scope <scopes>', description: 'what may be asked for there, separated by spaces', byDefault: 'nothing' },
  {
    flags: '--authorization-detail-type <type>',
    description: 'what may be asked for by authorization_details (RFC 9396): "TYPE[member,member]=What people read"',
    repeatable: true,
  },
  {
    flags: '--format <format>',
    description: 'jwt: the API checks tokens itself (RFC 9068); opaque: it introspects them',
    choices: ['jwt', 'opaque'],
    byDefault: 'jwt',
  },
  {
    flags: '--access-token-seconds <seconds>',
    description: 'how long its access tokens live',
    byDefault: 'as all access tokens',
  },
  {
    flags: '--alg <algorithm>',
    description: 'what its JWTs are signed with',
    choices: SIGNING_ALGORITHMS,
    byDefault: 'RS256',
  },
  {
    flags: '--assignment <whom>',
    description: 'which clients may get tokens for it',
    choices: ['everyone', 'clients'],
    byDefault: 'everyone',
  },
  { flags: '--client <id>', description: 'a client that may, with --assignment clients', repeatable: true },
  {
    flags: '--introspection-client <id>',
    description: 'a client that the API asks the introspection endpoint as',
    repeatable: true,
  },
]

const create: CommandSpec<Needs> = {
  verb: 'create',
  summary: 'Register an API, so that clients can ask for access tokens for it.',
  options: [
    { flags: '--identifier <uri>', description: 'what clients name in `resource` and tokens carry in `aud`; it stays' },
    ...SETTINGS.map(withDefault),
  ],
  async run({ needs: { apis }, options }) {
    const api = await apis.create({ identifier: options['identifier'] ?? '', ...inputFrom(options) })
    return { json: apiJson(api), text: `${api.name} is registered.\n\n${apiDetails(api)}` }
  },
}

const list: CommandSpec<Needs> = {
  verb: 'list',
  summary: 'List all APIs by identifier.',
  async run({ needs: { apis } }) {
    const all = await apis.list()
    return { json: { items: all.map((api) => apiJson(api)), next: null }, text: apiTable(all) }
  },
}

const show: CommandSpec<Needs> = {
  verb: 'show',
  summary: 'Show what is registered for an API.',
  arguments: ['<identifier>'],
  run: async ({ needs: { apis }, args: [identifier = ''] }) => answer(await apis.get(identifier)),
}

const update: CommandSpec<Needs> = {
  verb: 'update',
  summary: 'Change what is given and leave the rest; it holds from the next request on.',
  arguments: ['<identifier>'],
  options: [
    ...SETTINGS.map(asChange),
    { flags: '--no-access-token-seconds', description: 'let its access tokens live as long as all others' },
    { flags: '--no-authorization-detail-type', description: 'let nobody ask for authorization_details there' },
    { flags: '--no-introspection-client', description: 'let nobody introspect its tokens' },
  ],
  run: async ({ needs: { apis }, args: [identifier = ''], options }) =>
    answer(await apis.update(identifier, inputFrom(options))),
}

const remove: CommandSpec<Needs> = {
  verb: 'delete',
  summary: 'Remove an API; nobody gets tokens for it any more.',
  arguments: ['<identifier>'],
  confirm: ([identifier = '']) => `Delete the API ${identifier}? Clients that ask for it will be refused.`,
  async run({ needs: { apis }, args: [identifier = ''] }) {
    await apis.remove(identifier)
    return { json: { identifier, deleted: true }, text: `The API ${identifier} is gone.` }
  },
}

export const apiCommands: CommandGroup<Needs> = {
  noun: 'api',
  summary: 'APIs (resource servers) that access tokens are issued for.',
  commands: [create, list, show, update, remove],
}

/** The options in the spelling of core/apis; it judges nothing. */
function inputFrom(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { accessTokenSeconds, authorizationDetailType: types, introspectionClient } = options
  return {
    name: options['name'],
    scope: options['scope'],
    authorization_details_types:
      types === false ? [] : Array.isArray(types) ? types.map(String).map(parseDetailType) : undefined,
    format: options['format'],
    access_token_seconds:
      accessTokenSeconds === false
        ? null
        : typeof accessTokenSeconds === 'string'
          ? numberIn(accessTokenSeconds)
          : undefined,
    signing_alg: options['alg'],
    assignment: options['assignment'],
    clients: options['client'],
    introspection_clients: introspectionClient === false ? [] : introspectionClient,
  }
}

/** What is not a number stays text, so that the shape refuses it. */
function numberIn(text: string): number | string {
  return /^\d+$/.test(text) ? Number(text) : text
}

function answer(api: Api): CommandResult {
  return { json: apiJson(api), text: apiDetails(api) }
}

function withDefault({ byDefault, ...option }: (typeof SETTINGS)[number]): OptionSpec {
  return byDefault === undefined ? option : { ...option, description: `${option.description}; default: ${byDefault}` }
}

function asChange(option: OptionSpec): OptionSpec {
  return option.repeatable ? { ...option, description: `${option.description}; replaces the whole list` } : option
}

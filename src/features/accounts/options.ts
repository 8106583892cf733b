/** The options of `latchkey user create` and `update`, made from the one shape of a person, and the way back. */
import { z } from 'zod'
import { accountMembers, clearableMembers } from '#core/accounts/account-input.ts'
import { parseClaimValue } from '#core/custom-claims/claim-text.ts'
import { AppError } from '#platform/errors.ts'
import type { OptionSpec } from '#platform/cli.ts'

type Options = Readonly<Record<string, unknown>>

const members = Object.entries(accountMembers).map(([name, schema]) => {
  const { description = '', placeholder = 'text' } = schema.meta() ?? {}
  // the command line says --group where the JSON says groups, since it is given once for each
  const flag = (name === 'groups' ? 'group' : name).replaceAll('_', '-')
  return {
    name,
    flag,
    description,
    placeholder: String(placeholder),
    isFlag: schema instanceof z.ZodBoolean,
    isList: name === 'groups',
  }
})

const claimOption: OptionSpec = {
  flags: '--claim <name=value>',
  description: 'a claim of your own; the value is JSON, or else text',
  repeatable: true,
}

export const createOptions: readonly OptionSpec[] = [
  ...members.map(({ flag, description, placeholder, isFlag, isList }) => ({
    flags: isFlag ? `--${flag}` : `--${flag} <${placeholder}>`,
    description,
    repeatable: isList,
  })),
  claimOption,
]

export const updateOptions: readonly OptionSpec[] = [
  ...members.flatMap(({ flag, description, placeholder, isFlag, isList }) =>
    isFlag
      ? [
          { flags: `--${flag}`, description },
          { flags: `--no-${flag}`, description: `take that back` },
        ]
      : [
          {
            flags: `--${flag} <${placeholder}>`,
            description: isList ? `${description}; the groups given replace all others` : description,
            repeatable: isList,
          },
        ],
  ),
  {
    flags: '--clear <claim>',
    description: `unset one of group, ${clearableMembers.map(kebab).join(', ')}`,
    repeatable: true,
  },
  claimOption,
  { flags: '--clear-claim <name>', description: 'take a claim of your own away', repeatable: true },
]

/**
 * The options of a person that were given, as members; those to clear are null, or empty.
 * @throws AppError(invalid_input) for an address that is no JSON
 */
export function membersFrom(options: Options): Record<string, unknown> {
  const given: Record<string, unknown> = {}
  for (const { name, flag, placeholder } of members) {
    const value = options[camel(flag)]
    if (value !== undefined) given[name] = placeholder === 'json' ? jsonOf(flag, value) : value
  }
  for (const name of cleared(options)) {
    if (given[name] !== undefined) throw bothGiven(name)
    given[name] = name === 'groups' ? [] : null
  }
  const customClaims = customClaimsIn(options)
  return customClaims.length === 0 ? given : { ...given, custom_claims: Object.fromEntries(customClaims) }
}

/** Those that are taken away are null. @throws AppError(invalid_input) for one without a value, or both given and taken away */
function customClaimsIn(options: Options): (readonly [string, unknown])[] {
  const set = texts.parse(options['claim']).map((text) => {
    const claim = parseClaimValue(text)
    if (claim) return claim
    throw new AppError('invalid_input', `--claim ${text} has no value.`, {
      hint: `Write it as --claim ${text}=VALUE; --clear-claim ${text} takes it away.`,
    })
  })
  const away = texts.parse(options['clearClaim'])
  for (const [name] of set) if (away.includes(name)) throw bothGiven(name)
  return [...set, ...away.map((name) => [name, null] as const)]
}

const texts = z.array(z.string()).catch([])

function cleared(options: Options): readonly string[] {
  return texts.parse(options['clear']).map((name) => (name === 'group' ? 'groups' : name.replaceAll('-', '_')))
}

function jsonOf(flag: string, value: unknown): unknown {
  try {
    return JSON.parse(String(value))
  } catch (cause) {
    throw new AppError('invalid_input', `--${flag} is no JSON.`, {
      hint: `Write it like --${flag} '{"locality":"Paris","country":"France"}'`,
      cause,
    })
  }
}

function bothGiven(name: string): AppError {
  return new AppError('invalid_input', `${kebab(name)} is both given and cleared.`, { hint: 'Say one of the two.' })
}

function camel(flag: string): string {
  return flag.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}

function kebab(name: string): string {
  return name.replaceAll('_', '-')
}

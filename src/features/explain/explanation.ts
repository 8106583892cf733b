import { nearestDifference, type Difference } from './difference.ts'
import { registeredList, registeredText, wholeValue, type Refused, type Remedy, type Rule } from './refused.ts'
import { ENDPOINT_RULES } from './endpoint-rules.ts'
import { GUESSING_RULES } from './guessing-rules.ts'
import { PAGE_RULES } from './page-rules.ts'
import { REQUEST_RULES } from './request-rules.ts'

export interface Explanation {
  readonly error_id: string
  readonly at: number
  readonly type: string
  /** The code that was told, and the words with it. */
  readonly error: string | null
  readonly description: string | null
  /** The reason on record: the library's or ours. */
  readonly reason: string | null
  readonly rule: { readonly sentence: string; readonly source: string }
  readonly client: { readonly client_id: string; readonly client_name: string; readonly disabled: boolean } | null
  /** The client was changed since it was refused, so what is registered now is not what refused it. */
  readonly client_changed_since: boolean
  readonly received: Readonly<Record<string, string | readonly string[]>>
  /** What stands against each, by the name of what was received. */
  readonly registered: Readonly<Record<string, string | readonly string[]>>
  readonly differences: readonly (Difference & { readonly parameter: string })[]
  readonly remedy: Remedy
}

/** Says of a refusal which rule it was and what stands against what was sent. */
export function explanationOf(refused: Refused): Explanation {
  const { id, entry, client, received } = refused
  const rule = ruleOf(refused)
  return {
    error_id: id,
    at: entry.at,
    type: entry.type,
    error: textIn(entry.facts['error']),
    description: textIn(entry.facts['description']),
    reason: entry.rule,
    rule: { sentence: rule.sentence, source: rule.source },
    client: client ? { client_id: client.id, client_name: client.name, disabled: client.disabled } : null,
    client_changed_since: client !== undefined && client.updatedAt > entry.at,
    received: { ...received, ...authentication(refused) },
    registered: registeredFor(refused),
    differences: differencesOf(refused),
    remedy: remedyOf(rule, refused),
  }
}

/** Whoever reads it is told also where nothing at the server is to be mended. */
function remedyOf(rule: Rule, refused: Refused): Remedy {
  const remedy = rule.remedy?.(refused)
  if (remedy?.command !== undefined) return remedy
  const nothing = 'There is nothing to mend at the server.'
  return { sentence: remedy ? `${remedy.sentence} ${nothing}` : nothing }
}

function ruleOf({ entry: { type, rule: reason, facts } }: Refused): Rule {
  const fact = (name: string): string => textIn(facts[name]) ?? '-'
  const text = [type, fact('error'), reason, fact('description'), fact('event')].join(' ')
  const rule = [...GUESSING_RULES, ...REQUEST_RULES, ...PAGE_RULES, ...ENDPOINT_RULES].find(({ on }) => on.test(text))
  return rule ?? { on: /./, sentence: reason ?? 'The request was refused.', source: sourceOf(type) }
}

function sourceOf(type: string): string {
  const [word = ''] = type.split('.', 1)
  const sources: Readonly<Record<string, string>> = {
    authorization: 'RFC 6749 §4.1.2.1',
    token: 'RFC 6749 §5.2',
    introspection: 'RFC 7662 §2.3',
    revocation: 'RFC 7009 §2.2.1',
    userinfo: 'RFC 6750 §3.1',
    logout: 'OpenID Connect RP-Initiated Logout 1.0 §4',
    registration: 'RFC 7591 §3.2.2',
    pushed_request: 'RFC 9126 §2.3',
    device: 'RFC 8628 §3.5',
    backchannel_authentication: 'OpenID CIBA Core 1.0 §13',
  }
  return sources[word] ?? 'a rule of this server'
}

/** How the client tried to prove who it is, in the words of its registration. */
function authentication({ entry, received }: Refused): Record<string, string> {
  if (
    !/^(token|introspection|revocation|pushed_request|device|backchannel_authentication|token_family)\./.test(
      entry.type,
    )
  )
    return {}
  const sent = received['also_sent'] ?? []
  if (received['authorization_header'] === 'basic') return { client_authentication: 'client_secret_basic' }
  if (sent.includes('client_secret')) return { client_authentication: 'client_secret_post' }
  return { client_authentication: sent.includes('client_assertion') ? 'an assertion (JWT)' : 'none' }
}

/** The member of the metadata that each parameter is measured by. */
const MEASURED_BY: Readonly<Record<string, string>> = {
  redirect_uri: 'redirect_uris',
  post_logout_redirect_uri: 'post_logout_redirect_uris',
  response_type: 'response_types',
  grant_type: 'grant_types',
}

function registeredFor(refused: Refused): Record<string, string | readonly string[]> {
  const { client, received, entry } = refused
  if (!client) return 'client_id' in received ? { client_id: 'no client has this id' } : {}
  const measures = Object.entries(MEASURED_BY)
    .filter(([name]) => name in received)
    .map(([name, member]) => [name, registeredList(refused, member)] as const)
  const isAuthorization = entry.type.startsWith('authorization.')
  return {
    client_id: `${client.id} (${client.name}${client.disabled ? ', disabled' : ''})`,
    ...Object.fromEntries(measures),
    ...('scope' in received && { scope: registeredText(refused, 'scope') }),
    ...(Object.keys(authentication(refused)).length > 0 && {
      client_authentication: registeredText(refused, 'token_endpoint_auth_method'),
    }),
    ...(isAuthorization && { pkce: client.requirePkce ? 'required' : 'optional' }),
  }
}

function differencesOf(refused: Refused): (Difference & { parameter: string })[] {
  const { received } = refused
  return (['redirect_uri', 'post_logout_redirect_uri'] as const).flatMap((parameter) => {
    const value = received[parameter]
    const registered = registeredList(refused, MEASURED_BY[parameter] ?? '')
    if (typeof value !== 'string' || registered.includes(value)) return []
    const nearest = nearestDifference(wholeValue(refused, parameter) ?? value, registered)
    return nearest ? [{ parameter, ...nearest }] : []
  })
}

function textIn(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

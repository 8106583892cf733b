/**
 * What software says about itself when it registers (RFC 7591 §2), as input for the rules that an administrator's
 * registration passes too. Only metadata of the closed set goes through, whatever else is named; so nothing that is the
 * house's to decide can be said here. What differs from an administrator's word: it stays within bounds, leads nowhere
 * inside the operator's network, and asks nobody who is not at its own pages: no device flow, no backchannel requests.
 */
import { isIP } from 'node:net'
import type { ClientType } from '#core/clients/client.ts'
import { BACKCHANNEL_MEMBERS } from '#core/clients/backchannel-grant.ts'
import { clientMetadata } from '#core/clients/client-metadata.ts'
import { PRESETS, signsPeopleIn } from '#core/clients/presets.ts'
import { OFFERED_SCOPES } from '#core/clients/scopes.ts'
import { refusedClient } from '#core/clients/refused-client.ts'
import { SWITCHED_GRANTS } from '#core/clients/switched-grants.ts'
import { textsIn } from '#core/clients/texts-in.ts'
import { LOOPBACK_HOSTS, shownUri } from '#core/clients/web-address.ts'
import { foundIn } from '#core/problems.ts'
import type { AddressRules } from '#platform/fetch-addresses.ts'
import type { RegistrationBounds } from './bounds.ts'
import { isAmongHosts } from './hosts.ts'

type Members = Readonly<Record<string, unknown>>

const KNOWN = new Set(Object.keys(clientMetadata.shape).filter((member) => !BACKCHANNEL_MEMBERS.includes(member)))
const ADDRESSES = [
  'client_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
  'initiate_login_uri',
  'jwks_uri',
  'backchannel_logout_uri',
  'sector_identifier_uri',
]
const UNNAMED = 'An app without a name'

/**
 * @param metadata what was sent; members that we do not know are passed over (RFC 7591 §2)
 * @throws AppError(invalid_input) with one sentence a member
 */
export function selfRegistration(metadata: Members, bounds: RegistrationBounds, addresses: AddressRules) {
  const {
    client_name: name = UNNAMED,
    application_type: application,
    ...known
  } = Object.fromEntries(
    Object.entries(metadata).filter(([member, value]) => KNOWN.has(member) && value !== null && value !== ''),
  )
  const type = typeOf(known, application)
  const problems = {
    ...Object.fromEntries(ADDRESSES.map((member) => [member, addressProblem(known[member], addresses)])),
    redirect_uris: hostsProblem(known['redirect_uris'], bounds),
    post_logout_redirect_uris: hostsProblem(known['post_logout_redirect_uris'], bounds),
    application_type: bounds.types.includes(type) ? undefined : `A ${type} client may not be registered here.`,
    request_uris: textsIn(known['request_uris'])
      .map((uri) => addressProblem(uri, addresses))
      .find((problem) => problem !== undefined),
  }
  const found = foundIn(problems)
  if (Object.keys(found).length > 0) throw refusedClient(found)
  return { name, type, metadata: { ...known, ...grantsOf(type, known), ...scopeOf(type, known, bounds) } }
}

/** RFC 7591 has no word for our types: they follow from how the software authenticates and where it returns to. */
function typeOf(known: Members, application: unknown): ClientType {
  const { token_endpoint_auth_method: method, grant_types: grants } = known
  if (Array.isArray(grants) && grants.length === 1 && grants[0] === 'client_credentials') return 'service'
  const isNative = application === 'native' || textsIn(known['redirect_uris']).some(isOfNativeApp)
  if (isNative && (method === undefined || method === 'none')) return 'native'
  return method === 'none' ? 'spa' : 'web'
}

/** An app's own scheme, or a loopback address without a port, which stands for every port (RFC 8252 §7). */
function isOfNativeApp(uri: string): boolean {
  const url = URL.parse(uri)
  if (!url || url.protocol === 'https:') return false
  return url.protocol !== 'http:' || (LOOPBACK_HOSTS.has(url.hostname) && url.port === '')
}

/** Grant types that its type has no use for are left out; the answer tells (RFC 7591 §3.2.1). */
function grantsOf(type: ClientType, { grant_types: grants }: Members): Members {
  if (!Array.isArray(grants)) return {}
  const { grantTypes, furtherGrantTypes } = PRESETS[type]
  const possible = [...grantTypes, ...furtherGrantTypes].filter(
    (grant) => !SWITCHED_GRANTS.some((switched) => switched === grant),
  )
  return { grant_types: possible.filter((grant) => grants.includes(grant)) }
}

/** Software names the scopes of APIs here too, which are nothing that is registered: what is not ours is left out. */
function scopeOf(type: ClientType, { scope }: Members, bounds: RegistrationBounds): Members {
  const most: readonly string[] = bounds.scopes ?? OFFERED_SCOPES
  if (!signsPeopleIn(type)) return { scope: undefined }
  if (scope === undefined) return { scope: most.join(' ') }
  if (typeof scope !== 'string') return {}
  const asked = scope.split(' ')
  const kept = most.filter((one) => asked.includes(one))
  return { scope: kept.length > 0 ? kept.join(' ') : 'openid' }
}

function hostsProblem(uris: unknown, { redirectHosts }: RegistrationBounds): string | undefined {
  const outside = redirectHosts && textsIn(uris).find((uri) => !isAmongHosts(redirectHosts, uri))
  return outside === undefined ? undefined : `${shownUri(outside)} leads elsewhere than ${redirectHosts?.join(', ')}.`
}

/** An address is judged again whenever it is called, by what its name stands for then. */
function addressProblem(uri: unknown, { isOpen }: AddressRules): string | undefined {
  const url = typeof uri === 'string' ? URL.parse(uri) : null
  if (!url || typeof uri !== 'string') return undefined
  const host = url.hostname.replace(/^\[|\]$|\.$/g, '')
  const isLocal = LOOPBACK_HOSTS.has(host) || host.endsWith('.localhost')
  const address = isLocal && isIP(host) === 0 ? '127.0.0.1' : host
  return isIP(address) === 0 || isOpen(address)
    ? undefined
    : `${shownUri(uri)} is inside a network that this server keeps out of (OUTBOUND_ALLOW).`
}

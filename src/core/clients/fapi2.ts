/**
 * The FAPI 2.0 Security Profile (Final) as one table: what it demands of a client's metadata, and the clause that does.
 * The table is read twice. When a client is registered or changed, what contradicts it is refused by name; and whenever
 * a client is loaded, it is laid over what the row says, so that a demand made stricter holds for every client at once.
 * What can only be judged in a request stands in oidc/fapi2.ts.
 */
import type { Problems } from '#core/problems.ts'
import { signsWith } from './client-keys.ts'
import { textsIn } from './texts-in.ts'

/** §5.4.1 no. 1; EdDSA is Ed25519 everywhere here. */
export const FAPI2_ALGORITHMS = ['ES256', 'PS256', 'EdDSA'] as const
/** §5.3.2.1 no. 11, in seconds. */
export const FAPI2_CODE_SECONDS = 60

const METHODS = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'] as const
const GRANTS = ['authorization_code', 'refresh_token', 'client_credentials']
/** What counts as a signed answer of the authorization endpoint (JARM §2.3). */
const SIGNED_MODES = ['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt']
const BY_CERTIFICATE = 'tls_client_certificate_bound_access_tokens'
const BY_PROOF = 'dpop_bound_access_tokens'

interface Demand {
  readonly members: readonly string[]
  readonly says: string
  readonly clause: string
  isMet(value: unknown): boolean
  /** What is laid in place of a value that does not meet it. */
  instead(value: unknown): unknown
}

const DEMANDS: readonly Demand[] = [
  {
    members: ['token_endpoint_auth_method'],
    says: `authenticates by ${METHODS.join(', ')}`,
    clause: '5.3.2.1 no. 6',
    ...oneOf(METHODS),
  },
  {
    members: ['require_pushed_authorization_requests'],
    says: 'pushes every authorization request',
    clause: '5.3.2.2 no. 3',
    ...oneOf([true]),
  },
  { members: ['response_types'], says: 'is answered with a code', clause: '5.3.2.2 no. 1', ...only(['code']) },
  { members: ['grant_types'], says: `has ${GRANTS.join(', ')} at most`, clause: '5.3.2.2', ...only(GRANTS) },
  {
    members: ['redirect_uris'],
    says: 'is answered over https, this machine included',
    clause: '5.3.2.2 no. 8',
    ...every((uri) => uri.startsWith('https://')),
  },
  {
    members: ['id_token_signed_response_alg', 'introspection_signed_response_alg', 'authorization_signed_response_alg'],
    says: `uses ${FAPI2_ALGORITHMS.join(', ')}`,
    clause: '5.4.1 no. 1',
    ...oneOf(FAPI2_ALGORITHMS),
  },
  {
    members: ['userinfo_signed_response_alg', 'token_endpoint_auth_signing_alg', 'request_object_signing_alg'],
    says: `uses ${FAPI2_ALGORITHMS.join(', ')}`,
    clause: '5.4.1 no. 1',
    ...oneOf([undefined, ...FAPI2_ALGORITHMS], 'ES256'),
  },
]

type Metadata = Readonly<Record<string, unknown>>

/** The metadata of a client as the profile has it, whatever was registered. */
export function underFapi2(metadata: Metadata): Record<string, unknown> {
  const laid = DEMANDS.flatMap(({ members, isMet, instead }) =>
    members.flatMap((member) => (isMet(metadata[member]) ? [] : [[member, instead(metadata[member])]])),
  )
  return {
    ...metadata,
    ...Object.fromEntries(laid),
    // no. 4 and 5: bound to a certificate where that was chosen, and to a key (RFC 9449) otherwise
    [BY_PROOF]: metadata[BY_CERTIFICATE] !== true,
    // whoever registers how its answers are signed takes no others (Message Signing §5.4)
    ...(metadata['authorization_signed_response_alg'] === undefined ? {} : { response_modes: SIGNED_MODES }),
  }
}

/** One sentence for each registered member that contradicts the profile. */
export function fapi2Problems(registered: Metadata, isConfidential: boolean): Problems {
  const broken = DEMANDS.flatMap(({ members, says, clause, isMet }) =>
    members
      .filter((member) => registered[member] !== undefined && !isMet(registered[member]))
      .map((member) => [member, `A client of the profile fapi2 ${says} (FAPI 2.0 §${clause}).`]),
  )
  return {
    profile: isConfidential
      ? undefined
      : 'FAPI 2.0 is for types that prove themselves: web and service (§5.3.2.1 no. 3).',
    [BY_PROOF]: bindingProblem(registered),
    jwks: keysProblem(registered),
    ...Object.fromEntries(broken),
  }
}

function bindingProblem({ [BY_PROOF]: byProof, [BY_CERTIFICATE]: byCertificate }: Metadata): string | undefined {
  if (byProof === (byCertificate !== true) || byProof === undefined) return undefined
  return `Tokens of the profile fapi2 are bound to a key, or by ${BY_CERTIFICATE} to a certificate: to one of them (FAPI 2.0 §5.3.2.1 no. 5).`
}

function keysProblem({ jwks, token_endpoint_auth_method: method = METHODS[0] }: Metadata): string | undefined {
  if (jwks === undefined || method !== METHODS[0] || FAPI2_ALGORITHMS.some((alg) => signsWith(jwks, alg)))
    return undefined
  return `None of these keys signs with ${FAPI2_ALGORITHMS.join(', ')} (FAPI 2.0 §5.4.1 no. 1).`
}

/** Where nothing was registered the first of the allowed is laid, or `instead`. */
function oneOf(allowed: readonly unknown[], instead: unknown = allowed[0]): Pick<Demand, 'isMet' | 'instead'> {
  return { isMet: (value) => allowed.includes(value), instead: () => instead }
}

function only(allowed: readonly string[]): Pick<Demand, 'isMet' | 'instead'> {
  return every((value) => allowed.includes(value))
}

function every(isAllowed: (value: string) => boolean): Pick<Demand, 'isMet' | 'instead'> {
  const allowedIn = (value: unknown) => textsIn(value).filter((one) => isAllowed(one))
  return {
    isMet: (value) => Array.isArray(value) && allowedIn(value).length === value.length,
    instead: allowedIn,
  }
}

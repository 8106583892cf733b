/**
 * A person as Keycloak exports them (`UserRepresentation`, in a realm's export or on their own), in the members that we
 * import. What has no counterpart here (required actions, roles, federated identities, one-time codes) stays behind.
 */
import { z } from 'zod'
import { accountMembers } from './account-input.ts'

const texts = z.array(z.string())

const credential = z.looseObject({ type: z.string(), secretData: z.string(), credentialData: z.string() })
const secretData = z.looseObject({ value: z.string(), salt: z.string() })
const credentialData = z.looseObject({
  hashIterations: z.number(),
  algorithm: z.string(),
  additionalParameters: z.record(z.string(), texts).catch({}),
})

const keycloakUser = z.looseObject({
  id: z.unknown().optional(),
  username: z.unknown().optional(),
  email: z.unknown().optional(),
  emailVerified: z.boolean().optional(),
  firstName: z.string().optional(),
  lastName: z.string().optional(),
  enabled: z.boolean().optional(),
  attributes: z.record(z.string(), texts).optional(),
  groups: texts.optional(),
  credentials: z.array(z.unknown()).optional(),
})

/** What only Keycloak calls so. */
const ITS_OWN = ['emailVerified', 'firstName', 'lastName', 'enabled', 'credentials', 'createdTimestamp']

/** The person in our members, where it is one of Keycloak's; anything else as it is. */
export function fromKeycloak(input: unknown): unknown {
  const user = keycloakUser.safeParse(input)
  if (!user.success || !ITS_OWN.some((name) => Object.hasOwn(user.data, name))) return input
  const { id, username, email, emailVerified, firstName, lastName, enabled, attributes, groups, credentials } =
    user.data
  const given = {
    id,
    // there every address may be a user name; here people sign in with their address anyway
    username: typeof username === 'string' && username.includes('@') ? undefined : username,
    email,
    email_verified: emailVerified,
    given_name: firstName || undefined,
    family_name: lastName || undefined,
    disabled: enabled === undefined ? undefined : !enabled,
    groups: groups?.map((path) => path.replace(/^\//, '')),
    password_hash: credentials && passwordHashIn(credentials),
    ...attributesOf(attributes ?? {}),
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}

/** One value is that value, several are a list. What OpenID Connect has a name for is that; the rest are claims of one's own. */
function attributesOf(attributes: Readonly<Record<string, readonly string[]>>): Record<string, unknown> {
  const members: Record<string, unknown> = {}
  const customClaims: Record<string, unknown> = {}
  for (const [name, values] of Object.entries(attributes)) {
    if (values.length === 0) continue
    const target = Object.hasOwn(accountMembers, name) ? members : customClaims
    target[name] = values.length === 1 ? values[0] : values
  }
  return Object.keys(customClaims).length === 0 ? members : { ...members, custom_claims: customClaims }
}

/** In the PHC string format; what cannot be put into it is left for password-hash.ts to refuse. */
function passwordHashIn(credentials: readonly unknown[]): string | undefined {
  const password = credentials
    .map((entry) => credential.safeParse(entry))
    .find(({ data }) => data?.type === 'password')?.data
  if (!password) return undefined
  const secret = secretData.safeParse(jsonIn(password.secretData))
  const how = credentialData.safeParse(jsonIn(password.credentialData))
  if (!secret.success || !how.success) return 'unreadable'
  const { hashIterations, algorithm, additionalParameters: more } = how.data
  const end = `${unpadded(secret.data.salt)}$${unpadded(secret.data.value)}`
  if (algorithm !== 'argon2') return `$${algorithm}$i=${hashIterations}$${end}`
  const [type = 'id', memory = '', lanes = ''] = ['type', 'memory', 'parallelism'].map((name) => more[name]?.[0])
  const version = more['version']?.[0] === '1.0' ? 16 : 19
  return `$argon2${type}$v=${version}$m=${memory},t=${hashIterations},p=${lanes}$${end}`
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function unpadded(base64: string): string {
  return base64.replaceAll('=', '')
}

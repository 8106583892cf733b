// Fills Latchkey's database with what is measured, through the functions that the command line calls.
import type { Services } from '#core/services.ts'
import { claimsOf } from '#oidc/claims.ts'
import { ALGORITHMS, apiOf, PASSWORD, REDIRECT_URI, type World, type WorldClient } from './world.ts'

/** Registers the clients, the APIs and as many people as there are lanes. */
export async function seed(services: Services, lanes: number): Promise<World> {
  for (const alg of ALGORITHMS)
    await services.apis.create({ identifier: apiOf(alg), name: alg, scope: 'read', format: 'jwt', signing_alg: alg })
  const web = { type: 'web', redirect_uris: [REDIRECT_URI], refresh_tokens: 'always' }
  return {
    service: await register(services, { name: 'Service', type: 'service' }),
    es256: await register(services, { ...web, name: 'Web', ...signedWith('ES256') }),
    rs256: await register(services, { ...web, name: 'Web, RSA', ...signedWith('RS256') }),
    own: await register(services, { ...web, name: 'Own', first_party: true, ...signedWith('ES256') }),
    people: await Promise.all(Array.from({ length: lanes }, (_, index) => person(services, `person-${index}`))),
    keys: [...(await services.signingKeys.load()).keys],
  }
}

function signedWith(alg: string): { metadata: Record<string, string> } {
  return { metadata: { id_token_signed_response_alg: alg } }
}

async function register({ clients }: Services, input: Record<string, unknown>): Promise<WorldClient> {
  const { client, secret = '' } = await clients.register(input)
  return { id: client.id, secret, metadata: client.metadata }
}

async function person({ accounts }: Services, username: string): Promise<World['people'][number]> {
  const names = { given_name: 'Ada', family_name: 'Byron' }
  const account = await accounts.create(
    { username, email: `${username}@example.com`, email_verified: true, ...names },
    PASSWORD,
  )
  return { username, claims: claimsOf(account) }
}

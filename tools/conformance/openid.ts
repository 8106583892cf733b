/** The clients of the OpenID Connect plans: registered beforehand, or by the suite itself. */
import type { Services } from '#core/services.ts'
import type { SuiteClients } from './plan.ts'

const RESPONSE_TYPES = ['code', 'id_token', 'id_token token', 'code id_token', 'code token', 'code id_token token']

/** Two clients for everything, and one that is told of logouts: the other tests do not expect to be. */
export const openidClients: SuiteClients = async (services, alias, base) => {
  const client = await register(services, `${alias} 1`, base)
  const told = await register(services, `${alias} 3`, base, { backchannel_logout_uri: `${base}/backchannel_logout` })
  return {
    members: { client, client_secret_post: client, client2: await register(services, `${alias} 2`, base) },
    override: { 'oidcc-backchannel-rp-initiated-logout': { client: told } },
  }
}

/** A token with which the suite registers a client for each test; REGISTRATION has to allow it. */
export const dynamicClients: SuiteClients = async ({ registrationTokens }, alias) => {
  const { value } = await registrationTokens.create({ name: `Conformance ${alias}`, uses: 1_000, types: ['web'] })
  const client = { client_name: `Conformance ${alias}`, initial_access_token: value }
  return { members: { client, client2: client } }
}

async function register({ clients }: Services, name: string, base: string, more: object = {}): Promise<object> {
  const { client, secret } = await clients.register({
    name: `Conformance ${name}`,
    type: 'web',
    redirect_uris: [`${base}/callback`, `${base}/callback?dummy1=lorem&dummy2=ipsum`],
    post_logout_redirect_uris: [`${base}/post_logout_redirect`],
    // what a scope stands for is asked for at userinfo (OpenID Connect Core 1.0 §5.4), and the suite warns otherwise
    id_token_claims: 'strict',
    metadata: { response_types: RESPONSE_TYPES },
    ...more,
  })
  return { client_id: client.id, client_secret: secret }
}

// What applications and APIs ask by themselves, with no browser.
import { ALGORITHMS, apiOf, basic, type Algorithm } from '../world.ts'
import { claimsIn, jsonOf, textIn } from './checks.ts'
import { checkUserinfo, signedInTokens } from './code-flow.ts'
import { personOf, type Operation, type Target } from './operation.ts'

const clientCredentials: Operation = {
  name: 'client-credentials',
  goal: { sqlite: 1.05, postgres: 0.7 },
  prepare: async (target) => async () => void (await serviceToken(target, {})),
}

function clientCredentialsJwt(alg: Algorithm): Operation {
  return {
    name: `client-credentials-${alg.toLowerCase()}`,
    goal: { sqlite: 1, postgres: 0.95 },
    prepare: async (target) => async () => {
      const token = await serviceToken(target, { resource: apiOf(alg) })
      const { aud, iss } = claimsIn(token, target.world, alg)
      if (aud !== apiOf(alg) || iss !== target.origin) throw new Error(`a token for ${String(aud)} by ${String(iss)}`)
    },
  }
}

const userinfo: Operation = {
  name: 'userinfo',
  goal: { sqlite: 0.95, postgres: 0.7 },
  async prepare(target, lane) {
    const { accessToken } = await signedInTokens(target, lane, { client: target.world.es256, alg: 'ES256' })
    const { sub } = personOf(target, lane).claims
    return () => checkUserinfo(target, accessToken, sub)
  },
}

const introspection: Operation = {
  name: 'introspection',
  goal: { sqlite: 0.95, postgres: 0.7 },
  async prepare(target, lane) {
    const { http, world } = target
    const { accessToken } = await signedInTokens(target, lane, { client: world.es256, alg: 'ES256' })
    return async () => {
      const headers = { authorization: basic(world.es256) }
      const json = jsonOf(await http.send({ path: '/introspect', headers, form: { token: accessToken } }))
      if (json['active'] !== true || json['client_id'] !== world.es256.id)
        throw new Error(`the token is not active: ${JSON.stringify(json)}`)
    }
  },
}

function refresh(alg: 'ES256' | 'RS256'): Operation {
  return {
    name: `refresh-${alg.toLowerCase()}`,
    goal: { sqlite: 1, postgres: 0.7 },
    async prepare(target, lane) {
      const { http, world } = target
      const client = alg === 'ES256' ? world.es256 : world.rs256
      let { refreshToken } = await signedInTokens(target, lane, { client, alg })
      const { sub } = personOf(target, lane).claims
      return async () => {
        const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
        const json = jsonOf(await http.send({ path: '/token', headers: { authorization: basic(client) }, form }))
        const next = textIn(json, 'refresh_token')
        if (next === refreshToken || claimsIn(textIn(json, 'id_token'), world, alg)['sub'] !== sub)
          throw new Error('the refresh token was not rotated, or the ID token is about somebody else')
        refreshToken = next
      }
    },
  }
}

export const tokenOperations: readonly Operation[] = [
  clientCredentials,
  ...ALGORITHMS.map(clientCredentialsJwt),
  userinfo,
  introspection,
  refresh('ES256'),
  refresh('RS256'),
]

async function serviceToken({ http, world }: Target, more: Readonly<Record<string, string>>): Promise<string> {
  const headers = { authorization: basic(world.service) }
  const form = { grant_type: 'client_credentials', ...more }
  return textIn(jsonOf(await http.send({ path: '/token', headers, form })), 'access_token')
}

// The public documents that every relying party fetches.
import { jsonOf } from './checks.ts'
import type { Operation, Target } from './operation.ts'

const GOAL = { sqlite: 4, postgres: 4 }

export const documentOperations: readonly Operation[] = [
  document('discovery', '/.well-known/openid-configuration', ({ issuer }, { origin }) => issuer === origin),
  document('jwks', '/.well-known/jwks.json', ({ keys }, { world }) =>
    // other members differ: bare publishes no certificates
    world.keys.every(({ kid }) => JSON.stringify(keys).includes(kid)),
  ),
]

function document(
  name: string,
  path: string,
  isRight: (json: Readonly<Record<string, unknown>>, target: Target) => boolean,
): Operation {
  return {
    name,
    goal: GOAL,
    async prepare(target) {
      const first = await target.http.send({ path })
      if (!isRight(jsonOf(first), target)) throw new Error(`not the document of ${target.origin}: ${first.body}`)
      return async () => {
        const { status, body } = await target.http.send({ path })
        if (status !== 200 || body !== first.body) throw new Error(`the document changed: ${status} ${body}`)
      }
    },
  }
}

// What an answer has to be: a fast error is no result.
import type { Answer } from '../http.ts'
import type { World } from '../world.ts'

/** The members of a JSON answer. @throws Error for another status, or another body */
export function jsonOf(answer: Answer, status = 200): Readonly<Record<string, unknown>> {
  if (answer.status !== status) throw unexpected(answer, `the status ${status}`)
  const json: unknown = JSON.parse(answer.body)
  if (typeof json !== 'object' || json === null) throw unexpected(answer, 'an object')
  // boundary: each caller checks the members that it reads
  return json as Record<string, unknown>
}

/** A member that has to be a text. */
export function textIn(json: Readonly<Record<string, unknown>>, member: string): string {
  const value = json[member]
  if (typeof value !== 'string') throw new Error(`expected ${member} in ${JSON.stringify(json)}`)
  return value
}

/** Where a redirect leads. */
export function locationOf(answer: Answer): string {
  const { location } = answer.headers
  if (answer.status !== 303 || location === undefined) throw unexpected(answer, 'a redirect')
  return location
}

/** The claims of a JWT, which has to name the key of the world that signs with the algorithm. */
export function claimsIn(jwt: string, { keys }: World, alg: string): Readonly<Record<string, unknown>> {
  const [head, body, signature, ...more] = jwt.split('.').map((part) => Buffer.from(part, 'base64url').toString())
  const { kid } = keys.find((key) => key.alg === alg) ?? {}
  const header: unknown = JSON.parse(head ?? '')
  const named = typeof header === 'object' && header !== null && 'kid' in header && header.kid === kid
  if (!named || !signature || more.length > 0) throw new Error(`expected a JWT signed by ${kid}, got ${jwt}`)
  // boundary: each caller checks the claims that it reads
  return JSON.parse(body ?? '') as Record<string, unknown>
}

export function unexpected({ status, body }: Answer, expected: string): Error {
  return new Error(`expected ${expected}, got ${status}: ${body.slice(0, 300)}`)
}

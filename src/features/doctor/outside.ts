/** The look from outside: what arrives of a few requests that are sent to ISSUER, as everybody's are. */
import type { Clock } from '#platform/clock.ts'
import { tlsShownBy, type ShownTls } from '#platform/fetch-own.ts'
import { asking, PROBE_MS, type Answer } from './ask.ts'
import type { Installation } from './installation.ts'
import { askAll, type Answers } from './questions.ts'

export interface Outside {
  readonly tls: ShownTls | { readonly failure: string } | undefined
  /** At port 80, for who types the name alone; nothing for an ISSUER that is http or has a port, or where nothing answers. */
  readonly plain: Answer | undefined
  /** The first request: without an answer of the server to it, no other was sent. */
  readonly discovery: Answer | { readonly failure: string }
  readonly answers: Answers | undefined
  /** True where a server answers at HOST and PORT without a way round over ISSUER; not asked where all is well. */
  readonly answersAtHome: boolean
}

/** Asks at ISSUER. It never rejects: what went wrong is told in words. */
export async function lookFromOutside(installation: Installation): Promise<Outside> {
  const { origin, protocol, port, hostname } = new URL(installation.issuer)
  const isHttps = protocol === 'https:'
  const [tls, plain] = await Promise.all([
    isHttps ? tlsShownBy(origin, PROBE_MS).catch(failure) : undefined,
    isHttps && port === '' ? answerAt(`http://${hostname}/`, installation.clock) : undefined,
  ])
  const reached = await reach(origin, installation).catch((error: unknown) => ({
    discovery: failure(error),
    answers: undefined,
  }))
  const isAtHome = reached.answers !== undefined || (await answersAtHome(installation))
  return { tls, plain, ...reached, answersAtHome: isAtHome }
}

async function reach(origin: string, installation: Installation): Promise<Pick<Outside, 'discovery' | 'answers'>> {
  const ask = await asking(origin, installation.clock)
  const discovery = await ask(`${installation.issuer}/.well-known/openid-configuration`)
  return { discovery, answers: isGatewayError(discovery) ? undefined : await askAll(ask, installation) }
}

/** By a proxy that does not reach the server. The server's own 503 is JSON. */
export function isGatewayError({ status, json }: Answer): boolean {
  return status >= 502 && status <= 504 && json === undefined
}

async function answersAtHome({ listen: { host, port, tls }, clock }: Installation): Promise<boolean> {
  if (tls !== undefined) return false
  const answer = await answerAt(`http://${host.includes(':') ? `[${host}]` : host}:${port}/healthz`, clock)
  return answer?.status === 200
}

async function answerAt(url: string, clock: Clock): Promise<Answer | undefined> {
  try {
    const ask = await asking(new URL(url).origin, clock)
    return await ask(url)
  } catch {
    return undefined
  }
}

/** The innermost reason: the ones around it say where, which is known. */
function failure(error: unknown): { failure: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return failure(error.errors[0])
  if (error instanceof Error && error.cause instanceof Error) return failure(error.cause)
  return { failure: error instanceof Error ? error.message : String(error) }
}

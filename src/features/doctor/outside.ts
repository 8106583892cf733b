/** The look from outside: what arrives of a few requests that are sent to ISSUER, as everybody's are. */
import { OWN_CLIENT_ID, ownPage } from '#core/clients/own-client.ts'
import { basePath } from '#core/issuer-paths.ts'
import { digest, randomToken } from '#core/secrets.ts'
import type { GuardedFetch } from '#platform/fetch.ts'
import { originFetch, tlsShownBy, type ShownTls } from '#platform/fetch-own.ts'
import { isJsonObject } from '#platform/json-object.ts'
import type { Installation } from './installation.ts'
import { proofAt, testimonyIn, WITNESS_PATH, type Testimony } from './witness.ts'

/** Each request. Most are sent side by side: TLS, discovery, those and the page follow one another. */
const PROBE_MS = 2_500
const BOUNDS = { timeoutMs: PROBE_MS, maxBytes: 262_144 }

export const STATE_CHARACTERS = 2_000
export const COOKIE_CHARACTERS = 6_000
export const BODY_BYTES = 50_000
/** Addresses of documentation (RFC 5737): nobody calls from them, so whoever is taken for one has chosen it. */
export const FORGED = { far: '198.51.100.77', near: '192.0.2.77' } as const
export const FORGED_FOR = `${FORGED.far}, ${FORGED.near}`
export const FORGED_CERTIFICATE = 'latchkey-doctor'

/** An answer as it arrived. */
export interface Answer {
  readonly url: string
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Undefined where it is not a JSON object. */
  readonly json: Readonly<Record<string, unknown>> | undefined
  /** Epoch seconds, by the clock of who asked. */
  readonly receivedAt: number
}

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

/** Undefined is a request that came to no answer. */
export interface Answers {
  readonly metadata: Answer | undefined
  readonly jwks: Answer | undefined
  readonly readiness: Answer | undefined
  readonly metrics: Answer | undefined
  /** A sign-in that nobody may see: an error that comes back to the client. */
  readonly refusal: Answer | undefined
  /** The same with a state of STATE_CHARACTERS. */
  readonly longState: Answer | undefined
  readonly longCookie: Answer | undefined
  readonly longBody: Answer | undefined
  /** The beginning of a sign-in, which sets cookies. */
  readonly beginning: Answer | undefined
  /** The page that it leads to, asked for twice. */
  readonly page: Answer | undefined
  readonly pageAgain: Answer | undefined
  readonly witness: Answer | undefined
  readonly testimony: Testimony | undefined
}

/** Asks at ISSUER. It never rejects: what went wrong is told in words. */
export async function lookFromOutside(installation: Installation): Promise<Outside> {
  const { issuer } = installation
  const { origin, protocol } = new URL(issuer)
  const [tls, plain] = await Promise.all([
    protocol === 'https:' ? tlsShownBy(origin, PROBE_MS).catch(failure) : undefined,
    plainAnswer(installation),
  ])
  try {
    const ask = asking(await originFetch(origin, BOUNDS), installation)
    const discovery = await ask(`${issuer}/.well-known/openid-configuration`)
    const answers = isGatewayError(discovery) ? undefined : await askAll(ask, installation)
    return {
      tls,
      plain,
      discovery,
      answers,
      answersAtHome: answers !== undefined || (await answersAtHome(installation)),
    }
  } catch (error) {
    const missing = { discovery: failure(error), answers: undefined }
    return { tls, plain, ...missing, answersAtHome: await answersAtHome(installation) }
  }
}

/** By a proxy that does not reach the server. The server's own 503 is JSON. */
export function isGatewayError({ status, json }: Answer): boolean {
  return status >= 502 && status <= 504 && json === undefined
}

async function plainAnswer(installation: Installation): Promise<Answer | undefined> {
  const { protocol, port, hostname } = new URL(installation.issuer)
  if (protocol !== 'https:' || port !== '') return undefined
  const plain = `http://${hostname}`
  try {
    return await asking(await originFetch(plain, BOUNDS), installation)(plain)
  } catch {
    return undefined
  }
}

type Ask = (url: string, init?: RequestInit) => Promise<Answer>

function asking(reach: GuardedFetch, { clock }: Installation): Ask {
  return async (url, init) => {
    const response = await reach(url, init)
    const { status, headers } = response
    const text = await response.text()
    return { url, status, headers, text, json: objectIn(text), receivedAt: clock.now() }
  }
}

async function askAll(ask: Ask, installation: Installation): Promise<Answers> {
  const { issuer, secrets } = installation
  const { origin } = new URL(issuer)
  const wellKnown = `${origin}/.well-known/oauth-authorization-server${basePath(issuer)}`
  const maybe: (...args: Parameters<Ask>) => Promise<Answer | undefined> = (...args) =>
    ask(...args).catch(() => undefined)

  const proof = secrets && proofAt(installation.clock.now(), secrets)
  const [metadata, jwks, readiness, metrics, refusal, longState, longCookie, longBody, beginning, witness] =
    await Promise.all([
      maybe(wellKnown),
      maybe(`${issuer}/.well-known/jwks.json`),
      maybe(`${origin}/readyz`),
      maybe(`${origin}/metrics`),
      maybe(signInUrl(issuer, { prompt: 'none' })),
      maybe(signInUrl(issuer, { prompt: 'none', state: 's'.repeat(STATE_CHARACTERS) })),
      maybe(`${issuer}/.well-known/jwks.json`, { headers: { cookie: `probe=${'c'.repeat(COOKIE_CHARACTERS)}` } }),
      maybe(`${issuer}/token`, { method: 'POST', body: new URLSearchParams({ probe: 'b'.repeat(BODY_BYTES) }) }),
      maybe(signInUrl(issuer, {})),
      proof === undefined ? undefined : maybe(`${issuer}${WITNESS_PATH}`, { headers: claims(installation, proof) }),
    ])
  const page = beginning && (await pageAfter(beginning, maybe))
  return {
    metadata,
    jwks,
    readiness,
    metrics,
    refusal,
    longState,
    longCookie,
    longBody,
    beginning,
    page,
    pageAgain: page && (await pageAfter(beginning, maybe)),
    witness,
    testimony: secrets && proof !== undefined && witness ? testimonyIn(witness.text, proof, secrets) : undefined,
  }
}

/** Who asks the witness says too what only proxies may say. */
function claims({ clientCertificates: { header } }: Installation, proof: string) {
  return {
    authorization: `Bearer ${proof}`,
    'x-forwarded-for': FORGED_FOR,
    ...(header === undefined ? {} : { [header]: FORGED_CERTIFICATE }),
  }
}

/** As the server itself asks, when one of its own pages needs to know who is there. */
function signInUrl(issuer: string, more: Readonly<Record<string, string>>): string {
  const parameters = new URLSearchParams({
    client_id: OWN_CLIENT_ID,
    redirect_uri: ownPage(issuer),
    response_type: 'code',
    scope: 'openid',
    code_challenge: digest(randomToken()),
    code_challenge_method: 'S256',
    state: 'doctor',
    ...more,
  })
  return `${issuer}/authorize?${parameters.toString()}`
}

async function pageAfter({ url, headers }: Answer, ask: (...args: Parameters<Ask>) => Promise<Answer | undefined>) {
  const target = URL.parse(headers.get('location') ?? '', url)
  const cookie = headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  return target ? ask(target.href, { headers: { cookie } }) : undefined
}

async function answersAtHome({ listen: { host, port, tls } }: Installation): Promise<boolean> {
  if (tls !== undefined) return false
  try {
    const home = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
    const reach = await originFetch(home, BOUNDS)
    return (await reach(`${home}/healthz`)).status === 200
  } catch {
    return false
  }
}

function objectIn(text: string): Answer['json'] {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
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

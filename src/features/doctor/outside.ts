/** The look from outside: what arrives of a few requests that are sent to ISSUER, as everybody's are. */
import { OWN_CLIENT_ID, ownPage } from '#core/clients/own-client.ts'
import { basePath } from '#core/issuer-paths.ts'
import { digest, randomToken } from '#core/secrets.ts'
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

type Question =
  | 'metadata'
  | 'jwks'
  | 'readiness'
  | 'metrics'
  /** A sign-in that nobody may see: an error that comes back to the client. */
  | 'refusal'
  /** The same with a state of STATE_CHARACTERS. */
  | 'longState'
  | 'longCookie'
  | 'longBody'
  /** The beginning of a sign-in, which sets cookies. */
  | 'beginning'
  /** The page that it leads to, asked for twice. */
  | 'page'
  | 'pageAgain'
  | 'witness'

/** What is absent came to no answer. */
export type Answers = { readonly [Name in Question]?: Answer } & { readonly testimony?: Testimony | undefined }

/** Asks at ISSUER. It never rejects: what went wrong is told in words. */
export async function lookFromOutside(installation: Installation): Promise<Outside> {
  const { origin, protocol, port, hostname } = new URL(installation.issuer)
  const isHttps = protocol === 'https:'
  const [tls, plain] = await Promise.all([
    isHttps ? tlsShownBy(origin, PROBE_MS).catch(failure) : undefined,
    isHttps && port === '' ? plainAnswer(`http://${hostname}`, installation) : undefined,
  ])
  const reached = await reach(origin, installation).catch((error: unknown) => ({
    discovery: failure(error),
    answers: undefined,
  }))
  const isAtHome = reached.answers !== undefined || (await answersAtHome(installation))
  return { tls, plain, ...reached, answersAtHome: isAtHome }
}

async function reach(origin: string, installation: Installation): Promise<Pick<Outside, 'discovery' | 'answers'>> {
  const ask = await asking(origin, installation)
  const discovery = await ask(`${installation.issuer}/.well-known/openid-configuration`)
  return { discovery, answers: isGatewayError(discovery) ? undefined : await askAll(ask, installation) }
}

async function plainAnswer(origin: string, installation: Installation): Promise<Answer | undefined> {
  try {
    return await (
      await asking(origin, installation)
    )(origin)
  } catch {
    return undefined
  }
}

/** By a proxy that does not reach the server. The server's own 503 is JSON. */
export function isGatewayError({ status, json }: Answer): boolean {
  return status >= 502 && status <= 504 && json === undefined
}

type Ask = (url: string, init?: RequestInit) => Promise<Answer>

async function asking(origin: string, { clock }: Installation): Promise<Ask> {
  const reachOrigin = await originFetch(origin, BOUNDS)
  return async (url, init) => {
    const response = await reachOrigin(url, init)
    const { status, headers } = response
    const text = await response.text()
    return { url, status, headers, text, json: objectIn(text), receivedAt: clock.now() }
  }
}

async function askAll(ask: Ask, installation: Installation): Promise<Answers> {
  const { issuer, secrets, clock } = installation
  const { origin } = new URL(issuer)
  const answers: { [Name in Question]?: Answer } = {}
  const put = async (name: Question, ...question: Parameters<Ask>) => {
    const answer = await ask(...question).catch(() => undefined)
    if (answer) answers[name] = answer
  }
  const proof = secrets && proofAt(clock.now(), secrets)
  await Promise.all([
    put('metadata', `${origin}/.well-known/oauth-authorization-server${basePath(issuer)}`),
    put('jwks', `${issuer}/.well-known/jwks.json`),
    put('readiness', `${origin}/readyz`),
    put('metrics', `${origin}/metrics`),
    put('refusal', signInUrl(issuer, { prompt: 'none' })),
    put('longState', signInUrl(issuer, { prompt: 'none', state: 's'.repeat(STATE_CHARACTERS) })),
    put('longCookie', `${issuer}/.well-known/jwks.json`, {
      headers: { cookie: `probe=${'c'.repeat(COOKIE_CHARACTERS)}` },
    }),
    put('longBody', `${issuer}/token`, {
      method: 'POST',
      body: new URLSearchParams({ probe: 'b'.repeat(BODY_BYTES) }),
    }),
    put('beginning', signInUrl(issuer, {})),
    proof === undefined
      ? undefined
      : put('witness', `${issuer}${WITNESS_PATH}`, { headers: claims(installation, proof) }),
  ])
  const { beginning, witness } = answers
  const next = beginning && pageAfter(beginning)
  if (next) {
    await put('page', ...next)
    await put('pageAgain', ...next)
  }
  const testimony = secrets && proof !== undefined && witness ? testimonyIn(witness.text, proof, secrets) : undefined
  return { ...answers, testimony }
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

/** As a browser goes on. */
function pageAfter({ url, headers }: Answer): Parameters<Ask> | undefined {
  const target = URL.parse(headers.get('location') ?? '', url)
  const cookies = headers.getSetCookie().map((line) => line.split(';')[0])
  return target ? [target.href, { headers: { cookie: cookies.join('; ') } }] : undefined
}

async function answersAtHome(installation: Installation): Promise<boolean> {
  const { host, port, tls } = installation.listen
  if (tls !== undefined) return false
  try {
    const home = `http://${host.includes(':') ? `[${host}]` : host}:${port}`
    const ask = await asking(home, installation)
    return (await ask(`${home}/healthz`)).status === 200
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

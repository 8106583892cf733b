/** What is asked at ISSUER once it has answered, all of it side by side but the page, which follows a redirect. */
import { OWN_CLIENT_ID, ownPage } from '#core/clients/own-client.ts'
import { basePath } from '#core/issuer-paths.ts'
import { digest, randomToken } from '#core/secrets.ts'
import type { Answer, Ask } from './ask.ts'
import type { Installation } from './installation.ts'
import { proofAt, testimonyIn, WITNESS_PATH, type Testimony } from './witness.ts'

export const STATE_CHARACTERS = 2_000
export const COOKIE_CHARACTERS = 6_000
export const BODY_BYTES = 50_000
/** Addresses of documentation (RFC 5737): nobody calls from them, so whoever is taken for one has chosen it. */
export const FORGED = { far: '198.51.100.77', near: '192.0.2.77' } as const
export const FORGED_FOR = `${FORGED.far}, ${FORGED.near}`
export const FORGED_CERTIFICATE = 'latchkey-doctor'

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

/** Puts them all. It never rejects. */
export async function askAll(ask: Ask, installation: Installation): Promise<Answers> {
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

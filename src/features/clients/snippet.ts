/**
 * `latchkey client snippet`: the configuration of an application that a client stands for, with the client's real
 * values. A target is a line in the table and a function that writes its files; the pages in docs/guides/ hold the same
 * text, and a test compares the two.
 */
import type { Client } from '#core/clients/client.ts'
import { OFFERED_SCOPES } from '#core/clients/scopes.ts'
import { textsIn } from '#core/clients/texts-in.ts'
import { AppError } from '#platform/errors.ts'
import { authjs, nextauth } from './snippets/next.ts'
import { cli, device, express, openidClient } from './snippets/node.ts'
import { authlib, django, drf } from './snippets/python.ts'
import { spa } from './snippets/spa.ts'
import { spring } from './snippets/spring.ts'
import { SECRET_NAME, type SnippetFacts, type SnippetFile, type SnippetTarget } from './snippets/target.ts'

const TARGETS: ReadonlyMap<string, SnippetTarget> = new Map([
  ['nextauth', nextauth],
  ['authjs', authjs],
  ['django', django],
  ['authlib', authlib],
  ['drf', drf],
  ['express', express],
  ['spring', spring],
  ['spa', spa],
  ['cli', cli],
  ['device', device],
  ['openid-client', openidClient],
])

export const SNIPPET_TARGETS: readonly string[] = [...TARGETS.keys()]

/** How a client has to authenticate for there to be snippets. */
export const SNIPPET_METHODS: readonly string[] = ['client_secret_basic', 'client_secret_post', 'none']

const USUAL_SCOPES = ['openid', 'profile', 'email']

export interface Snippet {
  readonly files: readonly SnippetFile[]
  /** What is left to do about the client's secret; absent where the files need none. */
  readonly aboutSecret: string | undefined
}

/**
 * The files that configure the target for the client. The client's secret is in none of them.
 * @throws AppError(invalid_input) where the target does not fit the client
 */
export function snippetFor(client: Client, name: string, issuer: string): Snippet {
  const target = TARGETS.get(name)
  if (!target) {
    throw refusal('Name what the configuration is for.', `Add --for with one of ${SNIPPET_TARGETS.join(', ')}.`)
  }
  mustFit(client, name, target)
  const files = target.files(factsOf(client, name, target, issuer))
  const needsSecret = files.some(({ content }) => content.includes(SECRET_NAME))
  return {
    files,
    aboutSecret: needsSecret
      ? `Set ${SECRET_NAME} to the secret that was shown when the client was registered. It cannot be read again; latchkey client rotate-secret ${client.id} makes a new one.`
      : undefined,
  }
}

function mustFit({ type, metadata, id }: Client, name: string, { types, algorithms, grant }: SnippetTarget): void {
  if (!types.includes(type)) {
    const fitting = [...TARGETS].flatMap(([other, one]) => (one.types.includes(type) ? [other] : []))
    throw refusal(
      `${name} is for clients of the type ${list(types)}; this one is of the type ${type}.`,
      fitting.length === 0
        ? `Nobody signs in to it. Register another: latchkey client create --type ${types[0]} …`
        : `For this client there is ${list(fitting)}; for ${name} register another: latchkey client create --type ${types[0]} …`,
    )
  }
  if (grant !== undefined && !textsIn(metadata['grant_types']).includes(grant.type)) {
    throw refusal(
      `This client is not registered for what ${name} does.`,
      `Allow it: latchkey client update ${id} ${grant.option}`,
    )
  }
  const algorithm = textOf(metadata['id_token_signed_response_alg'])
  if (!algorithms.test(algorithm)) {
    throw refusal(
      `${name} cannot check ID tokens that are signed with ${algorithm}.`,
      `Have them signed with RS256: latchkey client update ${id} --metadata FILE, with {"id_token_signed_response_alg": "RS256"} in the file.`,
    )
  }
  const method = textOf(metadata['token_endpoint_auth_method'])
  if (!SNIPPET_METHODS.includes(method)) {
    throw refusal(
      `This client authenticates by ${method}, and snippets know secrets only.`,
      'Take client_secret_basic, or configure the application by its own documentation.',
    )
  }
}

function factsOf(client: Client, name: string, target: SnippetTarget, issuer: string): SnippetFacts {
  const { metadata } = client
  return {
    issuer,
    clientId: client.id,
    redirectUri: redirectUriOf(client, name, target),
    afterLogout: textsIn(metadata['post_logout_redirect_uris'])[0],
    scope: scopeOf(client, name),
    algorithm: textOf(metadata['id_token_signed_response_alg']),
    authMethod: textOf(metadata['token_endpoint_auth_method']),
    idTokenClaims: client.idTokenClaims,
  }
}

function redirectUriOf({ id, metadata }: Client, name: string, { callback }: SnippetTarget): string {
  if (callback === 'none') return ''
  const { pattern, example } = callback ?? { pattern: /^https?:/, example: 'https://app.example/callback' }
  const answered = textsIn(metadata['redirect_uris']).find((uri) => pattern.test(uri))
  if (answered !== undefined) return answered
  throw refusal(
    `None of this client's redirect URIs is one that ${name} answers at.`,
    `Register one like ${example}: latchkey client update ${id} --redirect-uri URI`,
  )
}

/**
 * What an administrator chose, or the usual three where nothing was. offline_access is left out: it counts only
 * together with prompt=consent (OpenID Connect Core 1.0 §11), which an application asks for on purpose.
 */
function scopeOf({ id, metadata }: Client, name: string): string {
  const allowed = textOf(metadata['scope']).split(' ')
  if (!allowed.includes('openid')) {
    throw refusal(
      `This client may not ask for openid, and ${name} signs people in by it.`,
      `Allow it: latchkey client update ${id} --scope "openid profile email"`,
    )
  }
  const isUndecided = OFFERED_SCOPES.every((scope) => allowed.includes(scope))
  return (isUndecided ? USUAL_SCOPES : allowed.filter((scope) => scope !== 'offline_access')).join(' ')
}

function refusal(message: string, hint: string): AppError {
  return new AppError('invalid_input', message, { hint })
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

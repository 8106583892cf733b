import type { ClientType, IdTokenClaims } from '#core/clients/client.ts'

/** A file of somebody's application, ready to be copied; its first line names it. */
export interface SnippetFile {
  readonly path: string
  readonly content: string
}

/** What of a client stands in its application's configuration. */
export interface SnippetFacts {
  readonly issuer: string
  readonly clientId: string
  /** The registered one that the target can answer at; empty where nobody comes back to it. */
  readonly redirectUri: string
  /** The first that is registered for after a sign-out. */
  readonly afterLogout: string | undefined
  readonly scope: string
  /** Of ID tokens. */
  readonly algorithm: string
  readonly authMethod: string
  readonly idTokenClaims: IdTokenClaims
}

/** A library or framework that a configuration can be printed for. */
export interface SnippetTarget {
  readonly types: readonly ClientType[]
  /** The signatures of ID tokens that it can check. */
  readonly algorithms: RegExp
  /** Which redirect URIs it answers at, where it does not answer at any; none: nobody comes back to it. */
  readonly callback?: { readonly pattern: RegExp; readonly example: string } | 'none'
  /** What the client has to be registered for beyond its type's own flow, and the option that does it. */
  readonly grant?: { readonly type: string; readonly option: string }
  files(facts: SnippetFacts): readonly SnippetFile[]
}

/** The environment variable that holds the client's secret in every configuration. */
export const SECRET_NAME = 'LATCHKEY_CLIENT_SECRET'

/** A text between single quotes, as JavaScript and Python read it; what is registered holds no backslash or line end. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "\\'")}'`
}

/** An issuer's address of ours with a path below it. */
export function below({ issuer }: SnippetFacts, path: string): string {
  return quoted(`${issuer}${path}`)
}

/** The last segment of the redirect URI's path: the name that some libraries give the provider. */
export function lastSegment({ redirectUri }: SnippetFacts): string {
  return new URL(redirectUri).pathname.split('/').at(-1) ?? ''
}

/** A variable of the application's environment, as its JavaScript reads it; this server's own is app/config.ts's. */
export function fromEnvironment(name: string): string {
  return ['process', 'env', name].join('.')
}

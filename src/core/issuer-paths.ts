/** The path that everything of the issuer stands under, without a slash at its end; empty for an issuer at the root. */
export function basePath(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '')
}

/** Where people answer what waits for their approval. */
export function approvalsPath(issuer: string): string {
  return `${basePath(issuer)}/approvals`
}

/** Where the browser meets one sign-in. Its cookie goes by this path, so both makers of it have to agree. */
export function interactionPath(issuer: string, uid: string): string {
  return `${basePath(issuer)}/interaction/${uid}`
}

import { CIBA_GRANT } from './backchannel-grant.ts'
import { DEVICE_GRANT } from './device-grant.ts'

/** Grant types that a client has because an option says so, and that need no redirect URI. */
export const SWITCHED_GRANTS = [DEVICE_GRANT, CIBA_GRANT] as const

/**
 * Grant types with exactly these of the switched ones. Who signs in elsewhere needs no redirect URI, and then the
 * client has no use for the flow that needs one: beside a switched grant type the type's own is there only where
 * redirect URIs are.
 * @param flow the grant type that the client's type is about
 */
export function withSwitched(
  grants: readonly string[],
  flow: string,
  { on, redirects }: { readonly on: readonly string[]; readonly redirects: boolean },
): string[] {
  const others = grants.filter((grant) => grant !== flow && !SWITCHED_GRANTS.some((switched) => switched === grant))
  return [...(redirects || on.length === 0 ? [flow] : []), ...others, ...on]
}

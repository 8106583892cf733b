/** RFC 8628 §3.4 */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'

/**
 * Grant types with the device flow switched on or off. A client of a device has no redirect URI and then no use for
 * the flow that needs one, so with the device flow the type's own flow is there only where redirect URIs are.
 * @param flow the grant type that the client's type is about
 */
export function withDeviceFlow(
  grants: readonly string[],
  flow: string,
  { on, redirects }: { readonly on: boolean; readonly redirects: boolean },
): string[] {
  const others = grants.filter((grant) => grant !== flow && grant !== DEVICE_GRANT)
  return [...(redirects || !on ? [flow] : []), ...others, ...(on ? [DEVICE_GRANT] : [])]
}

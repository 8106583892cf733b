/** True where the URI leads to one of the hosts: by name, below `*.` and a domain, by a native app's scheme, or any (`*`). */
export function isAmongHosts(hosts: readonly string[], uri: string): boolean {
  const url = URL.parse(uri)
  const target = url?.hostname || url?.protocol.slice(0, -1) || ''
  return hosts.some(
    (host) => host === '*' || (host.startsWith('*.') ? target.endsWith(host.slice(1)) : target === host),
  )
}

/**
 * True where the URI leads to one of the hosts: by name, below `*.` and a domain, or any (`*`). A native app's scheme is
 * written with its colon: any app can claim one that reads like a host, and whatever host stands after it.
 */
export function isAmongHosts(hosts: readonly string[], uri: string): boolean {
  const url = URL.parse(uri)
  if (!url) return false
  const target = /^https?:$/.test(url.protocol) ? url.hostname : url.protocol
  return hosts.some(
    (host) => host === '*' || (host.startsWith('*.') ? target.endsWith(host.slice(1)) : target === host),
  )
}

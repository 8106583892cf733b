import { isIPv6 } from 'node:net'

/**
 * The network that an address is counted under: an IPv4 address itself, the first 64 bits of an IPv6 address, since
 * whoever has one of those has all 2^64 of them (RFC 6177 §2).
 */
export function networkOf(address: string): string {
  const [plain = ''] = address.split('%')
  if (!isIPv6(plain)) return address
  // the URL parser writes every IPv6 address in one way: without leading zeros, dotted ends as hexadecimal
  const [before = '', after] = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::')
  const head = groupsOf(before)
  const tail = groupsOf(after ?? '')
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0')
  return `${[...head, ...zeros, ...tail].slice(0, 4).join(':')}::/64`
}

function groupsOf(text: string): string[] {
  return text === '' ? [] : text.split(':')
}

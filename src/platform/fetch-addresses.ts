import { isIPv4, isIPv6 } from 'node:net'
import { addressList, isIn } from './address-list.ts'

/** IANA's special-purpose addresses that are not globally reachable, multicast, and metadata services at public addresses. */
const CLOSED_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
  '168.63.129.16/32',
]

/** Outside it lie loopback, unique-local, link-local, multicast, IPv4-mapped and NAT64 addresses, and what is not assigned. */
const GLOBAL_IPV6 = ['2000::/3']
/** Inside it: protocol assignments with Teredo, documentation, 6to4 (which carries an IPv4 address). */
const CLOSED_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']

export interface AddressRules {
  /** True where the operator has named the address. */
  isNamed(address: string): boolean
  /** True for public addresses and for those that the operator has named. False for what is no address. */
  isOpen(address: string): boolean
}

/** @param allow addresses and CIDRs that are open although private. @throws TypeError for an entry that is neither */
export function addressRules(allow: readonly string[]): AddressRules {
  const named = addressList(allow)
  // a list for each family: Node compares an IPv4 address with IPv6 networks too, and would find it in ::ffff:0:0/96
  const closedIpv4 = addressList(CLOSED_IPV4)
  const globalIpv6 = addressList(GLOBAL_IPV6)
  const closedIpv6 = addressList(CLOSED_IPV6)

  const isPublic = (address: string): boolean => {
    if (isIPv4(address)) return !closedIpv4.check(address, 'ipv4')
    return isIPv6(address) && globalIpv6.check(address, 'ipv6') && !closedIpv6.check(address, 'ipv6')
  }
  const isNamed = (address: string): boolean => isIn(named, withoutZone(address))

  return { isNamed, isOpen: (address) => isPublic(withoutZone(address)) || isNamed(address) }
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '')
}

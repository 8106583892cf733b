import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * The addresses and networks (CIDR) of the list.
 * @throws TypeError for an entry that is neither an address nor a CIDR
 */
export function addressList(entries: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/')
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
    const bits = Number(prefix ?? (family === 'ipv4' ? 32 : 128))
    if (!family || !Number.isInteger(bits) || (prefix !== undefined && !/^\d+$/.test(prefix)))
      throw new TypeError(`${entry} is not an address or a CIDR`)
    list.addSubnet(address, bits, family)
  }
  return list
}

/** False for what is no address. */
export function isIn(list: BlockList, address: string): boolean {
  return isIPv4(address) ? list.check(address, 'ipv4') : isIPv6(address) && list.check(address, 'ipv6')
}

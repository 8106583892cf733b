import { expect, test } from 'vitest'
import { networkOf } from '#platform/http/network.ts'

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
  ['2001:DB8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['64:ff9b:1::192.0.2.7', '64:ff9b:1:0::/64'],
  ['', ''],
])('%s is counted under %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})

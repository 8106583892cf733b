import { describe, expect, test } from 'vitest'
import { addressRules } from '#platform/fetch-addresses.ts'

describe('an address is open or closed', () => {
  const rules = addressRules([])

  test.each(['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '223.255.255.255', '2606:4700::1111', '2a00:1450::1'])(
    '%s is public',
    (address) => expect(rules.isOpen(address)).toBe(true),
  )

  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.88.99.1',
    '192.168.1.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::127.0.0.1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b::8.8.8.8',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::1',
    '3fff::1',
    '5f00::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    'not an address',
    '',
  ])('%j is closed', (address) => expect(rules.isOpen(address)).toBe(false))

  test('what the operator names is open, and nothing beside it', () => {
    const named = addressRules(['10.20.0.0/16', '127.0.0.1', 'fd00:1::/32'])
    for (const open of ['10.20.255.1', '127.0.0.1', '::ffff:127.0.0.1', 'fd00:1::9'])
      expect([open, named.isOpen(open), named.isNamed(open)]).toEqual([open, true, true])
    for (const closed of ['10.21.0.1', '127.0.0.2', 'fd00:2::9', 'fe80::1'])
      expect([closed, named.isOpen(closed)]).toEqual([closed, false])
    expect(named.isNamed('8.8.8.8')).toBe(false)
  })
})

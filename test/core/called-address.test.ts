import { describe, expect, test } from 'vitest'
import { calledAddressProblem } from '#core/clients/web-address.ts'

describe('an address that the server calls', () => {
  test.each([
    'https://app.example/logout',
    'https://app.example:8443/logout?tenant=1',
    'http://localhost:8080/logout',
    'http://127.0.0.1/logout',
    'http://[::1]:8080/logout',
  ])('may be %s', (uri) => expect(calledAddressProblem(uri)).toBeUndefined())

  test.each([
    ['http://app.example/logout', 'https://'],
    ['http://10.0.0.1/logout', 'https://'],
    ['http://127.0.0.1.evil.example/logout', 'https://'],
    ['ftp://app.example/logout', 'https://'],
    ['https://app.example/logout#part', 'fragment'],
    ['http://localhost/logout#', 'fragment'],
    ['https://user:password@app.example/logout', 'user name or password'],
    ['http://user@localhost/logout', 'user name or password'],
    ['https://app.example/log out', 'percent-encoded'],
    [`https://app.example/${'a'.repeat(2_000)}`, 'longer'],
    ['', 'https://'],
  ])('may not be %s', (uri, problem) => expect(calledAddressProblem(uri)).toContain(problem))
})

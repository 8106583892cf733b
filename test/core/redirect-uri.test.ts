import { describe, expect, test } from 'vitest'
import type { ClientType } from '#core/clients/client.ts'
import { redirectUriProblem, redirectUrisProblem } from '#core/clients/redirect-uri.ts'

const accepted: [ClientType, string][] = [
  ['web', 'https://app.example/callback'],
  ['web', 'https://app.example'],
  ['web', 'https://app.example/'],
  ['web', 'https://app.example:8443/callback'],
  ['web', 'https://app.example/api/auth/callback/latchkey?tenant=blue&x=1'],
  ['web', 'https://app.example/callback?'],
  ['web', 'https://xn--bcher-kva.example/callback'],
  ['web', 'https://192.0.2.7/callback'],
  ['web', 'https://[2001:db8::1]/callback'],
  ['web', 'https://app.example/a%20b/%C3%BC'],
  ['web', 'https://app.example//callback;v=1'],
  ['web', 'http://localhost:8080/callback'],
  ['web', 'http://127.0.0.1/callback'],
  ['web', 'http://[::1]:3000/callback'],
  ['web', 'https://localhost/callback'],
  ['spa', 'https://app.example/'],
  ['spa', 'http://localhost:5173/'],
  ['native', 'https://app.example/claimed'],
  ['native', 'http://127.0.0.1/callback'],
  ['native', 'http://[::1]/callback'],
  ['native', 'http://localhost:4711/callback'],
  ['native', 'com.example.app:/callback'],
  ['native', 'com.example.app://callback'],
  ['native', 'com.example.my-app:callback'],
]

const refused: [ClientType, string, RegExp][] = [
  // A2: other spellings of an address
  ['web', '', /empty/],
  ['web', 'app.example/callback', /no scheme/],
  ['web', '/callback', /no scheme/],
  ['web', '//app.example/callback', /no scheme/],
  ['web', 'https:', /browser/],
  ['web', 'https:app.example/callback', /spelling/],
  ['web', 'https:/app.example/callback', /spelling/],
  ['web', 'https:///app.example/callback', /spelling/],
  ['web', 'https://APP.example/callback', /https:\/\/app\.example\/callback; register it in that spelling/],
  ['web', 'HTTPS://app.example/callback', /spelling/],
  ['web', 'https://app.example:443/callback', /spelling/],
  ['web', 'https://app.example:/callback', /spelling/],
  ['web', 'https://app.example?x=1', /spelling/],
  ['web', 'https://app.example./callback', /ends with a dot/],
  ['web', 'https://app.example/a/../callback', /spelling/],
  ['web', 'https://app.example/./callback', /spelling/],
  ['web', 'https://app.example/%2e%2e/callback', /spelling/],
  ['web', 'https://app.example/.%2E/callback', /spelling/],
  ['web', 'https://app.example/%252e%252e/callback', /encoded twice/],
  ['web', 'https://app.example/%252Fcallback', /encoded twice/],
  ['web', 'https://app%2eexample/callback', /spelling/],
  ['web', 'https://2130706433/callback', /spelling/],
  ['web', 'https://0x7f.1/callback', /spelling/],
  ['web', 'https://app.example:99999/callback', /browser/],
  ['web', 'https://bücher.example/callback', /punycode/],
  ['web', 'https://аpp.example/callback', /punycode/],
  ['web', 'https://app。example/callback', /punycode/],
  // A2: more in it than an address
  ['web', 'https://app.example/callback#', /fragment/],
  ['web', 'https://app.example/callback#top', /fragment/],
  ['web', 'https://user@app.example/callback', /user name/],
  ['web', 'https://app.example@evil.example/callback', /user name/],
  ['web', 'https://user:secret@app.example/callback', /user name/],
  ['web', 'https://@app.example/callback', /user name/],
  ['web', 'https://app.example\\@evil.example/callback', /backslash/],
  ['web', 'https:\\\\app.example\\callback', /backslash/],
  ['web', 'https://app.example/call back', /space/],
  ['web', ' https://app.example/callback', /space/],
  ['web', 'https://app.example/callback\n', /control character/],
  ['web', 'https://app.example/call\tback', /control character/],
  ['web', 'https://app.example/callback\r\nx: y', /control character/],
  ['web', 'https://app.example/callback\0', /control character/],
  ['web', 'https://app.example/callback\u202e', /outside ASCII/],
  ['web', 'https://app.example/call%0d%0aback', /control character/],
  ['web', 'https://app.example/call%00back', /control character/],
  ['web', 'https://app.example/call%5cback', /backslash/],
  ['web', 'https://app.example/100%', /hexadecimal/],
  ['web', 'https://app.example/%zz', /hexadecimal/],
  ['web', 'https://app.example/<b>', /percent-encoded/],
  ['web', 'https://app.example/"x"', /percent-encoded/],
  ['web', 'https://app.example/a|b', /percent-encoded/],
  ['web', 'https://*.app.example/callback', /wildcard/],
  ['web', 'https://app.example/*', /wildcard/],
  ['web', 'https://app.example/callback?code=1', /query parameter code/],
  ['web', 'https://app.example/callback?a=b&state=1', /query parameter state/],
  ['web', 'https://app.example/callback?i%73s=x', /query parameter iss/],
  ['web', `https://app.example/${'a'.repeat(2_000)}`, /2000 characters/],
  // http, and who may use which scheme
  ['web', 'http://app.example/callback', /use https/],
  ['web', 'http://192.168.0.7/callback', /use https/],
  ['web', 'com.example.app:/callback', /native apps only/],
  ['spa', 'com.example.app:/callback', /native apps only/],
  ['web', 'ftp://app.example/callback', /native apps only/],
  ['web', 'ws://app.example/callback', /native apps only/],
  // A3: not quite loopback
  ['native', 'http://localhost.evil.example/callback', /use https/],
  ['native', 'http://127.0.0.1.evil.example/callback', /use https/],
  ['native', 'http://127.0.0.1:1@evil.example/callback', /user name/],
  ['native', 'http://127.1/callback', /spelling/],
  ['native', 'http://2130706433/callback', /spelling/],
  ['native', 'http://127.0.0.2/callback', /use https/],
  ['native', 'http://0.0.0.0/callback', /use https/],
  ['native', 'http://[::ffff:127.0.0.1]/callback', /spelling/],
  ['native', 'http://[::ffff:7f00:1]/callback', /use https/],
  ['native', 'http://[0:0:0:0:0:0:0:1]/callback', /spelling/],
  ['native', 'http://LOCALHOST/callback', /spelling/],
  ['native', 'http://localhost./callback', /ends with a dot/],
  ['native', 'http://app.example/callback', /use https/],
  ['native', 'https://localhost/callback', /loopback/],
  // A4: schemes that run or open something
  ...['javascript:alert(1)', 'JaVaScRiPt:alert(1)', ' javascript:alert(1)', '\tjavascript:alert(1)'].map(unsafe),
  ...['data:text/html,x', 'DATA:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'blob:https://app.example/1'].map(
    unsafe,
  ),
  ...['about:blank', 'javascript://app.example/%0aalert(1)'].map(unsafe),
  ['native', 'java\tscript:alert(1)', /no scheme/],
  ['native', 'java\nscript:alert(1)', /no scheme/],
  ['native', '\u0000javascript:alert(1)', /no scheme/],
  ['native', 'java%73cript:alert(1)', /no scheme/],
  // RFC 8252 §7.1
  ['native', 'myapp:/callback', /backwards/],
  ['native', 'myapp://callback', /backwards/],
  ['native', 'intent:/callback', /backwards/],
  ['native', 'mailto:app@app.example', /backwards/],
  ['native', 'app.:/callback', /backwards/],
  ['native', 'com..app:/callback', /backwards/],
  ['native', 'Com.Example.App:/callback', /spelling/],
  ['native', 'com.example.app:/a/../callback', /spelling/],
  ['native', 'com.example.app:', /ends after its scheme/],
  ['native', 'com.example.app://user@callback', /user name/],
  ['native', 'com.example.app:/callback#x', /fragment/],
  ['service', 'https://app.example/callback', /signs nobody in/],
]

describe('a redirect URI', () => {
  test.each(accepted)('is registered for %s: %s', (type, uri) => {
    expect(redirectUriProblem(uri, type, 'redirect_uris')).toBeUndefined()
  })

  test.each(refused)('A2 A3 A4 is refused for %s: %j', (type, uri, reason) => {
    expect(redirectUriProblem(uri, type, 'redirect_uris')).toMatch(reason)
    expect(redirectUrisProblem(['https://fine.example/callback', uri], type, 'redirect_uris')).toMatch(reason)
  })

  test('may carry a parameter after sign-out that only a sign-in answers with', () => {
    expect(redirectUriProblem('https://app.example/bye?code=1', 'web', 'post_logout_redirect_uris')).toBeUndefined()
    expect(redirectUriProblem('https://app.example/bye?state=1', 'web', 'post_logout_redirect_uris')).toMatch(/state/)
  })

  test('comes in company of at most fifty', () => {
    const uris = Array.from({ length: 51 }, (_, index) => `https://app.example/${index}`)
    expect(redirectUrisProblem(uris.slice(1), 'web', 'redirect_uris')).toBeUndefined()
    expect(redirectUrisProblem(uris, 'web', 'redirect_uris')).toMatch(/at most 50/)
  })

  test('is quoted in messages without what could drive a terminal', () => {
    const problem = redirectUriProblem(`https://app.example/\u001b[31m${'x'.repeat(500)}`, 'web', 'redirect_uris')
    expect(problem).toContain(String.raw`\u{1b}[31m`)
    expect(problem).not.toContain('\u001b')
    expect(problem?.length).toBeLessThan(300)
  })
})

function unsafe(uri: string): [ClientType, string, RegExp] {
  return ['native', uri, /run or open/]
}

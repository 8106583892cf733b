// The server speaking https itself: its cookies are locked to it, and a session ends when it is idle or old.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import tls from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from '../support/app.ts'
import { browserSession, locationOf, type BrowserSession } from '../support/browser-session.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { authorizeUrl, send, tokensFor, userinfo } from '../support/protocol.ts'
import { relyingParty, authorize } from '../support/relying-party.ts'

const IDLE_SECONDS = 600
const ABSOLUTE_SECONDS = 3_000

describe('on https', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-tls-'))
  const trusted = tls.getCACertificates('default')
  let server: TestApp
  let app: TestApp
  let web: RegisteredClient

  beforeAll(async () => {
    const { certificate, key } = await certificateOfLocalhost()
    writeFileSync(path.join(folder, 'tls.crt'), certificate)
    writeFileSync(path.join(folder, 'tls.key'), key, { mode: 0o600 })
    tls.setDefaultCACertificates([...trusted, certificate])
    const issuer = `https://localhost:${await freePort()}`
    const settings = {
      ISSUER: issuer,
      TLS_CERT: path.join(folder, 'tls.crt'),
      TLS_KEY: path.join(folder, 'tls.key'),
      SESSION_IDLE_SECONDS: String(IDLE_SECONDS),
      SESSION_ABSOLUTE_SECONDS: String(ABSOLUTE_SECONDS),
    }
    server = await startApp(databases[0] ?? expect.fail('no database'), { settings })
    app = { ...server, issuer }
    await createPerson(app.services)
    web = await createClient(app.services, { first_party: true })
  })
  afterEach(() => {
    vi.useRealTimers()
  })
  afterAll(async () => {
    await server.close()
    tls.setDefaultCACertificates(trusted)
    rmSync(folder, { recursive: true, force: true })
  })

  test('signs a person in with openid-client', async () => {
    const rp = await relyingParty(app.issuer, web)
    const begun = await rp.begin()
    const tokens = await rp.redeem(await authorize(browserSession(app.issuer), begun.url), begun)
    expect(tokens.claims()?.iss).toBe(app.issuer)
  })

  test('A38 gives every cookie its prefix, Secure, HttpOnly and SameSite=Lax', async () => {
    const lines: string[] = []
    const browser = noting(browserSession(app.issuer), lines)
    let page = await browser.request(authorizeUrl(app, web))
    page = await browser.request(locationOf(page).href)
    const action = /action="([^"]*)"/.exec(page.body)?.[1] ?? ''
    const csrf = /name="csrf" value="([^"]*)"/.exec(page.body)?.[1] ?? ''
    page = await browser.request(action, {
      method: 'POST',
      body: new URLSearchParams({ csrf, username: 'ada', password: 'a long walk by the sea' }),
    })
    page = await browser.request(locationOf(page).href)
    expect(locationOf(page).searchParams.get('code')).toBeTruthy()
    await browser.request(`${app.issuer}/logout`)

    const set = lines.filter((line) => !/^[^=]+=;/.test(line))
    expect(new Set(set.map((line) => line.split('=')[0]))).toEqual(
      new Set(
        ['interaction', 'interaction.sig', 'resume', 'resume.sig']
          .map((name) => `__Secure-latchkey_${name}`)
          .concat('__Host-latchkey_session', '__Host-latchkey_session.sig', '__Host-latchkey_browser'),
      ),
    )
    for (const line of lines) {
      expect(line).toMatch(/; ?secure/i)
      expect(line).toMatch(/; ?httponly/i)
      expect(line).toMatch(/; ?samesite=lax/i)
      expect(line).not.toMatch(/domain=/i)
      if (line.startsWith('__Host-')) expect(line).toMatch(/; ?path=\/(;|$)/i)
      else expect(line).toMatch(/; ?path=\/(interaction|authorize)\/[\w-]+/i)
    }
  })

  test('A17 tells browsers to come back by https only', async () => {
    const { headers } = await send(`${app.issuer}/.well-known/openid-configuration`)
    expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8}/)
  })

  test.each([
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLSv1.2', true],
    ['ECDHE-ECDSA-AES128-SHA256', 'TLSv1.2', false],
    ['ECDHE-ECDSA-CHACHA20-POLY1305', 'TLSv1.2', false],
    ['ECDHE-ECDSA-AES128-SHA', 'TLSv1.2', false],
    ['ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0', 'TLSv1.1', false],
  ] as const)('A17 speaks with what RFC 9325 §4.2 recommends: %s of %s, %s', async (ciphers, version, isSpoken) => {
    const { hostname, port } = new URL(app.issuer)
    const socket = tls.connect({
      host: hostname,
      port: Number(port),
      ciphers,
      minVersion: version,
      maxVersion: version,
    })
    const spoken = new Promise((resolve) =>
      socket.once('secureConnect', () => resolve(true)).once('error', () => resolve(false)),
    )
    expect(await spoken).toBe(isSpoken)
    socket.destroy()
  })

  test('A38 ends a session that was idle for too long, and its tokens', async () => {
    const browser = browserSession(app.issuer)
    const { accessToken } = await tokensFor(app, web, {}, browser)
    later(IDLE_SECONDS - 30)
    expect(await errorAt(browser)).toBeNull()
    later(IDLE_SECONDS + 30)
    expect(await errorAt(browser)).toBe('login_required')
    expect((await userinfo(app, accessToken)).status).toBe(401)
  })

  test('A38 ends a session that is too old, however busy it was', async () => {
    const browser = browserSession(app.issuer)
    await tokensFor(app, web, {}, browser)
    for (let passed = 0; passed + 500 < ABSOLUTE_SECONDS; passed += 500) {
      later(500)
      expect(await errorAt(browser)).toBeNull()
    }
    later(530)
    expect(await errorAt(browser)).toBe('login_required')
    later(60 * 86_400)
    expect(await errorAt(browser)).toBe('login_required')
  })

  const errorAt = async (browser: BrowserSession) =>
    locationOf(await browser.request(authorizeUrl(app, web, { prompt: 'none' }))).searchParams.get('error')
})

function later(seconds: number): void {
  vi.useFakeTimers({ toFake: ['Date'] })
  vi.setSystemTime(Date.now() + seconds * 1_000)
}

function noting(browser: BrowserSession, lines: string[]): BrowserSession {
  return {
    ...browser,
    async request(url, init) {
      const page = await browser.request(url, init)
      lines.push(...page.headers.getSetCookie())
      return page
    },
  }
}

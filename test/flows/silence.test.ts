// A server that is well says nothing but its log: every flow is played against the real process, and whatever a library
// prints to stdout or stderr fails the test.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as oidc from 'openid-client'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { loadConfig } from '#app/config.ts'
import { openServices, type OpenServices } from '#app/services.ts'
import { askForEveryAnswer } from '../support/answers-of-every-kind.ts'
import { createClient, createPerson, type TestApp } from '../support/app.ts'
import { answer, asked, askFor, createPollingClient, pollFor } from '../support/backchannel.ts'
import { browserSession } from '../support/browser-session.ts'
import { freePort } from '../support/free-port.ts'
import {
  authorizeUrl,
  basic,
  codeFor,
  post,
  query,
  redeem,
  refresh,
  send,
  token,
  tokensFor,
  userinfo,
} from '../support/protocol.ts'
import { itselfIn, registering } from '../support/registration.ts'
import { authorize, relyingParty, signIn } from '../support/relying-party.ts'

describe('a server of its own', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-silence-'))
  const output = { stdout: '', stderr: '' }
  let server: ChildProcess
  let opened: OpenServices | undefined
  let app: TestApp

  beforeAll(async () => {
    const issuer = `http://localhost:${await freePort()}`
    const settings = {
      ISSUER: issuer,
      HOST: 'localhost',
      DATABASE_URL: `sqlite:${path.join(folder, 'latchkey.db')}`,
      KEYS_DIR: path.join(folder, 'keys'),
      LOG_FORMAT: 'json',
      REGISTRATION: 'token',
      CLIENT_ID_METADATA_DOCUMENT_HOSTS: 'localhost',
    }
    server = spawn(process.execPath, ['src/main.ts'], {
      env: { PATH: process.env['PATH'], HOME: folder, ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    server.stdout?.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()))
    server.stderr?.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()))
    await vi.waitFor(() => expect(output.stderr).toContain('Latchkey is ready.'), 20_000)
    const config = loadConfig({ ...settings, LOG_LEVEL: 'silent' }, folder)
    opened = await openServices(config)
    app = { issuer, config, services: opened.services, refreshKeys: async () => {}, close: async () => {} }
  })
  afterAll(async () => {
    server.kill('SIGKILL')
    await opened?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('plays every flow without a word beyond its log', async () => {
    await createPerson(app.services)
    const web = await createClient(app.services, { post_logout_redirect_uris: ['https://rp.example/out'] })
    const spa = await createClient(app.services, { type: 'spa' })
    const service = await createClient(app.services, { type: 'service', redirect_uris: [] })
    const rp = await relyingParty(app.issuer, web)

    // code, userinfo, single sign-on, refresh, introspection, revocation
    const browser = browserSession(app.issuer)
    const begun = await rp.begin({
      scope: 'openid profile email offline_access',
      prompt: 'consent',
      claims: '{"userinfo":{"phone_number":null}}',
    })
    const tokens = await rp.redeem(await authorize(browser, begun.url), begun)
    await oidc.fetchUserInfo(rp.config, tokens.access_token, tokens.claims()?.sub ?? '')
    const renewed = await oidc.refreshTokenGrant(rp.config, tokens.refresh_token ?? '')
    await oidc.tokenIntrospection(rp.config, renewed.access_token)
    await oidc.tokenRevocation(rp.config, renewed.access_token)
    await tokensFor(app, web, {}, browser)
    await post(
      `${app.issuer}/token`,
      { client_id: spa.client.id, grant_type: 'authorization_code', code: 'x' },
      { origin: 'http://localhost:9' },
    )
    await tokensFor(app, spa, { response_mode: 'query' }, browser)
    await browser.open(authorizeUrl(app, web, { response_mode: 'form_post' }))
    await browser.open(authorizeUrl(app, web, { response_mode: 'fragment' }))

    await askForEveryAnswer(app, browser)

    // pushed requests, bound tokens, a service
    const pushed = await rp.begin()
    const address = await oidc.buildAuthorizationUrlWithPAR(rp.config, new URL(pushed.url).searchParams)
    const bound = await relyingParty(app.issuer, web)
    const DPoP = oidc.getDPoPHandle(bound.config, await oidc.randomDPoPKeyPair('ES256'))
    const dpop = await oidc.authorizationCodeGrant(
      bound.config,
      await authorize(browser, address.href),
      pushed.checks,
      undefined,
      { DPoP },
    )
    await oidc.fetchUserInfo(bound.config, dpop.access_token, dpop.claims()?.sub ?? '', { DPoP })
    await oidc.clientCredentialsGrant((await relyingParty(app.issuer, service)).config)

    // a client that asks for a person, and what it may not ask
    const till = await createPollingClient(app)
    for (const decision of ['approve', 'deny'] as const) {
      const authReqId = await asked(app, till, { binding_message: 'Order 4711' })
      await pollFor(app, till, authReqId)
      await answer(app, browser, authReqId, decision)
      await pollFor(app, till, authReqId)
    }
    await askFor(app, till, { binding_message: '\n' })
    await askFor(app, till, { login_hint: 'nobody' })
    await askFor(app, till, { login_hint: undefined, login_hint_token: 'x' })
    await browser.open(`${app.issuer}/approvals/x`)
    // software that registers itself, changes, and goes
    const { register, change, read, remove } = registering(() => app.issuer)
    const { value } = await app.services.registrationTokens.create({})
    const { json: made } = await register({ client_name: 'Notes', redirect_uris: ['https://rp.example/in'] }, value)
    await change(itselfIn(made), { redirect_uris: ['javascript:1'] })
    const { json: changed } = await change(itselfIn(made), { redirect_uris: ['https://rp.example/in'] })
    await read(itselfIn(changed))
    await remove(itselfIn(changed))
    for (const token of [undefined, 'unknown', value]) await register({ redirect_uris: [] }, token)
    await read(itselfIn(changed))

    await browser.open(authorizeUrl(app, web, { client_id: 'https://localhost:1/client.json' }))

    // what is refused
    await browser.open(`${app.issuer}/authorize`)
    await browser.open(authorizeUrl(app, web, { redirect_uri: 'https://evil.example' }))
    await browser.open(authorizeUrl(app, web, { prompt: 'nonsense' }))
    await browser.open(authorizeUrl(app, web, { resource: 'https://api.example' }))
    await browser.open(authorizeUrl(app, web, { request: 'x' }))
    await userinfo(app, 'unknown')
    await refresh(app, web, 'unknown')
    await redeem(app, web, await codeFor(app, web, {}, browser), { code_verifier: 'x'.repeat(43) })
    await token(app, service, { grant_type: 'client_credentials', resource: 'https://api.example' })
    await token(app, service, { grant_type: 'password' })
    await token(app, { ...web, secret: 'wrong' }, { grant_type: 'refresh_token' })
    await post(`${app.issuer}/introspect`, { token: 'x' }, basic(service))
    await post(`${app.issuer}/revoke`, {}, basic(web))
    await post(`${app.issuer}/par`, {}, basic(web))
    await send(`${app.issuer}/nowhere`)
    for (const metadata of ['openid-configuration', 'oauth-authorization-server', 'jwks.json'])
      await send(`${app.issuer}/.well-known/${metadata}`)
    await send(`${app.issuer}/token`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })
    const stranger = browserSession(app.issuer)
    await signIn(stranger, await stranger.open(authorizeUrl(app, web, { ui_locales: 'fr' })), 'ada', 'wrong password')
    await stranger.open(`${app.issuer}/interaction/x`)

    // another account, both ways out
    await signIn(browser, await browser.open(authorizeUrl(app, web, { prompt: 'login' })))
    await browser.submit(await browser.open(`${app.issuer}/logout?${query({ client_id: web.client.id })}`), {})
    const question = await browser.open(
      oidc.buildEndSessionUrl(rp.config, {
        id_token_hint: tokens.id_token ?? '',
        post_logout_redirect_uri: 'https://rp.example/out',
      }).href,
    )
    await browser.submit(question, { logout: 'yes' })

    await app.services.signingKeys.rotate()
    await vi.waitFor(() => expect(output.stdout).toContain('signing keys changed'), 20_000)
  })

  test('closes without a word, too, and has written nothing but JSON at level info or below', async () => {
    server.kill('SIGTERM')
    const [code] = await once(server, 'exit')
    expect(code).toBe(0)
    const greeting = /^(Latchkey is ready\.|  Discovery  http|Next, in another terminal|  npx latchkey |$)/
    expect(output.stderr.split('\n').filter((line) => !greeting.test(line))).toEqual([])
    const lines = output.stdout.trim().split('\n')
    expect(lines.length).toBeGreaterThan(60)
    for (const line of lines)
      expect(JSON.parse(line), line).toMatchObject({ level: expect.stringMatching(/^(info|debug|trace)$/) })
  })
})

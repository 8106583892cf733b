// docs/guides/ as readers follow them: every command is run, every configuration is what the command prints, and what
// is JavaScript signs somebody in. The libraries that are not dependencies of ours are played by hand.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { text as textIn } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { createPerson, startApp, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorizeUrl, bearer, post, send, tokensFor, tokensIn, VERIFIER } from '../support/protocol.ts'
import { authorize, signIn } from '../support/relying-party.ts'
import { followGuide, scratchFolder } from './guide-pages.ts'
import { ROOT, textOf } from './markdown.ts'

const FOLDER = 'docs/guides'
const PAGES = readdirSync(path.join(ROOT, FOLDER)).map((page) => `${FOLDER}/${page}`)
/** Its clients have no configuration to print; test/flows/mcp.test.ts follows it. */
const MCP = `${FOLDER}/mcp-server.md`
const CHECKS = z.object({ pkceCodeVerifier: z.string(), expectedState: z.string(), expectedNonce: z.string() })
const ADA = { name: 'Ada Byron', email: 'ada@example.com', email_verified: true }

const [sqlite] = databases

describe('the guides', () => {
  const scratch = scratchFolder()
  let app: TestApp

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
    await createPerson(app.services)
  })
  afterAll(async () => {
    vi.unstubAllEnvs()
    scratch.remove()
    await app.close()
  })

  test.each(PAGES.filter((page) => page !== MCP))(
    '%s: its commands work, and print the configurations that it shows',
    async (page) => {
      const { printed } = await followGuide(app, page)
      expect(printed.length).toBeGreaterThan(0)
      if (page !== `${FOLDER}/README.md`) expect(printed).toEqual(printed.map(({ file }) => ({ file, isOnPage: true })))
    },
  )

  test('the first page leads to every other', () => {
    const index = textOf(`${FOLDER}/README.md`)
    const others = PAGES.map((page) => path.basename(page)).filter((page) => page !== 'README.md')
    expect(others.filter((page) => !index.includes(`(${page})`))).toEqual([])
  })

  test('the two functions for openid-client sign a person in', async () => {
    const { clients, fileOf } = await followGuide(app, `${FOLDER}/express.md`)
    vi.stubEnv('LATCHKEY_CLIENT_SECRET', clients.get('openid-client')?.secret)
    const { begin, finish } = await scratch.load(
      'latchkey.mjs',
      fileOf('openid-client', 'latchkey.mjs'),
      z.object({
        begin: z.function({ input: [], output: z.promise(z.object({ url: z.string(), checks: CHECKS })) }),
        finish: z.function({ input: [z.string(), CHECKS], output: z.promise(z.looseObject({ sub: z.string() })) }),
      }),
    )
    const { url, checks } = await begin()
    const callback = await authorize(browserSession(app.issuer), url)
    await expect(finish(callback.href, { ...checks, expectedState: 'another' })).rejects.toThrow(
      'invalid response encountered',
    )
    expect(await finish(callback.href, checks)).toMatchObject(ADA)
  })

  test('the command-line app signs a person in on the port that it got', async () => {
    const { fileOf } = await followGuide(app, `${FOLDER}/command-line-app.md`)
    const { ended, said } = await started('sign-in.mjs', fileOf('cli', 'sign-in.mjs'), /^http\S+\n/m)
    const callback = await authorize(browserSession(app.issuer), /^http\S+/m.exec(said)?.[0] ?? said)
    expect((await fetch(new URL('/favicon.ico', callback))).status).toBe(404)
    expect(await (await fetch(callback)).text()).toBe('You may close this page.')
    expect(await ended()).toMatchObject(ADA)
  })

  test('the device waits until the person has typed its code', async () => {
    const { fileOf } = await followGuide(app, `${FOLDER}/command-line-app.md`)
    const { ended, said } = await started('device.mjs', fileOf('device', 'device.mjs'), /type (\S+)\n/)
    const [, address = '', code = ''] = /Open (\S+) on any device and type (\S+)\n/.exec(said) ?? []
    const browser = browserSession(app.issuer)
    const typed = await browser.submit(await browser.open(address), { user_code: code })
    let page = await browser.submit(typed, { confirm: 'yes' })
    if (page.body.includes('id="sign-in"')) page = await signIn(browser, page)
    if (page.body.includes('id="consent"')) await browser.submit(page, { decision: 'allow' })
    expect(await ended()).toMatchObject(ADA)
  })

  test('the backend of a Next.js app takes its ID tokens, and no other', async () => {
    const { clients, fileOf } = await followGuide(app, `${FOLDER}/nextauth.md`)
    const client = clients.get('nextauth') ?? expect.fail('the page registers no client')
    const { callbacks } = await scratch.load(
      'callbacks.js',
      fileOf('nextauth', 'callbacks.js'),
      z.object({ callbacks: z.object({ jwt: z.function({ input: [z.unknown()], output: z.unknown() }) }) }),
    )
    const redirect = { redirect_uri: 'http://localhost:3001/api/auth/callback/latchkey' }
    const { idToken } = await tokensFor(app, client, redirect)
    expect(callbacks.jwt({ token: {}, account: { id_token: idToken } })).toEqual({ idToken })
    expect(callbacks.jwt({ token: { idToken } })).toEqual({ idToken })

    const { personOf } = await scratch.load(
      'verify.mjs',
      fileOf('nextauth', 'verify.mjs'),
      z.object({ personOf: z.function({ input: [z.string()], output: z.promise(z.unknown()) }) }),
    )
    expect(await personOf(idToken)).toEqual({ id: expect.any(String), name: ADA.name, email: ADA.email })
    const other = clients.get('authjs')
    const stranger = await app.services.clients.register({ name: 'Stranger', redirect_uris: [redirect.redirect_uri] })
    expect(other?.client.id).toBe(client.client.id)
    await expect(personOf((await tokensFor(app, stranger, redirect)).idToken)).rejects.toThrow(/aud/)
  })

  test('a single-page app gets what oidc-client-ts asks for, in scripts of its own origin', async () => {
    const { clients, fileOf } = await followGuide(app, `${FOLDER}/single-page-app.md`)
    const client = clients.get('spa') ?? expect.fail('the page registers no client')
    const settings = Object.fromEntries(
      [...fileOf('spa', 'auth.js').matchAll(/^ {2}(\w+): '([^']*)',$/gm)].map(([, name = '', value = '']) => [
        name,
        value,
      ]),
    )
    const { authority = '', redirect_uri: redirectUri = '', scope = '' } = settings
    const origin = new URL(redirectUri).origin
    const readable = async (answer: ReturnType<typeof send>) => {
      const { status, headers, json, body } = await answer
      expect([status, body]).toEqual([200, expect.any(String)])
      expect([origin, '*']).toContain(headers.get('access-control-allow-origin'))
      return json
    }
    const discovered = z
      .looseObject({ token_endpoint: z.string(), userinfo_endpoint: z.string(), end_session_endpoint: z.string() })
      .parse(await readable(send(`${authority}/.well-known/openid-configuration`, { headers: { origin } })))
    const asked = authorizeUrl(app, client, { redirect_uri: redirectUri, scope })
    const browser = browserSession(app.issuer)
    const callback = await authorize(browser, asked)
    const redeemed = post(
      discovered.token_endpoint,
      {
        grant_type: 'authorization_code',
        client_id: settings['client_id'],
        code: callback.searchParams.get('code') ?? '',
        redirect_uri: redirectUri,
        code_verifier: VERIFIER,
      },
      { origin },
    )
    await readable(redeemed)
    const { accessToken, refreshToken, idToken } = tokensIn(await redeemed)
    expect(
      await readable(send(discovered.userinfo_endpoint, { headers: { origin, ...bearer(accessToken) } })),
    ).toMatchObject(ADA)
    const renewed = await readable(
      post(
        discovered.token_endpoint,
        { grant_type: 'refresh_token', client_id: settings['client_id'], refresh_token: refreshToken },
        { origin },
      ),
    )
    expect(renewed).toMatchObject({ refresh_token: expect.any(String), id_token: expect.any(String) })
    const signOut = new URL(discovered.end_session_endpoint)
    signOut.searchParams.set('id_token_hint', idToken)
    signOut.searchParams.set('post_logout_redirect_uri', settings['post_logout_redirect_uri'] ?? '')
    const question = await browser.open(signOut.href)
    const left = await browser.submit(question, { logout: 'yes' })
    expect(left.headers.get('location')).toBe(settings['post_logout_redirect_uri'])
  })

  /** Runs a program until it has said what matches; `ended` gives the JSON that it leaves on stdout. */
  async function started(name: string, content: string, until: RegExp) {
    const running = spawn(process.execPath, [scratch.write(name, content)], { stdio: ['ignore', 'pipe', 'pipe'] })
    const exit = once(running, 'exit')
    const stdout = textIn(running.stdout)
    onTestFinished(() => void running.kill())
    let said = ''
    for await (const chunk of running.stderr) {
      said += String(chunk)
      if (until.test(said)) break
    }
    return {
      said,
      async ended(): Promise<unknown> {
        expect((await exit)[0]).toBe(0)
        return JSON.parse(await stdout)
      },
    }
  }
})

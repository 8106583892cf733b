// `latchkey client snippet`: the client's real values, never its secret, and no configuration that could not work.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { Services } from '#core/services.ts'
import { clients as feature } from '#features/clients/index.ts'
import { runCommandLine } from '#platform/cli.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { captureTerminal } from '../support/terminal.ts'

const printed = z.strictObject({
  target: z.string(),
  files: z.array(z.strictObject({ path: z.string(), content: z.string() })),
})

const NEXT = 'https://app.example/api/auth/callback/latchkey'
const CALLBACK = 'https://app.example/callback'
const SPRING = 'https://app.example/login/oauth2/code/latchkey'

const [sqlite] = databases

describe('latchkey client snippet', () => {
  let app: TestApp

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
  })
  afterAll(() => app.close())

  const register = (redirectUri: string, more: Readonly<Record<string, unknown>> = {}) =>
    app.services.clients.register({ name: 'App', redirect_uris: [redirectUri], ...more })

  async function snippet(...argv: readonly string[]) {
    const captured = captureTerminal()
    const line = {
      groups: feature.commands ?? [],
      terminal: captured.terminal,
      withNeeds: <T>(run: (services: Services) => Promise<T>) => run(app.services),
    }
    const exit = await runCommandLine(line, ['client', 'snippet', ...argv])
    return { exit, stdout: captured.stdout(), stderr: captured.stderr() }
  }

  test.each([
    ['nextauth', NEXT, 'web'],
    ['authjs', 'https://app.example/auth/callback/latchkey', 'web'],
    ['django', 'https://app.example/oidc/callback/', 'web'],
    ['authlib', CALLBACK, 'web'],
    ['drf', CALLBACK, 'web'],
    ['drf', CALLBACK, 'spa'],
    ['drf', 'com.example.app:/callback', 'native'],
    ['express', CALLBACK, 'web'],
    ['spring', SPRING, 'web'],
    ['spa', CALLBACK, 'spa'],
    ['cli', 'http://127.0.0.1/callback', 'native'],
    ['device', 'http://127.0.0.1/callback', 'native'],
    ['openid-client', CALLBACK, 'web'],
  ])('%s for a client that returns to %s holds its values and not its secret', async (target, redirectUri, type) => {
    const { client, secret = 'none' } = await register(redirectUri, { type, device_flow: target === 'device' })
    const { exit, stdout, stderr } = await snippet(client.id, '--for', target, '--json')
    expect(exit, stderr).toBe(0)
    const { files } = printed.parse(JSON.parse(stdout))
    const text = files.map(({ content }) => content).join('\n')
    expect(text).toContain(client.id)
    expect(text).toContain(app.issuer)
    expect(text).not.toMatch(/undefined|\[object/)
    expect(stdout + stderr).not.toContain(secret)
    for (const { path, content } of files)
      expect(content.split('\n')[0]).toMatch(new RegExp(`^(//|#) ${escaped(path)}$`))
    expect((await snippet(client.id, '--for', target)).stdout).toBe(text)
    const needsSecret = text.includes('LATCHKEY_CLIENT_SECRET')
    expect(needsSecret).toBe(type === 'web' && target !== 'drf')
    expect(stderr).toBe(
      needsSecret
        ? `Set LATCHKEY_CLIENT_SECRET to the secret that was shown when the client was registered. It cannot be read again; latchkey client rotate-secret ${client.id} makes a new one.\n`
        : '',
    )
  })

  test('what was decided about the client stands in it', async () => {
    const { client } = await register(CALLBACK, {
      redirect_uris: ['https://app.example/other', NEXT, CALLBACK],
      scope: 'openid email groups offline_access',
      id_token_claims: 'strict',
      metadata: { id_token_signed_response_alg: 'ES384', token_endpoint_auth_method: 'client_secret_post' },
    })
    const { stdout } = await snippet(client.id, '--for', 'nextauth')
    expect(stdout).toContain("scope: 'openid email groups'")
    expect(stdout).toContain("token_endpoint_auth_method: 'client_secret_post', id_token_signed_response_alg: 'ES384'")
    expect(stdout).toContain('NEXTAUTH_URL=https://app.example\n')
    expect(stdout).toContain('client.userinfo(tokens)')
    expect((await snippet(client.id, '--for', 'django')).exit).toBe(1)
    expect((await snippet(client.id, '--for', 'openid-client')).stdout).toContain("'https://app.example/other'")
  })

  test('a sign-out that was registered for stands in it', async () => {
    const { client } = await register(SPRING, {
      post_logout_redirect_uris: ['https://app.example/bye'],
      metadata: { id_token_signed_response_alg: 'HS256' },
    })
    for (const target of ['spring', 'express'])
      expect((await snippet(client.id, '--for', target)).stdout).toContain('https://app.example/bye')
    expect((await snippet(client.id, '--for', 'spring')).stdout).toContain('MacAlgorithm.HS256')
  })

  test('no value ends the text that it stands in', async () => {
    const { client } = await register("https://app.example/it's/callback")
    for (const target of ['authlib', 'openid-client'])
      expect((await snippet(client.id, '--for', target)).stdout).toContain("'https://app.example/it\\'s/callback'")
  })

  test.each([
    ['spa', CALLBACK, {}, /spa is for clients of the type spa; this one is of the type web/],
    ['nextauth', CALLBACK, { type: 'spa' }, /For this client there is drf or spa/],
    ['nextauth', CALLBACK, {}, /None of this client's redirect URIs[^]*api\/auth\/callback\/latchkey/],
    ['django', 'https://app.example/oidc/callback', {}, /Register one like .*\/oidc\/callback\//],
    ['spring', CALLBACK, {}, /login\/oauth2\/code/],
    ['cli', 'com.example.app:/callback', { type: 'native' }, /http:\/\/127\.0\.0\.1\/callback/],
    ['device', 'http://127.0.0.1/callback', { type: 'native' }, /not registered[^]*--device-flow/],
    ['authjs', NEXT, { metadata: { id_token_signed_response_alg: 'HS256' } }, /cannot check .* HS256[^]*RS256/],
    ['spring', SPRING, { metadata: { id_token_signed_response_alg: 'EdDSA' } }, /cannot check .* EdDSA/],
    ['authlib', CALLBACK, { scope: 'profile email' }, /may not ask for openid[^]*--scope/],
  ])('%s is refused for a client that returns to %s with %j', async (target, redirectUri, more, reason) => {
    const { client } = await register(redirectUri, more)
    const { exit, stdout, stderr } = await snippet(client.id, '--for', target)
    expect([exit, stdout, stderr]).toEqual([1, '', expect.stringMatching(reason)])
    expect(stderr.trim().split('\n')).toHaveLength(2)
  })

  test('refuses a service, to which nobody signs in', async () => {
    const { client } = await app.services.clients.register({ name: 'Job', type: 'service' })
    expect((await snippet(client.id, '--for', 'drf')).stderr).toMatch(/Nobody signs in to it/)
  })

  test('refuses a client that is not there, no target, and an unknown one', async () => {
    const { client } = await register(CALLBACK)
    expect((await snippet('nobody', '--for', 'spa')).exit).toBe(1)
    expect((await snippet(client.id)).stderr).toMatch(/--for with one of nextauth, authjs/)
    expect((await snippet(client.id, '--for', 'rails')).exit).toBe(2)
  })
})

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

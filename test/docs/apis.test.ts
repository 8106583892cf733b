// docs/apis.md as a stranger follows it: commands and requests in their order, and its API taken out of it and started.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { features } from '#app/features.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { patiently } from '../support/patience.ts'
import { bearer, send, tokensIn, type Answer } from '../support/protocol.ts'
import { captureTerminal } from '../support/terminal.ts'
import { fences, ROOT, shellWords, textOf } from './markdown.ts'

const [sqlite] = databases

describe('docs/apis.md, followed by a stranger', () => {
  let app: TestApp
  const answers: Answer[] = []

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
  })
  afterAll(() => app.close())

  /** The document's words for what the stranger has in hand by now. */
  const filledIn = async (line: string): Promise<string> => {
    const [client] = (await app.services.clients.list({ limit: 1 })).items
    const [accessToken] = answers
      .map(tokensIn)
      .flatMap((tokens) => tokens.accessToken || [])
      .slice(-1)
    return line
      .replaceAll('http://localhost:3000', app.issuer)
      .replaceAll('CLIENT_ID', client?.id ?? '')
      .replaceAll('CLIENT_SECRET', client?.secret ?? '')
      .replaceAll('ACCESS_TOKEN', accessToken ?? '')
  }

  test('every command and every request does what it says', async () => {
    const lines = fences(textOf('docs/apis.md'), 'sh').flatMap((block) => block.trim().split('\n'))
    expect(lines.length).toBeGreaterThanOrEqual(10)
    for (const line of lines) {
      const [program, ...words] = shellWords(await filledIn(line))
      if (program === 'curl') answers.push(await asCurl(words))
      else await latchkey(app.services, words.slice(1))
    }
    const [orders, stock, introspected] = answers.map(({ json }) => json)
    expect(orders).toMatchObject({ scope: 'read', token_type: 'Bearer' })
    expect(stock).toMatchObject({ scope: 'count', token_type: 'Bearer' })
    expect(introspected).toMatchObject({ active: true, aud: 'https://api.example.com/stock', scope: 'count' })
    expect((await app.services.apis.list()).map(({ identifier }) => identifier)).toEqual([
      'https://api.example.com/orders',
    ])
  })

  test('its API takes the token that was got for it, and no other', async () => {
    const port = await freePort()
    const [snippet = ''] = fences(textOf('docs/apis.md'), 'js')
    // below the checkout, so that it finds jose as an application of its own would
    mkdirSync(path.join(ROOT, '.cache'), { recursive: true })
    const folder = mkdtempSync(path.join(ROOT, '.cache', 'apis-'))
    const file = path.join(folder, 'orders.mjs')
    writeFileSync(file, snippet.replace('listen(8081', `listen(${port}`))
    const running = spawn(process.execPath, [file], {
      env: { ...process.env, ISSUER: app.issuer },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    try {
      const call = (headers: Readonly<Record<string, string>> = {}) =>
        patiently(() => send(`http://localhost:${port}/`, { headers }))
      expect((await call()).status).toBe(401)
      const [orders, stock] = answers.map(tokensIn)
      const answer = await call(bearer(orders?.accessToken ?? ''))
      expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('The orders of ')])
      expect((await call(bearer(stock?.accessToken ?? ''))).status).toBe(401)
    } finally {
      const ended = once(running, 'exit')
      running.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

async function latchkey(services: Services, argv: readonly string[]): Promise<void> {
  const { terminal, stdout, stderr } = captureTerminal()
  const exit = await runCommandLine(
    {
      groups: features.flatMap((feature) => feature.commands ?? []),
      terminal,
      withNeeds: <T>(run: (given: Services) => Promise<T>) => run(services),
    },
    argv,
  )
  expect({ argv, exit, stderr: stderr() }).toEqual({ argv, exit: 0, stderr: '' })
  expect(stdout()).not.toBe('')
}

/** `curl -u ID:SECRET -d NAME=VALUE … URL`, which sends the pairs as they are written. */
async function asCurl(words: readonly string[]): Promise<Answer> {
  const after = (flag: string) => words.filter((_, index) => words[index - 1] === flag)
  const answer = await send(words.at(-1) ?? '', {
    method: 'POST',
    body: after('-d').join('&'),
    headers: {
      authorization: `Basic ${Buffer.from(after('-u').join('')).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
  })
  expect({ status: answer.status, body: answer.body }).toEqual({ status: 200, body: expect.any(String) })
  return answer
}

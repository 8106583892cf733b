// docs/backchannel-authentication.md as its readers follow it: the command works, the program gets its claims.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text as textIn } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createPerson, startApp, type TestApp } from '../support/app.ts'
import { openApprovals } from '../support/backchannel.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { followGuide, scratchFolder } from './guide-pages.ts'
import { fences, textOf } from './markdown.ts'

const PAGE = 'docs/backchannel-authentication.md'

const scratch = scratchFolder()
let app: TestApp

beforeAll(async () => {
  app = await startApp(databases[0] ?? expect.fail('no database'))
  await createPerson(app.services)
})
afterAll(async () => {
  scratch.remove()
  await app.close()
})

test('the call centre gets the claims of whoever approves', async () => {
  await followGuide(app, PAGE)
  const [client] = (await app.services.clients.list({ limit: 1 })).items
  const [program = ''] = fences(textOf(PAGE), 'js')
  const running = spawn(process.execPath, [scratch.write('call-centre.mjs', program)], {
    env: { ...process.env, ISSUER: app.issuer, CLIENT_ID: client?.id, CLIENT_SECRET: client?.secret },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void running.kill())
  const exit = once(running, 'exit')
  const stdout = textIn(running.stdout)
  for await (const chunk of running.stderr) if (String(chunk).includes('/approvals')) break

  const browser = browserSession(app.issuer)
  const list = await openApprovals(app, browser)
  const [, href = ''] = /href="(\/approvals\/[^"]+)"/.exec(list.body) ?? []
  const page = await browser.open(`${app.issuer}${href}`)
  expect(page.body).toContain('Order 4711')
  await browser.submit(page, { decision: 'approve' })
  expect((await exit)[0]).toBe(0)
  expect(JSON.parse(await stdout)).toMatchObject({ name: 'Ada Byron', email: 'ada@example.com' })
}, 30_000)

test('the metadata for pings registers a client', async () => {
  const [metadata = ''] = fences(textOf(PAGE), 'json')
  const { client } = await app.services.clients.register({
    name: 'Pinged',
    ciba: 'ping',
    metadata: JSON.parse(metadata),
  })
  expect(client.metadata).toMatchObject(Object(JSON.parse(metadata)))
})

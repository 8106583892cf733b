// docs/fapi2.md as its readers follow it: the keys are made, every command is run, and the application signs somebody in.
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { clients as feature } from '#features/clients/index.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { createPerson, startApp, type TestApp } from '../support/app.ts'
import { browserSession } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { authorize } from '../support/relying-party.ts'
import { captureTerminal } from '../support/terminal.ts'
import { scratchFolder } from './guide-pages.ts'
import { fences, shellWords, textOf } from './markdown.ts'

const PAGE = textOf('docs/fapi2.md')
const [keysFile = '', bankFile = ''] = fences(PAGE, 'js')
const made = z.looseObject({ client_id: z.string(), profile: z.literal('fapi2') })
const checks = z.object({ pkceCodeVerifier: z.string(), expectedState: z.string() })

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

test('its five commands make an application that signs people in', async () => {
  let id = ''
  for (const line of fences(PAGE, 'sh').flatMap((block) => block.trim().split('\n'))) {
    const [program, ...words] = shellWords(line.replaceAll('CLIENT_ID', id))
    if (program === 'node') await run(words[0] ?? '', keysFile)
    if (program === 'npx') id = made.parse(await latchkey(words.slice(1))).client_id
  }
  const signingIn = bankFile
    .replace('CLIENT_ID', id)
    .replace('http://localhost:3000', app.issuer)
    .replace("'private.json'", JSON.stringify(path.join(scratch.folder, 'private.json')))
  const { begin, finish } = await scratch.load(
    'bank.mjs',
    signingIn,
    z.object({
      begin: z.function({ input: [], output: z.promise(z.object({ url: z.string(), checks })) }),
      finish: z.function({ input: [z.string(), checks], output: z.promise(z.looseObject({ sub: z.string() })) }),
    }),
  )
  const begun = await begin()
  const callback = await authorize(browserSession(app.issuer), begun.url)
  expect(await finish(callback.href, begun.checks)).toMatchObject({ email: 'ada@example.com' })
})

test.each(fences(PAGE, 'json'))('%s can be registered beside the keys', async (file) => {
  const [client] = (await app.services.clients.list({ limit: 1 })).items
  const { metadata } = await app.services.clients.update(client?.id ?? '', { metadata: JSON.parse(file) })
  expect(metadata).toMatchObject(Object(JSON.parse(file)))
})

async function run(name: string, content: string): Promise<void> {
  const file = scratch.write(name, content)
  await promisify(execFile)(process.execPath, [file], { cwd: scratch.folder })
}

async function latchkey(argv: readonly string[]): Promise<unknown> {
  const { terminal, stdout, stderr } = captureTerminal({ callerDir: scratch.folder })
  const withNeeds = <T>(run: (given: Services) => Promise<T>) => run(app.services)
  const line = [...argv.filter((word) => word !== '--json'), '--json']
  const exit = await runCommandLine({ groups: feature.commands ?? [], terminal, withNeeds }, line)
  expect({ argv, exit, stderr: stderr() }).toEqual({ argv, exit: 0, stderr: '' })
  return JSON.parse(stdout())
}

// docs/registration.md as a stranger follows it.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { features } from '#app/features.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { send } from '../support/protocol.ts'
import { captureTerminal } from '../support/terminal.ts'
import { fences, shellWords, textOf } from './markdown.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp(databases[0] ?? expect.fail('no database'), { settings: { REGISTRATION: 'token' } })
})
afterAll(() => app.close())

test('every command and every request does what it says', async () => {
  const page = textOf('docs/registration.md')
  const [file = ''] = fences(page, 'json')
  const known = new Map<string, string>([['http://localhost:3000', app.issuer]])
  for (const line of fences(page, 'sh').flatMap((block) => block.trim().split('\n'))) {
    const [program, ...words] = shellWords(line).map((word) =>
      [...known].reduce((text, [name, value]) => text.replace(name, value), word),
    )
    if (program === 'curl') {
      const headers = words.filter((_, index) => words[index - 1] === '-H').map((header) => header.split(/: (.*)/s))
      const url = words.at(-1) ?? ''
      const init = {
        method: 'POST',
        body: file,
        headers: headers.map(([name = '', value = '']): [string, string] => [name, value]),
      }
      const { status, json } = await send(url, init)
      expect([status, json]).toMatchObject([201, { client_name: 'Partner notes', client_secret: expect.any(String) }])
      known.set('CLIENT_ID', String(json['client_id']))
    } else {
      const out = await latchkey(words.slice(1))
      known.set('REGISTRATION_TOKEN', /^ {2}([\w-]{43})$/m.exec(out)?.[1] ?? known.get('REGISTRATION_TOKEN') ?? '')
    }
  }
  expect(await app.services.clients.get(known.get('CLIENT_ID') ?? '')).toMatchObject({
    origin: 'administrator',
    metadata: { scope: 'openid profile email' },
  })
})

async function latchkey(argv: readonly string[]): Promise<string> {
  const { terminal, stdout, stderr } = captureTerminal()
  const line = {
    groups: features.flatMap((feature) => feature.commands ?? []),
    terminal,
    withNeeds: <T>(run: (given: Services) => Promise<T>) => run(app.services),
  }
  expect([argv, await runCommandLine(line, argv), stderr()]).toEqual([argv, 0, ''])
  return stdout()
}

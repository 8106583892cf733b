// docs/claims.md as somebody follows it: its commands in their order, and the claims that it says come of them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { features } from '#app/features.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { PASSWORD, startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { claimsIn, tokensFor, userinfo } from '../support/protocol.ts'
import { captureTerminal } from '../support/terminal.ts'
import { fences, textOf } from './markdown.ts'

const [sqlite] = databases

describe('docs/claims.md', () => {
  let app: TestApp

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
    await app.services.groups.create('engineers')
  })
  afterAll(() => app.close())

  const client = async () => {
    const [found] = (await app.services.clients.list({ limit: 1 })).items
    if (!found) throw new Error('the page registers no client')
    return found
  }

  test('its commands work in their order, and give Ada’s application the claims that it shows', async () => {
    const text = textOf('docs/claims.md')
    const commands = fences(text, 'sh').flatMap((block) => block.trim().split('\n'))
    expect(commands.length).toBeGreaterThan(10)
    const [aboutReceipts, before] = [/claim-receipt/, /./].map((words) => commands.filter((line) => words.test(line)))
    for (const line of before ?? []) if (!line.includes('claim-receipt')) await run(line)

    await app.services.accounts.update((await app.services.accounts.get('ada')).id, { groups: ['engineers'] })
    const registered = { client: await client(), secret: (await client()).secret }
    const { idToken, accessToken } = await tokensFor(app, registered, { scope: 'openid profile phone address' })
    const shown: Record<string, unknown> = JSON.parse(fences(text, 'json')[0] ?? '')
    expect(claimsIn(idToken)).toMatchObject(shown)
    expect(claimsIn(idToken)).not.toHaveProperty('https://example.com/groups')
    expect((await userinfo(app, accessToken)).json).toMatchObject({
      ...shown,
      name: 'Ada Byron',
      preferred_username: 'ada',
      birthdate: '1815-12-10',
      zoneinfo: 'Europe/London',
      locale: 'en-GB',
      updated_at: expect.any(Number),
      phone_number: '+442079460000',
      phone_number_verified: true,
      address: { locality: 'London', country: 'UK' },
    })

    await app.services.claimReceipts.flush()
    for (const line of aboutReceipts ?? []) expect(await run(line)).toContain('userinfo')
  })

  test('what it says of a person’s custom claims is what the person has', async () => {
    expect((await app.services.accounts.get('ada')).customClaims).toEqual({
      badges: ['first programmer'],
      department: 'Finance',
      level: 3,
      staff_no: '0042',
    })
  })

  async function run(line: string): Promise<string> {
    const id = line.includes('CLIENT_ID') ? (await client()).id : ''
    const words = [...line.replaceAll('CLIENT_ID', id).matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      ([, single, double, bare]) => single ?? double ?? bare ?? '',
    )
    expect(words.slice(0, 2)).toEqual(['npx', 'latchkey'])
    const { terminal, stdout, stderr } = captureTerminal({ answers: { secret: PASSWORD } })
    const exit = await runCommandLine(
      {
        groups: features.flatMap((feature) => feature.commands ?? []),
        terminal,
        withNeeds: <T>(command: (services: Services) => Promise<T>) => command(app.services),
      },
      words.slice(2),
    )
    expect({ line, exit, stderr: stderr() }).toEqual({ line, exit: 0, stderr: '' })
    return stdout()
  }
})

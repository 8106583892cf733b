// Claims and their receipts on the command line: `user --claim`, `client --claim`, `claim-receipt list`.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { features } from '#app/features.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import { createClient, createPerson, startApp, type TestApp } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { tokensFor, userinfo } from '../support/protocol.ts'
import { captureTerminal } from '../support/terminal.ts'

const person = z.looseObject({ custom_claims: z.record(z.string(), z.unknown()).optional() })
const client = z.looseObject({ client_id: z.string(), claims: z.array(z.unknown()) })
const page = z.strictObject({
  items: z.array(
    z.strictObject({
      id: z.string(),
      at: z.int(),
      user: z.string(),
      client_id: z.string(),
      place: z.string(),
      claims: z.array(z.string()),
    }),
  ),
  next: z.string().nullable(),
})
const [sqlite] = databases

describe('latchkey', () => {
  let app: TestApp

  beforeAll(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
    await createPerson(app.services)
  })
  afterAll(() => app.close())

  async function latchkey(...argv: string[]) {
    const { terminal, stdout, stderr } = captureTerminal()
    const exit = await runCommandLine(
      {
        groups: features.flatMap((feature) => feature.commands ?? []),
        terminal,
        withNeeds: <T>(run: (services: Services) => Promise<T>) => run(app.services),
      },
      argv,
    )
    return { exit, out: stdout(), err: stderr() }
  }

  describe('user', () => {
    test('update sets every claim of OpenID Connect Core 5.1, and userinfo gives each as its type', async () => {
      const texts = {
        name: 'Ada Lovelace',
        given_name: 'Ada',
        family_name: 'Lovelace',
        middle_name: 'Augusta',
        nickname: 'Countess',
        profile: 'https://example.com/ada',
        picture: 'https://example.com/ada.png',
        website: 'https://ada.example.com/',
        gender: 'female',
        birthdate: '1815-12-10',
        zoneinfo: 'Europe/London',
        locale: 'en-GB',
        phone_number: '+442079460000',
      }
      const address = { street_address: '12 St James Square', locality: 'London', country: 'UK' }
      const options = Object.entries(texts).flatMap(([claim, value]) => [`--${claim.replaceAll('_', '-')}`, value])
      const flags = ['--phone-number-verified', '--address', JSON.stringify(address)]
      const updated = await latchkey('user', 'update', 'ada', ...options, ...flags, '--json')
      const { id, updated_at } = z.looseObject({ id: z.string(), updated_at: z.int() }).parse(JSON.parse(updated.out))

      const registered = await createClient(app.services, { first_party: true })
      const { accessToken } = await tokensFor(app, registered, { scope: 'openid profile email phone address' })
      expect((await userinfo(app, accessToken)).json).toEqual({
        sub: id,
        ...texts,
        preferred_username: 'ada',
        email: 'ada@example.com',
        email_verified: true,
        phone_number_verified: true,
        address,
        updated_at,
      })
    })

    test('create takes custom claims, and show tells them', async () => {
      const made = await latchkey(
        'user',
        'create',
        '--email',
        'kim@example.com',
        '--claim',
        'department=Finance',
        '--claim',
        'level=3',
        '--json',
      )
      expect(person.parse(JSON.parse(made.out)).custom_claims).toEqual({ department: 'Finance', level: 3 })
      const shown = await latchkey('user', 'show', 'kim@example.com')
      expect(shown.out).toContain('{"department":"Finance","level":3}')
    })

    test('update changes the claims that are named and leaves the others', async () => {
      const { out } = await latchkey(
        'user',
        'update',
        'kim@example.com',
        '--claim',
        'level=4',
        '--clear-claim',
        'department',
        '--claim',
        'x="y"',
        '--json',
      )
      expect(person.parse(JSON.parse(out)).custom_claims).toEqual({ level: 4, x: 'y' })
    })

    test('shows none where there are none', async () => {
      const { out } = await latchkey(
        'user',
        'update',
        'kim@example.com',
        '--clear-claim',
        'level',
        '--clear-claim',
        'x',
        '--json',
      )
      expect(person.parse(JSON.parse(out))).not.toHaveProperty('custom_claims')
    })

    test.each([
      [['--claim', 'department'], 'has no value'],
      [['--claim', 'sub=root'], 'meaning of its own'],
      [['--claim', 'email_verified=true'], 'meaning of its own'],
      [['--claim', '__proto__={}'], '__proto__'],
      [['--claim', `x=${'x'.repeat(5_000)}`], '4 KiB'],
      [['--claim', 'a=1', '--clear-claim', 'a'], 'both given and cleared'],
    ])('refuses %j', async (options, word) => {
      const { exit, err } = await latchkey('user', 'update', 'kim@example.com', ...options)
      expect([exit, err]).toEqual([1, expect.stringContaining(word)])
    })
  })

  describe('client', () => {
    test('create and update take rules, which replace those of before', async () => {
      const made = await latchkey(
        'client',
        'create',
        '--name',
        'App',
        '--redirect-uri',
        'https://app.example/cb',
        '--claim',
        'roles=groups@groups',
        '--claim',
        'tenant="acme"',
        '--json',
      )
      const { client_id: id, claims } = client.parse(JSON.parse(made.out))
      expect(claims).toEqual([
        { claim: 'roles', source: 'groups', scope: 'groups' },
        { claim: 'tenant', value: 'acme' },
      ])
      expect((await latchkey('client', 'show', id)).out).toContain('roles=groups@groups tenant="acme"')
      const renamed = await latchkey('client', 'update', id, '--name', 'The app', '--json')
      expect(client.parse(JSON.parse(renamed.out)).claims).toEqual(claims)
      const changed = await latchkey('client', 'update', id, '--claim', 'department', '--json')
      expect(client.parse(JSON.parse(changed.out)).claims).toEqual([
        { claim: 'department', source: 'custom.department' },
      ])
      const cleared = await latchkey('client', 'update', id, '--clear-claims', '--json')
      expect(client.parse(JSON.parse(cleared.out)).claims).toEqual([])
    })

    test.each([
      [['--claim', 'roles=group'], 'no source "group"'],
      [['--claim', 'email=custom.mail'], 'meaning of its own'],
      [['--claim', 'a=email', '--claim', 'a=groups'], 'given twice'],
      [['--claim', 'a=email@phone', '--scope', 'openid email'], 'may not ask for'],
      [['--claim', 'a=email', '--type', 'service'], 'Nobody signs in'],
    ])('refuses %j', async (options, word) => {
      const uris = options.includes('service') ? [] : ['--redirect-uri', 'https://app.example/cb']
      const { exit, err } = await latchkey('client', 'create', '--name', 'App', ...uris, ...options)
      expect([exit, err]).toEqual([1, expect.stringContaining(word)])
    })

    test('update refuses to give and to clear at once', async () => {
      const { client: registered } = await createClient(app.services)
      const { exit, err } = await latchkey('client', 'update', registered.id, '--claim', 'a=email', '--clear-claims')
      expect([exit, err]).toEqual([1, expect.stringContaining('both given and cleared')])
    })
  })

  describe('claim-receipt list', () => {
    test('tells which client was given what of whom and when, for people and for programs', async () => {
      expect((await latchkey('claim-receipt', 'list', '--user', 'kim@example.com')).out).toContain('Nothing was given')
      const registered = await createClient(app.services, { first_party: true })
      const { accessToken } = await tokensFor(app, registered, { scope: 'openid email' })
      await userinfo(app, accessToken)
      await app.services.claimReceipts.flush()

      const text = await latchkey('claim-receipt', 'list', '--user', 'ada', '--since', '1h')
      expect(text.out).toMatch(/UTC {2}\S+ {2}\S+ {2}userinfo {2}email email_verified sub\n/)
      expect(text.out).not.toContain('ada@')
      const { out } = await latchkey('claim-receipt', 'list', '--client', registered.client.id, '--json')
      const { items, next } = page.parse(JSON.parse(out))
      expect([items.length, next]).toEqual([2, null])

      const first = await latchkey('claim-receipt', 'list', '--client', registered.client.id, '--limit', '1', '--json')
      const { next: cursor } = page.parse(JSON.parse(first.out))
      expect(first.err).toBe(`There are more: add --cursor ${cursor}\n`)
      const second = await latchkey(
        'claim-receipt',
        'list',
        '--client',
        registered.client.id,
        '--cursor',
        cursor ?? '',
        '--json',
      )
      expect(page.parse(JSON.parse(second.out)).items).toHaveLength(1)
    })

    test.each([[['--since', 'yesterday']], [['--user', 'nobody']], [['--limit', '0']]])(
      'refuses %j',
      async (options) => {
        const { exit, out, err } = await latchkey('claim-receipt', 'list', ...options)
        expect([exit, out]).toEqual([1, ''])
        expect(err.split('\n').length).toBeGreaterThan(1)
      },
    )
  })
})

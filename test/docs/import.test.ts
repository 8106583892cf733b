// docs/import.md as somebody follows it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { passwordHashProblem } from '#core/accounts/password-hash.ts'
import type { Services } from '#core/services.ts'
import { userCommands } from '#features/accounts/commands.ts'
import { runCommandLine } from '#platform/cli.ts'
import { databases } from '../support/databases.ts'
import { servicesOn, type TestServices } from '../support/services.ts'
import { captureTerminal } from '../support/terminal.ts'
import { fences, textOf } from './markdown.ts'

const text = textOf('docs/import.md')

describe('docs/import.md', () => {
  let opened: TestServices
  let services: Services
  let folder: string

  beforeAll(async () => {
    opened = await servicesOn(databases[0] ?? expect.fail('no database'), { now: () => 1_700_000_000 })
    ;({ services } = opened)
    folder = mkdtempSync(path.join(tmpdir(), 'latchkey-import-'))
  })
  afterAll(async () => {
    await opened.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('its commands take the people that it shows', async () => {
    writeFileSync(path.join(folder, 'people.jsonl'), fences(text, 'json')[0] ?? '')
    const said = []
    for (const line of (fences(text, 'sh')[0] ?? '').trim().split('\n')) {
      const { terminal, stdout, stderr } = captureTerminal({ callerDir: folder })
      const argv = line.replace(/^npx latchkey /, '').split(' ')
      const exit = await runCommandLine({ groups: [userCommands], withNeeds: (run) => run(services), terminal }, argv)
      said.push([exit, stdout(), stderr()])
    }
    const others = 'There already, and left as they are: 0\nRefused: 0\n'
    expect(said).toEqual([
      [0, `Would be imported: 3\n${others}`, ''],
      [0, `Imported: 3\n${others}`, ''],
    ])
    expect(await services.accounts.get('0b9f1fd5-0c5c-4b21-9c1b-6a6b1f0f4c11')).toMatchObject({ disabled: true })
  })

  test('the spellings that it lists are known', () => {
    const ends: readonly (readonly [RegExp, string])[] = [
      [/^(bcrypt(_sha256)?\$)?\$2[aby]\$…$/, '12$tX7ANyfxsf8uptGwmW/BzezGEBTcMPiy/Np/4QKmx7b39D1DPgJWm'],
      [
        /^(argon2)?\$argon2id\$…$/,
        'v=19$m=1024,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$50SDd5C5SdCYm32xRu3EJS9tSEyrKY2tEktxKWE98gU',
      ],
      [/^pbkdf2_/, '1000$saltysalt123$aT/Kawas81REsdAo0IpsZpk88+rBbozPM9etTTAsUj8='],
      [/^\$pbkdf2[^…]*\$…$/, '1000$AAECAwQFBgcICQoLDA0ODw$50SDd5C5SdCYm32xRu3EJS9tSEyrKY2tEktxKWE98gU'],
      [/^scrypt\$…$/, '16384$saltysalt123$8$1$Luv92HIPJOvBgbVlMGUbwKpgW3RRddNY07pv7DZUzBs='],
      [/=[^…]*\$…$/, 'AAECAwQFBgcICQoLDA0ODw$50SDd5C5SdCYm32xRu3EJS9tSEyrKY2tEktxKWE98gU'],
    ]
    const spellings = [...text.matchAll(/`([^`]*…)`/g)].map(([, spelling = '']) => spelling)
    expect(spellings.length).toBeGreaterThan(12)
    for (const spelling of spellings) {
      const [, end = ''] = ends.find(([pattern]) => pattern.test(spelling)) ?? []
      expect([spelling, passwordHashProblem(spelling.replace('…', () => end))]).toEqual([spelling, undefined])
    }
  })
})

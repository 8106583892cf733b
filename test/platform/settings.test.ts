import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { parseSettings, SettingsError, type Environment, type Problem } from '#platform/settings.ts'

const TABLE = {
  port: {
    name: 'PORT',
    schema: z.string().regex(/^\d+$/, 'must be a number').transform(Number),
    default: '3000',
    sentence: 'The port.',
  },
  name: { name: 'NAME', schema: z.optional(z.string()), default: undefined, sentence: 'A name.' },
  token: {
    name: 'TOKEN',
    schema: z.optional(z.string().min(8, 'must have 8 letters or more')),
    default: undefined,
    sentence: 'A secret.',
  },
}

const parse = (environment: Environment, envFile?: string) => parseSettings(TABLE, environment, envFile)

function problemsOf(environment: Environment, envFile?: string): readonly Problem[] {
  try {
    parse(environment, envFile)
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
  return []
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-settings-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A file in the test's folder. */
function fileWith(content: string): string {
  const file = path.join(folder, `value-${content.length}-${Math.random()}`)
  writeFileSync(file, content)
  return file
}

describe('a setting', () => {
  test.each<[string, Environment, string | undefined, object]>([
    ['nothing given: its default', {}, undefined, { port: 3000, name: undefined }],
    ['the environment', { PORT: '1' }, undefined, { port: 1 }],
    ['.env', {}, 'PORT=2', { port: 2 }],
    ['both: the environment goes first', { PORT: '1' }, 'PORT=2', { port: 1 }],
    ['an empty variable: as if it were not there', { PORT: '' }, undefined, { port: 3000 }],
    ['an empty variable over .env: the file counts', { PORT: '' }, 'PORT=2', { port: 2 }],
    ['an empty line in .env: the default', {}, 'PORT=\nNAME=', { port: 3000, name: undefined }],
    ['quotes and comments in .env', {}, '# the name\nNAME="a b" # said twice\n', { name: 'a b' }],
  ])('is read from %s', (_, environment, envFile, values) => {
    expect(parse(environment, envFile)).toMatchObject(values)
  })

  test.each([
    ['as it is', 'a long secret', 'a long secret'],
    ['without its last line break', 'a long secret\n', 'a long secret'],
    ['without its last line break of Windows', 'a long secret\r\n', 'a long secret'],
    ['with every other one', 'a long\nsecret\n\n', 'a long\nsecret\n'],
  ])('is read from the file that NAME_FILE names, %s', (_, content, value) => {
    const file = fileWith(content)
    expect(parse({ TOKEN_FILE: file })).toMatchObject({ token: value })
    expect(parse({}, `TOKEN_FILE=${file}`)).toMatchObject({ token: value })
  })

  test('keeps its default where NAME_FILE is empty', () => {
    expect(parse({ TOKEN_FILE: '' })).toMatchObject({ token: undefined })
  })

  test('of another program in the environment is nobody here', () => {
    expect(parse({ PATH: '/bin', PORTS: '1', LATCHKEY: 'x' })).toMatchObject({ port: 3000 })
  })
})

describe('a wrong setting', () => {
  test('is refused together with every other one, each by its name', () => {
    const problems = problemsOf(
      { PORT: 'http', TOKEN: 'short', NAME_FILE: path.join(folder, 'none') },
      'PROT=1\nNAMES=2',
    )
    expect(problems.map(({ setting }) => setting).toSorted()).toEqual(['NAMES', 'NAME_FILE', 'PORT', 'PROT', 'TOKEN'])
  })

  test('is told with its reason, and a secret one without its value', () => {
    const problems = problemsOf({ PORT: 'http', TOKEN: 'canary' })
    expect(problems).toContainEqual({ setting: 'PORT', message: 'must be a number' })
    expect(problems).toContainEqual({ setting: 'TOKEN', message: 'must have 8 letters or more' })
    expect(JSON.stringify(problems)).not.toContain('canary')
  })

  test('that is unknown is refused in .env, with the remedy', () => {
    expect(problemsOf({}, 'PROT=1')).toEqual([
      { setting: 'PROT', message: expect.stringMatching(/correct the name .* or remove the line/) },
    ])
  })

  test('that is given twice, itself and as NAME_FILE, is refused, wherever each stands', () => {
    const file = fileWith('a long secret')
    for (const [environment, envFile] of [
      [{ TOKEN: 'a long secret', TOKEN_FILE: file }, undefined],
      [{ TOKEN_FILE: file }, 'TOKEN=a long secret'],
    ] as const) {
      expect(problemsOf(environment, envFile)).toEqual([
        { setting: 'TOKEN', message: expect.stringContaining('set twice') },
      ])
    }
  })

  test('whose file cannot be read names the file and the reason', () => {
    const file = path.join(folder, 'none')
    expect(problemsOf({ TOKEN_FILE: file })).toEqual([
      { setting: 'TOKEN_FILE', message: `cannot read ${file} (ENOENT): name a readable file` },
    ])
    expect(problemsOf({ TOKEN_FILE: folder })).toEqual([
      { setting: 'TOKEN_FILE', message: expect.stringContaining('EISDIR') },
    ])
  })

  test('in a file is judged as one in the environment', () => {
    expect(problemsOf({ TOKEN_FILE: fileWith('short') })).toEqual([
      { setting: 'TOKEN', message: 'must have 8 letters or more' },
    ])
  })
})

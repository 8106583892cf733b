import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadMasterKey, parseMasterKey, readMasterKey } from '#core/master-key.ts'
import { collect, runNode } from '../support/processes.ts'

let folder: string
let file: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-key-'))
  file = path.join(folder, 'master.key')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('the first start makes the folder and the key, for its user alone; later ones read it', () => {
  const keys = path.join(folder, 'deep', 'keys')
  const key = loadMasterKey(keys)
  expect(key).toHaveLength(32)
  expect(statSync(path.join(keys, 'master.key')).mode & 0o777).toBe(0o600)
  expect(readFileSync(path.join(keys, 'master.key'), 'utf8')).toBe(`${key.toString('base64url')}\n`)
  expect(loadMasterKey(keys)).toEqual(key)
  expect(readdirSync(keys)).toEqual(['master.key'])
})

test('reading alone makes nothing', () => {
  expect(readMasterKey(path.join(folder, 'none'))).toBeUndefined()
  expect(readdirSync(folder)).toEqual([])
})

test('of eight processes that start at once one makes the key, all have it, and no draft is left', async () => {
  const script = `import { loadMasterKey } from '#core/master-key.ts'
    process.stdout.write(loadMasterKey(process.env.FOLDER).toString('base64url'))`
  const printed = await Promise.all(
    Array.from({ length: 8 }, async () => {
      const child = runNode(['--input-type=module', '--eval', script], { FOLDER: folder })
      const output = collect(child)
      await new Promise((resolve) => child.once('close', resolve))
      return output.stdout() || output.stderr()
    }),
  )
  expect(new Set(printed)).toEqual(new Set([readFileSync(file, 'utf8').trim()]))
  expect(readdirSync(folder)).toEqual(['master.key'])
})

describe.skipIf(process.platform === 'win32')('F25 a file that others can read', () => {
  test.each([0o644, 0o640, 0o604, 0o660, 0o601])('is refused with mode %o and the command that mends it', (mode) => {
    loadMasterKey(folder)
    chmodSync(file, mode)
    expect(() => loadMasterKey(folder)).toThrow(
      expect.objectContaining({
        code: 'configuration',
        message: expect.stringContaining(file),
        hint: `Run: chmod 600 ${file}`,
      }),
    )
  })
})

describe('F25 a file that holds no key', () => {
  const key = randomBytes(32)
  test.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['half a key', key.toString('base64url').slice(0, 20)],
    ['a key too long', randomBytes(33).toString('base64url')],
    ['a key in hexadecimal', key.toString('hex')],
    ['a key with padding', `${key.toString('base64url')}=`],
    ['two keys', `${key.toString('base64url')}\n${key.toString('base64url')}`],
    ['something else', '-----BEGIN PRIVATE KEY-----\ncanary\n'],
  ])('is refused with %s in it: the file is named, what it holds is not, and it stays', (_, content) => {
    writeFileSync(file, content, { mode: 0o600 })
    const refusal = catching(() => loadMasterKey(folder))
    expect(refusal).toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(file),
      hint: expect.stringContaining('backup'),
    })
    expect(JSON.stringify([refusal.message, refusal])).not.toContain(content.trim() || 'nothing to repeat')
    expect(readFileSync(file, 'utf8')).toBe(content)
  })

  test('is refused where it is a folder', () => {
    mkdirSync(file, { mode: 0o700 })
    expect(() => loadMasterKey(folder)).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringContaining(file) }),
    )
  })
})

test('a folder that cannot be made is refused, with the setting to change', () => {
  writeFileSync(path.join(folder, 'occupied'), '')
  expect(() => loadMasterKey(path.join(folder, 'occupied', 'keys'))).toThrow(
    expect.objectContaining({ code: 'configuration', hint: expect.stringContaining('KEYS_DIR') }),
  )
})

test('a key from a setting may have white space around it', () => {
  const key = randomBytes(32)
  expect(parseMasterKey(` ${key.toString('base64url')}\n`, 'MASTER_KEY')).toEqual(key)
})

function catching(work: () => unknown): Error {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
  }
  throw new Error('nothing was thrown')
}

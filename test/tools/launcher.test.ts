// The launcher as a person meets it, in a small project of its own: the tools of this one, a lock file without
// packages, and no pinned Node.js, so that nothing is fetched.
import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let project: string

beforeEach(() => {
  project = realpathSync(mkdtempSync(path.join(tmpdir(), 'latchkey-launcher-')))
  cpSync(path.join(import.meta.dirname, '../../tools'), path.join(project, 'tools'), { recursive: true })
  const identity = { name: 'small', version: '1.0.0' }
  writeFileSync(path.join(project, 'package.json'), JSON.stringify(identity))
  const lock = { ...identity, lockfileVersion: 3, requires: true, packages: { '': identity } }
  writeFileSync(path.join(project, 'package-lock.json'), JSON.stringify(lock))
})

afterEach(() => rmSync(project, { recursive: true, force: true }))

interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

/** Starts a tool of the small project; npm's own variables are kept out, so that it stands as started by hand. */
function start(
  tool: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): ChildProcess {
  const clean = Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_COMPILE_CACHE$)/i.test(name))
  const env = { ...Object.fromEntries(clean), ...options.env }
  return spawn(process.execPath, [path.join(project, 'tools', tool), ...args], { cwd: options.cwd ?? project, env })
}

function ended(child: ChildProcess): Promise<Ended> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })))
}

function markInstalled(): void {
  mkdirSync(path.join(project, 'node_modules'), { recursive: true })
  const digest = createHash('sha256')
    .update(readFileSync(path.join(project, 'package-lock.json')))
    .digest('hex')
  writeFileSync(path.join(project, 'node_modules/.lock-sha256'), digest)
}

describe('a command through the launcher', () => {
  beforeEach(markInstalled)

  test.each([0, 1, 78])('keeps the exit code %i', async (code) => {
    const result = await ended(start('run.mjs', ['node', '-e', `process.exit(${code})`]))
    expect(result).toEqual({ code, stdout: '', stderr: '' })
  })

  test('has stdout for itself and runs in the folder of the project with the compile cache on', async () => {
    const script = 'console.log(JSON.stringify([process.cwd(), process.env.NODE_COMPILE_CACHE]))'
    const { stdout } = await ended(start('run.mjs', ['node', '-e', script], { cwd: tmpdir() }))
    expect(JSON.parse(stdout)).toEqual([project, path.join(project, 'node_modules/.cache/compile')])
  })

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('gets %s once and ends in its own way', async (signal) => {
    const script = `let seen = 0
      process.on('${signal}', () => { seen += 1; setTimeout(() => process.exit(seen === 1 ? 7 : 8), 200) })
      setInterval(() => {}, 1000); console.log('ready')`
    const child = start('run.mjs', ['node', '-e', script])
    child.stdout?.once('data', () => {
      child.kill(signal)
      setTimeout(() => child.kill(signal), 50)
    })
    expect((await ended(child)).code).toBe(7)
  })

  test.skipIf(process.platform === 'win32')('ends when the npm that it was started by is stopped', async () => {
    const script = "process.on('SIGTERM', () => { console.log('ended'); process.exit(0) }); setInterval(() => {}, 1000)"
    const run = `"${process.execPath}" tools/run.mjs node -e "console.log('ready'); ${script}"; true`
    // as npm does it: a shell in between, which gets the signal and keeps it to itself
    const shell = spawn('sh', ['-c', run], { cwd: project, env: { ...process.env, npm_lifecycle_event: 'start' } })
    shell.stdout.once('data', () => shell.kill('SIGTERM'))
    const { stdout } = await ended(shell)
    expect(stdout).toBe('ready\nended\n')
  })

  test('that a signal ends gives 128 and the number of the signal', async () => {
    const { code } = await ended(start('run.mjs', ['node', '-e', "process.kill(process.pid, 'SIGKILL')"]))
    expect(code).toBe(137)
  })

  test('that does not exist is named', async () => {
    const { code, stderr } = await ended(start('run.mjs', ['no-such-command']))
    expect(code).toBe(127)
    expect(stderr).toMatch(/^Cannot run no-such-command: .*\n$/)
  })
})

describe('the admin command line', () => {
  beforeEach(() => {
    markInstalled()
    mkdirSync(path.join(project, 'src'))
    const script = 'console.log(JSON.stringify([process.env.LATCHKEY_CALLER_DIR, ...process.argv.slice(2)]))'
    writeFileSync(path.join(project, 'src/cli.ts'), script)
  })

  test('knows the folder of its caller and passes arguments on as they are', async () => {
    const cwd = realpathSync(tmpdir())
    const { stdout } = await ended(start('latchkey.mjs', ['client', 'create', '--name', 'a "b" $c'], { cwd }))
    expect(JSON.parse(stdout)).toEqual([cwd, 'client', 'create', '--name', 'a "b" $c'])
  })

  test('knows the folder where npm run was called', async () => {
    const { stdout } = await ended(start('latchkey.mjs', [], { env: { INIT_CWD: '/somewhere' } }))
    expect(JSON.parse(stdout)).toEqual(['/somewhere'])
  })
})

describe('the dependencies', () => {
  test('are installed once, and what is said about it goes to stderr', async () => {
    const first = await ended(start('run.mjs', ['node', '-e', 'console.log(1)']))
    expect(first).toEqual({ code: 0, stdout: '1\n', stderr: expect.stringContaining('Installing') })
    const second = await ended(start('run.mjs', ['node', '-e', 'console.log(2)']))
    expect(second).toEqual({ code: 0, stdout: '2\n', stderr: '' })
  })

  test('are installed by one of two launchers that start at once', async () => {
    const results = await Promise.all([1, 2, 3].map(() => ended(start('run.mjs', ['node', '-e', '']))))
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(results.filter(({ stderr }) => stderr.includes('Installing'))).toHaveLength(1)
    expect(existsSync(path.join(project, '.cache/install.lock'))).toBe(false)
  })

  test('are installed although a killed launcher left its lock behind', async () => {
    const lock = path.join(project, '.cache/install.lock')
    mkdirSync(lock, { recursive: true })
    writeFileSync(path.join(lock, 'token'), 'of a killed one')
    utimesSync(lock, 0, 0)
    const { code, stderr } = await ended(start('run.mjs', ['node', '-e', '']))
    expect(code).toBe(0)
    expect(stderr).not.toContain('Waiting')
  })

  test('that npm refuses to install are one clear sentence, and the next start tries again', async () => {
    writeFileSync(
      path.join(project, 'package.json'),
      JSON.stringify({ name: 'small', dependencies: { 'not-locked': '1.0.0' } }),
    )
    const { code, stdout, stderr } = await ended(start('run.mjs', ['node', '-e', 'console.log(1)']))
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('npm could not install the locked dependencies')
    expect(existsSync(path.join(project, 'node_modules/.lock-sha256'))).toBe(false)
  })

  test('without a lock file are one clear sentence', async () => {
    rmSync(path.join(project, 'package-lock.json'))
    const { code, stderr } = await ended(start('run.mjs', ['node', '-e', '']))
    expect(code).toBe(1)
    expect(stderr).toBe(`Cannot read package-lock.json in ${project} (ENOENT): restore it, it says what to install.\n`)
  })

  test('without npm are one clear sentence', async () => {
    const bin = path.join(project, 'bin')
    mkdirSync(bin)
    symlinkSync(process.execPath, path.join(bin, 'node'))
    const { code, stderr } = await ended(start('run.mjs', ['node', '-e', ''], { env: { PATH: bin } }))
    expect(code).toBe(127)
    expect(stderr).toContain('npm was not found')
  })
})

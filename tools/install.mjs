// Brings node_modules to what package-lock.json says, once: the sha256 of the lock file is written into node_modules
// when the install is whole, and nothing is done while the two agree. Plain JavaScript for any Node.js from 18 up.
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const HEARTBEAT_MS = 1_000
const STALE_AFTER_MS = 20_000

/** What the launcher cannot go on after; the message is the whole sentence for the person. */
export class LaunchError extends Error {
  constructor(message, exitCode = 1) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Installs the locked dependencies under `root` unless they are there. Talks on stderr. Throws LaunchError. */
export async function installLocked(root) {
  const wanted = lockDigest(root)
  if (isInstalled(root, wanted)) return
  await withInstallLock(root, async () => {
    if (isInstalled(root, wanted)) return // by the launcher that we waited for
    console.error('Installing the locked dependencies (only when they change; about half a minute)…')
    rmSync(stampFile(root), { force: true })
    await npmCi(root)
    mkdirSync(join(root, 'node_modules'), { recursive: true })
    writeFileSync(stampFile(root), wanted)
  })
}

const stampFile = (root) => join(root, 'node_modules', '.lock-sha256')

function lockDigest(root) {
  const file = join(root, 'package-lock.json')
  try {
    return createHash('sha256').update(readFileSync(file)).digest('hex')
  } catch (error) {
    throw new LaunchError(
      `Cannot read package-lock.json in ${root} (${error.code}): restore it, it says what to install.`,
    )
  }
}

function isInstalled(root, wanted) {
  try {
    return readFileSync(stampFile(root), 'utf8').trim() === wanted
  } catch {
    return false
  }
}

/** `--include` outweighs NODE_ENV=production and npm's own `omit`, so that one stamp means one set of packages. */
const CI = [
  'ci',
  '--ignore-scripts',
  '--include=dev',
  '--include=optional',
  '--no-audit',
  '--no-fund',
  '--loglevel=error',
]

async function npmCi(root) {
  const windows = process.platform === 'win32'
  const npm = process.env['npm_execpath'] // set by npm, but by its rivals as well
  const isNpm = npm !== undefined && /npm-cli\.c?js$/.test(npm) && existsSync(npm)
  const [command, ...args] = isNpm ? [process.execPath, npm, ...CI] : ['npm', ...CI]
  // Our stdout may be somebody's JSON: whatever npm says goes to stderr.
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], shell: windows && !isNpm })
  const forward = (signal) => child.kill(signal)
  process.on('SIGTERM', forward).on('SIGINT', forward).on('SIGHUP', forward)
  const ended = await new Promise((resolve) => {
    child.on('error', (error) => resolve({ error }))
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  process.off('SIGTERM', forward).off('SIGINT', forward).off('SIGHUP', forward)
  if (ended.error?.code === 'ENOENT') {
    throw new LaunchError(
      'npm was not found: install Node.js together with npm, which fetches the locked dependencies.',
      127,
    )
  }
  if (ended.signal)
    throw new LaunchError(`Installing was interrupted (${ended.signal}); the next start begins anew.`, 130)
  if (ended.error || ended.code !== 0) {
    throw new LaunchError(
      'npm could not install the locked dependencies (its reason stands above): check the network, the disk and that ' +
        `${root} can be written, then start again.`,
    )
  }
}

/**
 * Runs `work` while no other launcher of this checkout installs. The lock is a folder, since mkdir either makes it or
 * fails; its holder touches it every second, so one that nobody touches any more belongs to a killed process.
 */
async function withInstallLock(root, work) {
  const lock = join(root, '.cache', 'install.lock')
  const token = randomUUID()
  await takeLock(lock, token)
  const heartbeat = setInterval(() => touch(lock), HEARTBEAT_MS)
  try {
    await work()
  } finally {
    clearInterval(heartbeat)
    if (readToken(lock) === token) rmSync(lock, { recursive: true, force: true })
  }
}

async function takeLock(lock, token) {
  let told = false
  while (!tryToTake(lock, token)) {
    if (ageMs(lock) > STALE_AFTER_MS) removeStale(lock)
    else {
      if (!told) console.error('Waiting for another start that is installing the dependencies…')
      told = true
      await sleep(250)
    }
  }
}

function tryToTake(lock, token) {
  try {
    mkdirSync(join(lock, '..'), { recursive: true })
    mkdirSync(lock)
    writeFileSync(join(lock, 'token'), token)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw new LaunchError(
      `Cannot write in ${join(lock, '../..')} (${error.code}): the dependencies are installed there.`,
    )
  }
}

/** Moves the lock aside before removing it: of several that judged it stale, one succeeds, and it can see its mistake. */
function removeStale(lock) {
  const aside = `${lock}.${randomUUID()}`
  const judged = readToken(lock)
  try {
    renameSync(lock, aside)
    if (readToken(aside) !== judged) renameSync(aside, lock) // somebody was quicker and this one is alive
  } catch {
    // gone or replaced meanwhile: the next round looks again
  }
  rmSync(aside, { recursive: true, force: true })
}

function readToken(lock) {
  try {
    return readFileSync(join(lock, 'token'), 'utf8')
  } catch {
    return undefined
  }
}

function ageMs(lock) {
  try {
    return Date.now() - statSync(lock).mtimeMs
  } catch {
    return 0
  }
}

function touch(lock) {
  try {
    utimesSync(lock, new Date(), new Date())
  } catch {
    // being moved aside for a moment; the next beat finds it again
  }
}

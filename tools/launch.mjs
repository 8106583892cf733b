// Starts a command of this project as it wants to be started: locked dependencies installed, pinned Node.js and
// node_modules/.bin first on PATH, compile cache on. Says what it has to say on stderr: stdout is the command's.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installLocked, LaunchError } from './install.mjs'
import { chooseRuntime, pinnedRuntime, shouldForward } from './runtime.mjs'

/** The checkout, without a trailing separator. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')
const modules = join(root, 'node_modules')

/**
 * Runs `[command, …args]` in the project's folder with `extraEnv` added, and ends this process with the exit code of
 * the command (128 + number where a signal ended it), or with one sentence where it cannot be started.
 */
export async function launch([command = 'node', ...args], extraEnv = {}) {
  try {
    await installLocked(root)
    const env = environment(runtimeFolder(), extraEnv)
    process.exit(await run(command, args, env))
  } catch (error) {
    if (!(error instanceof LaunchError)) throw error
    console.error(error.message)
    process.exit(error.exitCode)
  }
}

function runtimeFolder() {
  const { platform, arch, version, execPath } = process
  const pinned = pinnedRuntime(platform, arch)
  const executable = join(modules, pinned.name, pinned.executable)
  // It may be there and not run: musl instead of glibc, or a volume shared with another system.
  const starts = existsSync(executable) && spawnSync(executable, ['--version'], { stdio: 'ignore' }).status === 0
  const choice = chooseRuntime({ pinnedExecutable: starts ? executable : undefined, version, execPath, platform, arch })
  if (choice.refusal) throw new LaunchError(choice.refusal)
  return choice.folder
}

function environment(runtime, extraEnv) {
  const name = Object.keys(process.env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH' // Windows spells it Path
  return {
    NODE_COMPILE_CACHE: join(modules, '.cache', 'compile'),
    ...process.env,
    ...extraEnv,
    [name]: [runtime, join(modules, '.bin'), process.env[name] ?? ''].join(delimiter),
  }
}

function run(command, args, env) {
  const windows = process.platform === 'win32'
  // Only a shell finds the .cmd files of node_modules/.bin on Windows, and it takes one ready-quoted line.
  const line = [command, ...args]
    .map((word) => (/[\s"&|<>^]/.test(word) ? `"${word.replaceAll('"', '\\"')}"` : word))
    .join(' ')
  const options = { cwd: root, stdio: 'inherit', env }
  const child = windows && command !== 'node' ? spawn(line, { ...options, shell: true }) : spawn(command, args, options)
  forwardSignals(child)
  endWithNpm(child)
  return new Promise((resolve, reject) => {
    child.on('error', (error) => reject(new LaunchError(`Cannot run ${command}: ${error.message}`, 127)))
    child.on('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

function forwardSignals(child) {
  const atTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
  let last
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT']) {
    process.on(signal, () => {
      const now = Date.now()
      if (shouldForward({ signal, atTerminal, now, last })) child.kill(signal)
      last = now
    })
  }
}

/**
 * npm hands a signal to the shell that it started us with, and that shell ends without handing it on: whoever stops
 * `npm start` from outside would leave the server running. So under npm we end the child when our parent is gone.
 */
function endWithNpm(child) {
  if (!process.env['npm_lifecycle_event']) return
  const parent = process.ppid
  const watch = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watch)
    child.kill('SIGTERM')
  }, 250)
  watch.unref()
}

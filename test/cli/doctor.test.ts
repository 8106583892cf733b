// `latchkey doctor` on real servers behind a proxy with every fault that it is there to find.
import { setDefaultCACertificates, getCACertificates } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { administration } from '#app/administration.ts'
import type { Finding } from '#features/doctor/finding.ts'
import { runCommandLine } from '#platform/cli.ts'
import { createClient, startApp, type TestApp } from '../support/app.ts'
import { brokenProxy, type BrokenProxy, type Fault } from '../support/broken-proxy.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { captureTerminal } from '../support/terminal.ts'

const WITHOUT_SECRETS = /[A-Za-z0-9_-]{43}/
const believed = getCACertificates()
const certificate = await certificateOfLocalhost()

let issuer: string
let app: TestApp
let proxy: BrokenProxy

beforeAll(() => setDefaultCACertificates([...believed, certificate.certificate]))
afterAll(() => setDefaultCACertificates(believed))
afterEach(() => vi.unstubAllEnvs())

async function doctor(argv: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  const { terminal, stdout, stderr } = captureTerminal()
  const withNeeds = (): never => {
    throw new Error('the doctor opens what it needs itself')
  }
  const exit = await runCommandLine({ groups: [], standalone: administration, withNeeds, terminal }, [
    'doctor',
    ...argv,
  ])
  return { exit, stdout: stdout(), stderr: stderr() }
}

/** Behind the proxy, under a path. */
async function serve(kind: (typeof databases)[number]): Promise<void> {
  const [front, back] = [await freePort(), await freePort()]
  issuer = `https://localhost:${front}/id`
  app = await startApp(kind, {
    settings: { ISSUER: issuer, PORT: String(back), TRUSTED_PROXIES: '127.0.0.1,::1', CLIENT_CERT_HEADER: 'X-Cert' },
  })
  proxy = await brokenProxy(front, back, certificate)
}

async function stop(): Promise<void> {
  await proxy.close()
  await app.close()
}

const settings = () => ({
  ISSUER: issuer,
  HOST: 'localhost',
  PORT: String(app.config.listen.port),
  DATABASE_URL: app.config.databaseUrl.reveal(),
  KEYS_DIR: app.config.keysDir,
  TRUSTED_PROXIES: '127.0.0.1,::1',
  CLIENT_CERT_HEADER: 'X-Cert',
})

describe.each(databases)('on $name', (kind) => {
  beforeAll(() => serve(kind))
  afterAll(stop)

  test('all is well, and told in one page', async () => {
    proxy.fault = { onTheWayIn: ({ headers }) => delete headers['x-cert'] }
    const { exit, stdout, stderr } = await doctor([], settings())
    expect(stdout).toContain(`From outside, at ${issuer}\n`)
    expect(stdout).not.toMatch(/PROBLEM|WARNING/)
    expect([exit, stderr]).toEqual([0, ''])
    expect(stdout).toMatch(/\n0 problems, 0 warnings, \d+ ok\.\n$/)
    expect(stdout).not.toMatch(WITHOUT_SECRETS)
  })
})

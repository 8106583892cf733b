// The files of deploy/proxy, with the proxies that are installed here: what comes through is what relying parties and
// browsers need, and nobody makes up the address that they come from.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { createClient, startApp } from '../support/app.ts'
import { certificateOfLocalhost } from '../support/certificate.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { patiently } from '../support/patience.ts'
import { authorizeUrl } from '../support/protocol.ts'

const APACHE_MODULES = '/usr/lib/apache2/modules'

interface Proxy {
  readonly name: string
  readonly program: string
  readonly file: string
  argv(folder: string): string[]
  /** What stands around the file's text in a whole configuration. */
  around(site: string, folder: string, port: number): string
}

const PROXIES: readonly Proxy[] = [
  {
    name: 'nginx',
    program: '/usr/sbin/nginx',
    file: 'nginx.conf',
    argv: (folder) => ['-p', folder, '-e', path.join(folder, 'log'), '-c', 'whole.conf', '-g', 'daemon off;'],
    around: (site, folder) => `pid ${folder}/pid;
events {}
http {
access_log off;
${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${folder};`).join('\n')}
${site}
}`,
  },
  {
    name: 'Apache',
    program: '/usr/sbin/apache2',
    file: 'apache.conf',
    argv: (folder) => ['-D', 'FOREGROUND', '-f', path.join(folder, 'whole.conf')],
    around: (site, folder, port) => `${['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'ssl']
      .map((name) => `LoadModule ${name}_module ${APACHE_MODULES}/mod_${name}.so`)
      .join('\n')}
ServerRoot ${folder}
ServerName localhost
Listen ${port}
PidFile ${folder}/pid
ErrorLog ${folder}/log
User www-data
Group www-data
${site}`,
  },
]

const [sqlite] = databases

test.for(PROXIES)('$name hands on what is asked, over https, and tells who asked', async (proxy, { skip }) => {
  skip(!existsSync(proxy.program), `${proxy.name} is not here`)
  if (!sqlite) throw new Error('SQLite is always there')
  const lines: string[] = []
  const stream = new Writable({ write: (chunk: Buffer, _, done) => (lines.push(chunk.toString()), done()) })
  const [port, outside] = [await freePort('127.0.0.1'), await freePort('0.0.0.0')]
  const issuer = `https://localhost:${outside}`
  const app = await startApp(sqlite, {
    settings: {
      ISSUER: issuer,
      HOST: '127.0.0.1',
      PORT: String(port),
      TRUSTED_PROXIES: '127.0.0.1',
      METRICS_TOKEN: 'x',
    },
    log: pino(stream),
  })
  onTestFinished(() => app.close())
  const client = await createClient(app.services)
  const ca = await startProxy(proxy, port, outside)

  /** Comes from an address that is no trusted one, and says that it comes from elsewhere. */
  const ask = (url: string): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-host': 'evil.example' }
      request(url, { ca, localAddress: '127.0.0.2', family: 4, headers }, resolve).once('error', reject).end()
    })

  const discovery = await patiently(() => ask(`${issuer}/.well-known/openid-configuration`))
  expect(JSON.parse(await text(discovery))).toMatchObject({ issuer, token_endpoint: `${issuer}/token` })
  const begun = await ask(authorizeUrl({ issuer }, client))
  expect([begun.statusCode, begun.headers.location]).toEqual([
    303,
    expect.stringMatching(/^(https:\/\/localhost:\d+)?\/interaction\//),
  ])
  expect(begun.headers['set-cookie']?.every((cookie) => /; secure/i.test(cookie))).toBe(true)
  expect((await ask(`${issuer}/metrics`)).statusCode).toBe(404)
  expect((await ask(`${issuer}/interaction/a%2Fb`)).headers['x-request-id']).toBeDefined()
  const seen = lines.map((line): unknown => JSON.parse(line))
  expect(seen).toContainEqual(expect.objectContaining({ path: '/authorize', client: '127.0.0.2' }))
  expect(lines.join('')).not.toContain('203.0.113.9')
})

/** Starts it until the test is over, and gives the certificate that it shows. */
async function startProxy({ program, file, argv, around }: Proxy, port: number, outside: number): Promise<string> {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-proxy-'))
  chmodSync(folder, 0o777) // where the test runs as root, a proxy works as somebody else
  const { certificate, key } = await certificateOfLocalhost()
  writeFileSync(path.join(folder, 'own.pem'), certificate)
  writeFileSync(path.join(folder, 'own.key'), key)
  const site = readFileSync(path.join(import.meta.dirname, '../../deploy/proxy', file), 'utf8')
    .replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`)
    .replaceAll('/etc/ssl/id.example.com', path.join(folder, 'own'))
    .replaceAll('id.example.com', 'localhost')
    .replace('443', String(outside))
  writeFileSync(path.join(folder, 'whole.conf'), around(site, folder, outside))
  const running = spawn(program, argv(folder), { stdio: 'ignore' })
  const gone = once(running, 'exit')
  onTestFinished(async () => {
    running.kill()
    await gone
    rmSync(folder, { recursive: true, force: true })
  })
  return certificate
}

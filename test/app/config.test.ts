// Settings, wrong one at a time and all at once. The machinery is tested in test/platform; here it is the table.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '#app/config.ts'
import { SettingsError, type Environment } from '#platform/settings.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'latchkey-config-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function problemsOf(environment: Environment): readonly { setting: string; message: string }[] {
  try {
    loadConfig(environment, folder)
    return []
  } catch (error) {
    if (error instanceof SettingsError) return error.problems
    throw error
  }
}

const KEY = Buffer.alloc(32, 7).toString('base64url')

describe('a wrong setting is refused by name', () => {
  test.each([
    ['ISSUER', 'id.example.com', /must be a URL/],
    ['ISSUER', 'ftp://id.example.com', /must be a URL/],
    ['ISSUER', 'http://id.example.com', /must start with https/],
    ['ISSUER', 'http://127.0.0.2:3000', /must start with https/],
    ['ISSUER', 'https://id.example.com/', /must not end with a slash/],
    ['ISSUER', 'https://id.example.com/id/', /must not end with a slash/],
    ['ISSUER', 'https://id.example.com?x=1', /no query/],
    ['ISSUER', 'https://id.example.com#x', /no fragment/],
    ['ISSUER', 'https://me:pw@id.example.com', /no user name/],
    ['ISSUER', 'https://ID.example.com', /must be written as https:\/\/id\.example\.com/],
    ['ISSUER', 'https://id.example.com:443', /must be written as https:\/\/id\.example\.com/],
    ['HOST', 'not an address', /must be an address/],
    ['PORT', 'eighty', /whole number from 0 to 65535/],
    ['PORT', '65536', /whole number from 0 to 65535/],
    ['PORT', '-1', /whole number/],
    ['DATABASE_URL', 'mysql://db/x', /sqlite: postgres:/],
    ['MASTER_KEY', 'short', /32 bytes/],
    ['MASTER_KEY', `${KEY},short`, /32 bytes/],
    ['TRUSTED_PROXIES', '10.0.0.0/33', /list addresses/],
    ['TRUSTED_PROXIES', 'proxy.example.com', /list addresses/],
    ['WORKERS', '0', /whole number from 1/],
    ['WORKERS', '4', /must be 1 on SQLite/],
    ['LOG_LEVEL', 'loud', /must be one of/],
    ['LOG_FORMAT', 'xml', /json or pretty/],
    ['TLS_KEY', undefined, /go together/, { TLS_CERT: 'cert.pem', ISSUER: 'https://id.example.com' }],
    ['TLS_CERT', undefined, /go together/, { TLS_KEY: 'key.pem', ISSUER: 'https://id.example.com' }],
    ['ISSUER', 'http://localhost:3000', /must start with https: where TLS_CERT/, { TLS_CERT: 'a', TLS_KEY: 'b' }],
    ['CLIENT_CERT_HEADER', 'X Client', /name of a header/, { TRUSTED_PROXIES: '10.0.0.1' }],
    ['CLIENT_CERT_HEADER', 'X-Client-Cert', /needs TRUSTED_PROXIES/],
    ['TLS_CLIENT_CA', 'ca.pem', /needs TLS_CERT or CLIENT_CERT_HEADER/],
    ['SESSION_IDLE_SECONDS', '1', /whole number from 60/],
    ['SESSION_IDLE_SECONDS', '7200', /longer than SESSION_ABSOLUTE_SECONDS/, { SESSION_ABSOLUTE_SECONDS: '3600' }],
    ['SESSION_ABSOLUTE_SECONDS', 'a week', /whole number/],
    ['TOKENS_CODE_SECONDS', '601', /whole number from 10 to 600/],
    ['TOKENS_ACCESS_SECONDS', '0', /whole number/],
    ['TOKENS_ID_SECONDS', '1e3', /whole number/],
    ['TOKENS_REFRESH_SECONDS', '30d', /whole number/],
    ['TOKENS_REFRESH_ABSOLUTE_SECONDS', '-5', /whole number/],
    ['TOKENS_REFRESH_REUSE_SECONDS', '61', /whole number from 0 to 60/],
    ['KEYS_PUBLISH_AHEAD_SECONDS', '0', /whole number from 1/],
    ['PASSWORD_HASH_SLOTS', '0', /whole number from 1/],
    ['DEBUG', 'oidc-provider:*', /would write tokens/, { ISSUER: 'https://id.example.com' }],
  ] as const)('%s=%s', (name, value, message, more: Environment = {}) => {
    const problems = problemsOf({ ...more, ...(value === undefined ? {} : { [name]: value }) })
    expect(problems).toHaveLength(1)
    expect(problems[0]?.setting).toBe(name)
    expect(problems[0]?.message).toMatch(message)
  })

  test('tells all problems at once', () => {
    expect(problemsOf({ ISSUER: 'x', PORT: 'y', LOG_LEVEL: 'z' }).map(({ setting }) => setting)).toEqual([
      'ISSUER',
      'PORT',
      'LOG_LEVEL',
    ])
  })

  test('refuses an unknown name in .env, and reads the known ones', () => {
    writeFileSync(path.join(folder, '.env'), 'PORT=4100\nPROT=4200\n')
    try {
      expect(problemsOf({})).toEqual([{ setting: 'PROT', message: expect.stringContaining('is not a setting') }])
    } finally {
      rmSync(path.join(folder, '.env'))
    }
  })
})

describe('good settings', () => {
  test('all defaults make a server on this machine', () => {
    const config = loadConfig({}, folder)
    expect(config).toMatchObject({
      issuer: 'http://localhost:3000',
      listen: { host: '127.0.0.1', port: 3000, tls: undefined },
      trustedProxies: [],
    })
    expect(config.databaseUrl.reveal()).toMatch(/^sqlite:\/.*\/data\/latchkey\.db$/)
  })

  test('the port follows the issuer unless it is set', () => {
    expect(loadConfig({ ISSUER: 'http://localhost:4321' }, folder).listen.port).toBe(4321)
    expect(loadConfig({ ISSUER: 'https://id.example.com/id', PORT: '8080' }, folder)).toMatchObject({
      issuer: 'https://id.example.com/id',
      listen: { port: 8080 },
    })
  })

  test('secrets print as [secret] whichever way they are printed', () => {
    const config = loadConfig(
      { MASTER_KEY: KEY, DATABASE_URL: 'postgres://latchkey:hunter2@db.example.com/latchkey' },
      folder,
    )
    for (const printed of [
      JSON.stringify(config),
      inspect(config, { depth: 9 }),
      String(config.databaseUrl),
      `${String(config.masterKeys)}`,
    ]) {
      expect(printed).toContain('[secret]')
      expect(printed).not.toContain('hunter2')
      expect(printed).not.toContain(KEY)
    }
  })
})

// Apache with mod_auth_openidc, where it is installed: a static page that only people who signed in get to see.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createClient, createPerson, startApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { patiently } from '../support/patience.ts'
import { authorize } from '../support/relying-party.ts'

const APACHE = '/usr/sbin/apache2'
const MODULES = '/usr/lib/apache2/modules'
const LOADED = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'auth_openidc', 'headers', 'dir']

const [sqlite] = databases

test('mod_auth_openidc lets in who signed in, tells their claims to what is behind it, and signs them out', async ({
  skip,
}) => {
  skip(!existsSync(APACHE) || !existsSync(`${MODULES}/mod_auth_openidc.so`), 'Apache with mod_auth_openidc is not here')
  if (!sqlite) throw new Error('SQLite is always there')
  const app = await startApp(sqlite)
  onTestFinished(() => app.close())
  await createPerson(app.services)
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const client = await createClient(app.services, {
    redirect_uris: [`${origin}/private/callback`],
    post_logout_redirect_uris: [`${origin}/left.html`],
  })
  // it answers requests of scripts with 401, and takes those of Node.js for such: hence OIDCUnAuthAction
  await startApache(
    port,
    `OIDCProviderMetadataURL ${app.issuer}/.well-known/openid-configuration
OIDCClientID ${client.client.id}
OIDCClientSecret ${client.secret}
OIDCRedirectURI ${origin}/private/callback
OIDCCryptoPassphrase of-no-worth-outside-this-test
OIDCUnAuthAction auth true
OIDCScope "openid profile email"
OIDCPKCEMethod S256
<Location /private>
  AuthType openid-connect
  Require claim email_verified:1
  Require valid-user
  Header always set X-Person "%{OIDC_CLAIM_name}e, %{OIDC_CLAIM_email}e"
</Location>`,
  )

  const person = browserSession(app.issuer)
  const browser = browserSession(origin)
  const callback = await authorize(person, locationOf(await browser.open('/private/')).href)
  const page = await browser.open(callback.href)
  expect([page.status, page.body, page.headers.get('x-person')]).toEqual([
    200,
    'only for people',
    'Ada Byron, ada@example.com',
  ])

  const leaving = new URL('/private/callback', origin)
  leaving.searchParams.set('logout', `${origin}/left.html`)
  const question = await person.open(locationOf(await browser.open(leaving.href)).href)
  expect(locationOf(await person.submit(question, { logout: 'yes' })).href).toBe(`${origin}/left.html`)
  expect(locationOf(await browser.open('/private/')).origin).toBe(app.issuer)
})

/** Apache with these lines and two pages, one of them private, until the test is over. */
async function startApache(port: number, lines: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'latchkey-apache-'))
  const pages = path.join(folder, 'pages')
  mkdirSync(path.join(pages, 'private'), { recursive: true })
  writeFileSync(path.join(pages, 'private/index.html'), 'only for people')
  writeFileSync(path.join(pages, 'left.html'), 'goodbye')
  chmodSync(folder, 0o755) // where the test runs as root, Apache serves as somebody else
  writeFileSync(
    path.join(folder, 'apache.conf'),
    `${LOADED.map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
ServerRoot ${folder}
ServerName localhost
Listen 127.0.0.1:${port}
PidFile ${folder}/pid
ErrorLog ${folder}/log
User www-data
Group www-data
DocumentRoot ${pages}
DirectoryIndex index.html
${lines}
`,
  )
  const running = spawn(APACHE, ['-D', 'FOREGROUND', '-f', path.join(folder, 'apache.conf')], {
    stdio: 'ignore',
  })
  const gone = once(running, 'exit').then(() => {
    throw new Error(readFileSync(path.join(folder, 'log'), 'utf8'))
  })
  onTestFinished(async () => {
    running.kill()
    await gone.catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  })
  await Promise.race([
    patiently(async () => expect((await fetch(`http://localhost:${port}/left.html`)).ok).toBe(true)),
    gone,
  ])
}

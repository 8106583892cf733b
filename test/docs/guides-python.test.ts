// The guides for Python, where Python has the packages that they install: Django starts with what the page shows, and
// the same browser as everywhere signs in to it.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { text as textIn } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPerson, startApp, type TestApp } from '../support/app.ts'
import { browserSession, locationOf } from '../support/browser-session.ts'
import { databases } from '../support/databases.ts'
import { freePort } from '../support/free-port.ts'
import { patiently } from '../support/patience.ts'
import { bearer, send, tokensFor } from '../support/protocol.ts'
import { authorize } from '../support/relying-party.ts'
import { followGuide, scratchFolder } from './guide-pages.ts'

/** What Django needs around the lines of a guide. */
const SETTINGS = `
SECRET_KEY = 'of no worth outside this test, and long enough for Django'
DEBUG = True
ROOT_URLCONF = 'urls'
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': 'db.sqlite3'}}
INSTALLED_APPS = ['django.contrib.auth', 'django.contrib.contenttypes', 'django.contrib.sessions']
MIDDLEWARE = [
    'django.contrib.sessions.middleware.SessionMiddleware',
    'django.contrib.auth.middleware.AuthenticationMiddleware',
]
`
const MANAGE = `
import os, sys
from django.core.management import execute_from_command_line
os.environ['DJANGO_SETTINGS_MODULE'] = 'settings'
execute_from_command_line(sys.argv)
`
const REDIRECT = { redirect_uri: 'http://localhost:5173/callback' }
const PAGES = {
  django: `def page(request):
    return HttpResponse(f'signed in: {request.user.email}' if request.user.is_authenticated else 'nobody')`,
  authlib: `def page(request):
    return HttpResponse(f"signed in: {request.session.get('user', {}).get('email')}")`,
  drf: `from rest_framework.decorators import api_view
from rest_framework.response import Response

@api_view(['GET'])
def page(request):
    return Response({'sub': request.user.id, 'email': request.auth.get('email')})`,
}

const [sqlite] = databases

describe('the guides for Python', () => {
  let app: TestApp

  beforeEach(async () => {
    if (!sqlite) throw new Error('SQLite is always there')
    app = await startApp(sqlite)
    await createPerson(app.services)
  })
  afterEach(() => app.close())

  test.for([
    ['django', 'django, mozilla_django_oidc', '/oidc/authenticate/'],
    ['authlib', 'django, authlib, requests', '/login'],
  ] as const)('%s signs a person in', async ([target, packages, start], { skip }) => {
    skip(lacks(packages), `python3 with ${packages} is not here`)
    const django = await startDjango(target, 'docs/guides/django.md')
    try {
      const application = browserSession(django.origin)
      const asked = await application.open(start)
      const callback = await authorize(browserSession(app.issuer), locationOf(asked).href)
      expect((await browserSession(django.origin).open(callback.href)).body).not.toContain('signed in: ada')
      expect((await application.open(callback.href)).body).toBe('signed in: ada@example.com')
    } finally {
      await django.stop()
    }
  })

  test('SimpleJWT takes the ID tokens of its application, and no other', async ({ skip }) => {
    const packages = 'django, rest_framework_simplejwt, cryptography'
    skip(lacks(packages), `python3 with ${packages} is not here`)
    const django = await startDjango('drf', 'docs/guides/drf-simplejwt.md')
    try {
      const call = (headers: Readonly<Record<string, string>>) => send(`${django.origin}/`, { headers })
      const { idToken } = await tokensFor(app, django.client, REDIRECT)
      expect((await call(bearer(idToken))).json).toEqual({ sub: expect.any(String), email: 'ada@example.com' })
      expect((await call({})).status).toBe(401)
      const stranger = await app.services.clients.register({
        name: 'Stranger',
        redirect_uris: [REDIRECT.redirect_uri],
      })
      expect((await call(bearer((await tokensFor(app, stranger, REDIRECT)).idToken))).status).toBe(401)
    } finally {
      await django.stop()
    }
  })

  test('the certificate of its key checks a token', async ({ skip }) => {
    skip(lacks('jwt, cryptography'), 'python3 with PyJWT and cryptography is not here')
    const guide = await followGuide(app, 'docs/guides/drf-simplejwt.md')
    const client = guide.clients.get('drf') ?? expect.fail('the page registers no client')
    const { folder, write, remove } = scratchFolder()
    try {
      write('by_certificate.py', guide.fileOf('drf', 'by_certificate.py'))
      const { idToken } = await tokensFor(app, client, REDIRECT)
      const program = "import sys; from by_certificate import claims_of; print(claims_of(*sys.argv[1:])['email'])"
      const emailFor = (audience: string) =>
        textIn(python(['-c', program, idToken, app.issuer, audience], folder).stdout)
      expect(await emailFor(client.client.id)).toBe('ada@example.com\n')
      expect(await emailFor('another')).toBe('')
    } finally {
      remove()
    }
  })

  /** Django with the lines that the page shows for the target, on a port of its own. */
  async function startDjango(target: keyof typeof PAGES, page: string) {
    const port = await freePort()
    const guide = await followGuide(app, page, (text) => text.replaceAll('localhost:8000', `localhost:${port}`))
    const client = guide.clients.get(target) ?? expect.fail('the page registers no client')
    const { folder, write, remove } = scratchFolder()
    write('manage.py', MANAGE)
    write('settings.py', SETTINGS + guide.fileOf(target, 'settings.py'))
    write('urls.py', urlsOf(PAGES[target], target === 'drf' ? '' : guide.fileOf(target, 'urls.py')))
    const environment = { LATCHKEY_CLIENT_SECRET: client.secret ?? '' }
    const migrating = python(['manage.py', 'migrate'], folder, environment)
    expect(await textIn(migrating.stdout)).toContain('OK')
    const running = python(['manage.py', 'runserver', '--noreload', String(port)], folder, environment)
    const origin = `http://localhost:${port}`
    await patiently(() => send(origin))
    return {
      origin,
      client,
      async stop() {
        const ended = once(running, 'exit')
        running.kill()
        await ended
        remove()
      },
    }
  }
})

function urlsOf(page: string, lines: string): string {
  return `from django.http import HttpResponse
from django.urls import path

${page}

urlpatterns = [path('', page)]
${lines}`
}

function lacks(packages: string): boolean {
  return spawnSync('python3', ['-c', `import ${packages}`]).status !== 0
}

/** Not spawnSync: the server that it asks runs in this process. */
function python(argv: readonly string[], folder: string, environment: Readonly<Record<string, string>> = {}) {
  return spawn('python3', argv, {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
}

// The rules of the house, kept by a test so that nobody has to remember them. The first half looks at every file of
// the checkout; the second shows each rule a file that breaks it, because a rule that cannot fail is no rule.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { offencesIn } from './support/house-rules.ts'

const root = path.join(import.meta.dirname, '..')

const files = ['src', 'migrations', 'views', 'test', 'tools'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((file) => `${folder}/${file.replaceAll(path.sep, '/')}`)
    .filter((file) => /\.(ts|mjs|ejs)$/.test(file)),
)

test.each(files)('%s keeps the rules of the house', (file) => {
  expect(offencesIn({ path: file, source: readFileSync(path.join(root, file), 'utf8') })).toEqual([])
})

describe('an offence is found', () => {
  test.each([
    ['a floor that looks up', 'src/core/x.ts', "import { a } from '#oidc/provider.ts'", 'imports upwards'],
    [
      'a type that looks up',
      'src/platform/x.ts',
      "import type { A } from '#core/accounts/account.ts'",
      'imports upwards',
    ],
    ['a lazy import that looks up', 'src/oidc/x.ts', "await import('#features/consent/index.ts')", 'imports upwards'],
    ['a re-export that looks up', 'src/core/x.ts', "export { a } from '#app/config.ts'", 'imports upwards'],
    [
      'an import over several lines',
      'src/core/x.ts',
      "import {\n  a,\n  b,\n} from '#app/config.ts'",
      'imports upwards',
    ],
    ['a floor that is none', 'src/core/x.ts', "import { a } from '#shared/a.ts'", 'no such floor'],
    [
      'a room that opens into another',
      'src/features/totp/x.ts',
      "import { a } from '#features/password/a.ts'",
      'a room opens',
    ],
    [
      'a path that leaves its room',
      'src/features/totp/x.ts',
      "import { a } from '../password/a.ts'",
      'leaves its room',
    ],
    [
      'a path that leaves a room of core',
      'src/core/clients/x.ts',
      "import { a } from '../errors.ts'",
      'leaves its room',
    ],
    ['an entry that names no floor', 'src/main.ts', "import { a } from './app/app.ts'", 'name the floor (#app/app.ts)'],
    ['a way back from the store', 'src/features/totp/store.ts', "import { a } from './totp.ts'", 'runs back'],
    [
      'a way back by floor name',
      'src/features/totp/totp.ts',
      "import { a } from '#features/totp/routes.ts'",
      'runs back',
    ],
    ['a door that opens the front page', 'src/features/totp/api.ts', "import { a } from './index.ts'", 'runs back'],
    ['the library outside oidc', 'src/features/totp/x.ts', "import Provider from 'oidc-provider'", 'only src/oidc'],
    ['part of the library', 'src/app/x.ts', "import a from 'oidc-provider/lib/a.js'", 'only src/oidc'],
    [
      'a driver outside its dialect',
      'src/platform/database/open.ts',
      "import pg from 'pg'",
      'only src/platform/database/dialects',
    ],
    [
      'the other driver',
      'src/core/x.ts',
      "import Database from 'better-sqlite3'",
      'only src/platform/database/dialects',
    ],
    [
      'Kysely in the rules of a room',
      'src/features/totp/totp.ts',
      "import type { Kysely } from 'kysely'",
      'only migrations',
    ],
    [
      'templates outside platform/http',
      'src/features/totp/routes.ts',
      "import ejs from 'ejs'",
      'only src/platform/http',
    ],
    ['views outside platform/http', 'src/app/app.ts', "import views from 'koa-views'", 'only src/platform/http'],
    ['hashing outside core', 'src/features/password/x.ts', "import argon2 from 'argon2'", 'only src/core'],
    ['dotenv elsewhere', 'src/platform/log.ts', "import { parse } from 'dotenv'", 'only src/app'],
    ['Koa in core', 'src/core/x.ts', "import type { Context } from 'koa'", 'core takes no ctx'],
    ['Koa as a value in the sockets', 'src/core/feature.ts', "import Koa from 'koa'", 'core takes no ctx'],
    [
      'migrations known elsewhere',
      'src/core/x.ts',
      "import { up } from '#migrations/0001_people.ts'",
      'know the migrations',
    ],
    [
      'a migration that imports code',
      'migrations/0001_people.ts',
      "import { a } from '#core/tables.ts'",
      'nothing but kysely',
    ],
    ['a migration without a number', 'migrations/people.ts', '', 'no migration'],
    [
      'words taken past their language',
      'src/features/totp/routes.ts',
      "import words from '#views/totp/words.json' with { type: 'json' }",
      'take only its type',
    ],
    ['the environment', 'src/platform/log.ts', "const level = process.env['LOG_LEVEL']", 'reads process.env'],
    ['the environment taken apart', 'src/app/app.ts', 'const { env } = process', 'reads process.env'],
    ['the environment imported', 'src/app/app.ts', "import { env } from 'node:process'", 'reads process.env'],
    ['a query in a route', 'src/features/totp/routes.ts', "await db.selectFrom('totp').execute()", 'queries live in'],
    ['a query over two lines', 'src/core/x.ts', "await db\n  .updateTable('account')", 'queries live in'],
    ['SQL in the rules', 'src/core/x.ts', 'sql<number>`select 1`', 'queries live in'],
    ['a call of its own', 'src/core/x.ts', "import { request } from 'node:https'", 'calls out by itself'],
    ['a call by a whole module', 'src/core/x.ts', "import http from 'node:http'", 'calls out by itself'],
    ['a socket of its own', 'src/features/totp/x.ts', "import {\n  connect,\n} from 'node:net'", 'calls out by itself'],
    ['a fetch that nobody guards', 'src/oidc/x.ts', 'await fetch(uri)', 'calls out unguarded'],
    [
      'the fetch of the runtime',
      'src/oidc/x.ts',
      'const { status } = await globalThis.fetch(uri)',
      'calls out unguarded',
    ],
    ['state on import', 'src/core/x.ts', 'let attempts = 0', 'module-level let'],
    ['a default export', 'src/core/x.ts', 'export default function x() {}', 'default export'],
    ['a default export by another name', 'src/core/x.ts', 'export { x as default }', 'default export'],
    ['a barrel', 'src/core/index.ts', "export * from './x.ts'", 'no barrels'],
    ['a name in camel case', 'src/core/signIn.ts', '', 'not kebab-case'],
    ['a folder in camel case', 'src/features/signIn/routes.ts', '', 'not kebab-case'],
    ['a name that says nothing', 'src/core/utils.ts', '', 'says nothing'],
    ['a folder that says nothing', 'src/core/common/x.ts', '', 'says nothing'],
    ['half a name that says nothing', 'src/core/account-manager.ts', '', 'says nothing'],
    ['a file too long', 'src/core/x.ts', '\n'.repeat(301), 'more than 300'],
    ['an unescaped value', 'views/consent/consent.ejs', '<%- page.clientName %>', 'prints unescaped'],
  ])('%s', (_, file, source, offence) => {
    expect(offencesIn({ path: file, source })).toEqual([expect.stringContaining(offence)])
  })
})

describe('what is allowed stays allowed', () => {
  test.each([
    ['a lower floor', 'src/features/totp/routes.ts', "import { a } from '#core/accounts/account.ts'"],
    ['its own room', 'src/features/totp/routes.ts', "import { a } from './totp.ts'"],
    ['its own room by floor name', 'src/core/services.ts', "import { a } from '#core/clients/clients.ts'"],
    ['a folder up inside the room', 'src/platform/database/dialects/pg.ts', "import { a } from '../open.ts'"],
    ['the sockets taking Koa as a type', 'src/core/feature.ts', "import type { Middleware } from 'koa'"],
    ['a fetch that is guarded', 'src/oidc/x.ts', 'const read = (fetch: GuardedFetch) => fetch(uri)'],
    ['a server', 'src/app/x.ts', "import { createServer, type Server } from 'node:http'"],
    ['a subpath of Kysely', 'src/platform/database/migrate.ts', "import { Migrator } from 'kysely/migration'"],
    ['a query in a store', 'src/features/totp/store.ts', "await db.selectFrom('totp').execute()"],
    ['a query in a named store', 'src/core/clients/secret-store.ts', "await db.deleteFrom('secret').execute()"],
    ['the keys of words', 'src/features/totp/routes.ts', "import type words from '#views/totp/words.json'"],
    ['the environment in its one place', 'src/app/config.ts', 'parse(process.env)'],
    ['a rule mentioned in a comment', 'src/core/x.ts', "// never process.env, never import { a } from '#app/a.ts'"],
    ['a URL in a string before code', 'src/core/x.ts', "const a = 'https://example.org/' // let it be"],
    ['an include', 'views/consent/consent.ejs', "<%- include('/parts/form', { page }) %>"],
    ['the body of a layout', 'views/layout.ejs', '<%- body %>'],
  ])('%s', (_, file, source) => {
    expect(offencesIn({ path: file, source })).toEqual([])
  })
})

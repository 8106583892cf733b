// No statement ties the house to one maker of the PostgreSQL protocol: what only PostgreSQL itself has, or others have
// otherwise, is in none of the text that statements are made of.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '../..')

/** What distributed engines that speak the protocol lack, have otherwise, or have with limits. */
const OF_ONE_MAKER: readonly (readonly [string, RegExp])[] = [
  ['a sequence', /\b(small|big)?serial\b|\bnextval\b|generated (always|by default) as identity|autoincrement\(/i],
  ['an advisory lock', /pg_(try_)?advisory/i],
  ['a notification', /\b(un)?listen [a-z_"]+|\bnotify [a-z_"]+|pg_notify/i],
  ['an extension', /create extension|\bcitext\b|\bpgcrypto\b|uuid_generate/i],
  ['a trigger or a procedure', /create (or replace )?(trigger|function|procedure)|\bplpgsql\b/i],
  ['a lock of a table', /\block table\b/i],
  ['a type of its own', /\b(jsonb|tsvector|inet|cidr|hstore|int4range|money)\b|create (type|domain)/i],
  ['a cursor', /declare \w+ cursor|\bwith hold\b/i],
  ['a place in its storage', /\b(ctid|xmin|oid::|tablespace|unlogged)\b/i],
]

const files = ['migrations', 'src']
  .flatMap((folder) =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => path.join(folder, file)),
  )
  .filter((file) => file.endsWith('.ts'))

test.each(OF_ONE_MAKER)('no statement needs %s', (_, pattern) => {
  const offending = files.flatMap((file) =>
    queriesIn(readFileSync(path.join(ROOT, file), 'utf8')).flatMap((text) => {
      const [found] = pattern.exec(text) ?? []
      return found === undefined ? [] : [`${file}: ${found}`]
    }),
  )
  expect(offending).toEqual([])
})

test('a statement that does is found', () => {
  const text = "sql`select pg_advisory_lock(1)` .addColumn('id', 'serial')"
  expect(OF_ONE_MAKER.filter(([, pattern]) => queriesIn(text).some((query) => pattern.test(query)))).toHaveLength(2)
})

/** SQL as text, and the words that Kysely makes SQL of: everything in quotes, since comments name what is not used. */
function queriesIn(source: string): string[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const raw = [...code.matchAll(/\bsql(?:<[^`]*>)?`([^`]*)`/g)].map(([, text = '']) => text)
  const built = [...code.matchAll(/\.(?:addColumn|alterColumn|modifyColumn|addType)\(([^)]*\))/g)].map(
    ([, text = '']) => text,
  )
  const ids = [...code.matchAll(/\.(?:autoIncrement|generatedAlwaysAsIdentity|identity)\(/g)].map(
    () => 'autoincrement(',
  )
  return [...raw, ...built, ...ids]
}

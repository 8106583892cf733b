// What the documents name has to be there: files, links, settings, and the pages made from the table of settings.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { configurationPage, envExample } from '#app/config-docs.ts'
import { SETTINGS } from '#app/config.ts'
import { features } from '#app/features.ts'
import { documents, fences, ROOT, textOf } from './markdown.ts'

const readme = textOf('README.md')

describe('the map of the house', () => {
  const [map = ''] = fences(readme, '').filter((block) => block.includes('src/main.ts'))
  const places = mapped(map)

  test('names nothing that is not there', () => {
    expect(places.length).toBeGreaterThan(20)
    expect(places.filter((place) => !existsSync(path.join(ROOT, place)))).toEqual([])
  })

  test('names every room', () => {
    const rooms = readdirSync(path.join(ROOT, 'src/features')).map((room) => `src/features/${room}/`)
    expect(places).toEqual(expect.arrayContaining(rooms))
    expect(features.map(({ word }) => `src/features/${word}/`).toSorted()).toEqual(rooms.toSorted())
  })

  test('names every folder at the top that holds code', () => {
    const folders = ['src', 'test', 'views', 'migrations', 'tools', 'docs', 'keys']
    for (const folder of folders) expect(places.some((place) => place.startsWith(`${folder}/`))).toBe(true)
    const floors = readdirSync(path.join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory())
    expect(places).toEqual(expect.arrayContaining(floors.map(({ name }) => `src/${name}/`)))
  })
})

describe.each(documents())('%s', (document) => {
  const text = textOf(document)

  test('links to pages and headings that are there', () => {
    const broken = links(text).filter((target) => !resolves(document, target))
    expect(broken).toEqual([])
  })

  test('names only settings that there are', () => {
    const known = new Set(Object.values(SETTINGS).flatMap(({ name }) => [name, `${name}_FILE`]))
    const named = [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|HOST|PORT|ISSUER|WORKERS)`/g)].map(
      ([, name = '']) => name,
    )
    const inEnvFiles = fences(text, 'ini').flatMap((block) =>
      /^\[/m.test(block) ? [] : [...block.matchAll(/^([A-Z_]+)=/gm)].map(([, name = '']) => name),
    )
    expect([...named, ...inEnvFiles].filter((name) => !known.has(name) && !FOR_OTHERS.has(name))).toEqual([])
  })

  test('names only files of the checkout that are there', () => {
    const named = [...text.matchAll(/`((?:src|test|tools|views|docs|migrations)\/[\w./-]+)`/g)].map(
      ([, name = '']) => name,
    )
    expect(named.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([])
  })
})

test('.env.example and docs/configuration.md are what the table of settings makes of them', () => {
  expect(textOf('.env.example')).toBe(envExample())
  expect(textOf('docs/configuration.md')).toBe(configurationPage())
})

test('docs/decisions/dependencies.md has a line for every direct dependency and for no other', () => {
  const packages = z.record(z.string(), z.string())
  const manifest = z
    .object({ dependencies: packages, devDependencies: packages, optionalDependencies: packages })
    .parse(JSON.parse(textOf('package.json')))
  const direct = Object.values(manifest).flatMap(Object.keys)
  const rows = [...textOf('docs/decisions/dependencies.md').matchAll(/^\| ([^|]+) \|/gm)].map(([, cell = '']) => cell)
  const named = rows.flatMap((cell) => cell.replace(/ \(.*/, '').split(', '))
  expect(named.filter((name) => !['package', '@types/…'].includes(name)).toSorted()).toEqual(
    direct.filter((name) => !name.startsWith('@types/')).toSorted(),
  )
})

/** Environment variables that are not settings of the server, and the pattern for reading one from a file. */
const FOR_OTHERS = new Set([
  'NODE_COMPILE_CACHE',
  'TEST_POSTGRES_URL',
  'CHROMIUM_PATH',
  'NAME_FILE',
  'NODE_EXTRA_CA_CERTS',
])

/** Paths of an indented tree: a line that begins with spaces belongs to the last folder that did not. */
function mapped(map: string): string[] {
  let parent = ''
  return map
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = ''] = line.trim().split(/\s/)
      if (line.startsWith(' ')) return `${parent}${name}`
      parent = name
      return name
    })
}

function links(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```/gms, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^https?:/.test(target))
}

function resolves(document: string, target: string): boolean {
  const [file = '', anchor] = target.split('#')
  const resolved = file === '' ? document : path.posix.join(path.posix.dirname(document), file)
  if (!existsSync(path.join(ROOT, resolved))) return false
  return anchor === undefined || headings(readFileSync(path.join(ROOT, resolved), 'utf8')).includes(anchor)
}

/** As the anchors of a rendered page: lower case, without punctuation, hyphens for spaces. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}

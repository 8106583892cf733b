// The words of the pages: each in every language, none forgotten, none too many, and no sentence outside of them.
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import request from 'supertest'
import { describe, expect, test } from 'vitest'
import { OFFERED_SCOPES } from '#core/clients/scopes.ts'
import { STANDARD_CLAIMS } from '#core/custom-claims/claim-name.ts'
import { LOCALES } from '#platform/http/language.ts'
import { openWords, readCatalogues, type Catalogues } from '#platform/http/words.ts'
import { samples } from '../browser/pages-preview.ts'
import { previews, viewsDir } from '../browser/previews.ts'

const src = path.join(import.meta.dirname, '../../src')
const catalogues = readCatalogues(viewsDir)

describe.each(Object.entries(catalogues))('the words of %s', (folder, words) => {
  const phrases = Object.entries(words)

  test('fill the same braces in every language', () => {
    for (const [key, texts] of phrases)
      for (const locale of LOCALES) expect(bracesIn(texts[locale]), `${key} ${locale}`).toEqual(bracesIn(texts.en))
  })

  test('are set as each language is set', () => {
    for (const [key, { de, es, fr, ...others }] of phrases) {
      const count = (text: string, sign: string) => text.split(sign).length - 1
      expect([count(de, '„'), de.match(/[”«»]/)], key).toEqual([count(de, '“'), null])
      expect(count(es, '¿'), key).toBe(count(es, '?'))
      // a narrow space that does not break goes before these, and after an opening quotation mark
      expect(fr.replaceAll('}}', '').replaceAll('{{', ''), key).not.toMatch(/[^\u202f][?!:;»]|«[^\u202f]|[“”„]/)
      for (const text of [de, es, fr, others.en]) expect(text, key).not.toMatch(/^\s|\s$|\s\s|\.\.\.|['"]/)
    }
  })

  test('are all said', () => {
    const source = sourceFor(folder)
    const isSaid = (key: string) => {
      const name = key.replace(/_(one|other)$/, '')
      const [prefix] = name.split('.', 1)
      return source.includes(`'${name}'`) || source.includes(`\`${prefix}.\${`)
    }
    expect(phrases.map(([key]) => key).filter((key) => !isSaid(key))).toEqual([])
  })
})

test('every scope on offer and every standard claim has words for the person who is asked', () => {
  expect(Object.keys(catalogues['parts'] ?? {})).toEqual(
    expect.arrayContaining([
      ...OFFERED_SCOPES.flatMap((scope) => [`scope.${scope}`, `scope.${scope}.detail`]),
      ...STANDARD_CLAIMS.map((claim) => `claim.${claim}`),
    ]),
  )
})

test('refuses words that lack a language', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'latchkey-words-'))
  mkdirSync(path.join(dir, 'room'))
  writeFileSync(path.join(dir, 'room/words.json'), JSON.stringify({ title: { en: 'Title', de: 'Titel', fr: 'Titre' } }))
  expect(() => readCatalogues(dir)).toThrow('es')
  rmSync(dir, { recursive: true })
})

test('refuses to say what it has no words or no value for', () => {
  const say = openWords(catalogues)('de', 'consent')
  expect(say('other-scope', { scope: '$t(title) {{scope}} <b>' })).toBe('„$t(title) {{scope}} <b>“ nutzen')
  expect(() => say('no-such-word')).toThrow('no words for no-such-word')
  expect(() => say('other-scope', {})).toThrow('a value is missing')
})

describe('in wide letters', () => {
  // names of the product, of the trade and of the samples are everywhere the same
  const names =
    /Latchkey|Ada Byron|[\w.:/@-]+\.example(\.com)?[\w./-]*|[\w]+@example\.com|Fieldnotes( for TV)?|Nr\. 7|Your bank/g
  const wide = previews(openWords(inWideLetters(catalogues))).callback()
  const meant = samples.filter(({ label }) => !label.endsWith('hostile'))

  test.each(meant)('$label says nothing that is not among the words', async ({ label }) => {
    const { text } = await request(wide).get(`/${label}`).expect(200)
    const said = text
      .replaceAll(/<(code|bdi|[a-z]+ class="(details|user-code|letter|initial)")[^>]*>[^<]*/g, '')
      .replaceAll(/<[^>]*\s(?:aria-label|placeholder|title|alt)="([^"]*)"[^>]*>/g, '$1')
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(names, '')
    expect(said.match(/[A-Za-z]+/g)).toBeNull()
    expect(text).not.toMatch(/\{\{|\}\}/)
  })
})

function bracesIn(text: string): string[] {
  return [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name).toSorted()
}

/** The templates that say a folder's words, and the code that names their keys. */
function sourceFor(folder: string): string {
  const isShared = folder === 'parts'
  const templates = globSync(isShared ? ['*/*.ejs', 'layout.ejs'] : `${folder}/*.ejs`, { cwd: viewsDir })
  const elsewhere: Readonly<Record<string, string>> = {
    error: '{oidc,platform,features}/**/*.ts',
    parts: 'core/consents/*.ts',
  }
  const code = globSync(elsewhere[folder] ?? `features/${folder}/*.ts`, { cwd: src })
  return [...templates.map((file) => path.join(viewsDir, file)), ...code.map((file) => path.join(src, file))]
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
}

/** Every letter becomes its full-width form; what stands in braces stays. */
function inWideLetters(plain: Catalogues): Catalogues {
  const widen = (text: string) =>
    text.replaceAll(/\{\{\w+\}\}|[A-Za-z]/g, (found) =>
      found.length > 1 ? found : String.fromCodePoint((found.codePointAt(0) ?? 0) + 0xfee0),
    )
  const inEach = <T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U) =>
    Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
  return inEach(plain, (words) => inEach(words, (texts) => ({ ...texts, en: widen(texts.en) })))
}

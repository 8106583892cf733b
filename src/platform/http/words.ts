/**
 * The words of the pages. Each folder of views/ has a words.json beside its templates: every text of its pages under a
 * key, in every language. What several folders say stands in views/parts/words.json. A template says
 * `say('key')`; a key that is not there, or a value that is missing, is a bug and throws.
 */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import i18next, { type Resource } from 'i18next'
import { z } from 'zod'
import { LOCALES, type Locale } from './language.ts'

/** The words of all folders: folder → key → language → text. */
export type Catalogues = Readonly<Record<string, Readonly<Record<string, Readonly<Record<Locale, string>>>>>>

/**
 * Says something in one language, with what stands in `{{braces}}` filled in. Without values the braces are left for
 * views/parts/named.ejs, which puts marked-up names in their place.
 */
export type Say = (key: string, values?: Readonly<Record<string, string | number>>) => string

/** Gives the voice of a folder's pages in a language. */
export type Words = (locale: Locale, folder: string) => Say

const SHARED = 'parts'

const catalogueShape = z.record(z.string(), z.record(z.enum(LOCALES), z.string().min(1)))

/** Reads every words.json below the folder of the views. @throws where one lacks a language */
export function readCatalogues(dir: string): Catalogues {
  return Object.fromEntries(
    globSync('*/words.json', { cwd: dir }).map((file) => [
      path.dirname(file),
      catalogueShape.parse(JSON.parse(readFileSync(path.join(dir, file), 'utf8'))),
    ]),
  )
}

/** Makes words of catalogues. Texts are plain: the templates escape them. */
export function openWords(catalogues: Catalogues): Words {
  const library = i18next.createInstance()
  void library.init({
    initAsync: false,
    resources: resourcesOf(catalogues),
    fallbackLng: false,
    keySeparator: false,
    nsSeparator: false,
    interpolation: { escapeValue: false },
    parseMissingKeyHandler: (key) => fail(`the pages have no words for ${key}`),
    missingInterpolationHandler: (text) => fail(`a value is missing in: ${text}`),
  })
  const plain = new Map<string, string>()
  return (locale, folder) => {
    const translate = library.getFixedT(locale, [folder, SHARED])
    return (key, values) => {
      if (values) return translate(key, { ...values })
      // as many as there are texts; i18next looks for each as if for the first time
      const name = `${locale} ${folder} ${key}`
      const text = plain.get(name) ?? translate(key, { skipInterpolation: true })
      plain.set(name, text)
      return text
    }
  }
}

/** Language → folder → key → text, as the library wants it. */
function resourcesOf(catalogues: Catalogues): Resource {
  const textsIn = (locale: Locale) => (catalogue: Catalogues[string]) =>
    Object.fromEntries(Object.entries(catalogue).map(([key, texts]) => [key, texts[locale]]))
  return Object.fromEntries(
    LOCALES.map((locale) => {
      const texts = textsIn(locale)
      return [locale, Object.fromEntries(Object.entries(catalogues).map(([folder, words]) => [folder, texts(words)]))]
    }),
  )
}

function fail(message: string): never {
  throw new Error(message)
}

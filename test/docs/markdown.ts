// Reading our own documents.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export const ROOT = path.join(import.meta.dirname, '../..')

/** Every page of the checkout, relative to it. */
export function documents(): string[] {
  const inFolder = (folder: string, recursive: boolean) =>
    readdirSync(path.join(ROOT, folder), { recursive, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md'))
      .map((file) => path.posix.join(folder, file.replaceAll(path.sep, '/')))
  return [...inFolder('.', false), ...inFolder('docs', true), ...inFolder('keys', false)]
}

export function textOf(document: string): string {
  return readFileSync(path.join(ROOT, document), 'utf8')
}

/** The insides of the fenced blocks with this language. */
export function fences(text: string, language: string): string[] {
  return [...text.matchAll(/^```(\w*)\n(.*?)^```/gms)]
    .filter(([, name]) => name === language)
    .map(([, , inside = '']) => inside)
}

/** The words of a shell line: double quotes keep words together; nothing else is understood, and refused. */
export function shellWords(line: string): string[] {
  if (/[`$\\'|<>;]/.test(line)) throw new Error(`this test reads plain words and double quotes only: ${line}`)
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
}

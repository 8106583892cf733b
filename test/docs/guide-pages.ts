// The guides as their readers follow them: the commands of a page in their order, and its files with real values.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect } from 'vitest'
import { z } from 'zod'
import { features } from '#app/features.ts'
import type { Services } from '#core/services.ts'
import { runCommandLine } from '#platform/cli.ts'
import type { RegisteredClient, TestApp } from '../support/app.ts'
import { captureTerminal } from '../support/terminal.ts'
import { fences, ROOT, shellWords, textOf } from './markdown.ts'

export interface Guide {
  /** The clients that the page registers, by the target that a configuration is printed for. */
  readonly clients: ReadonlyMap<string, RegisteredClient>
  /** Each printed file, and whether the page shows the same text. */
  readonly printed: readonly { readonly file: string; readonly isOnPage: boolean }[]
  /** A file of the page with the values of the target's client: the target's own, else one that bears the name. */
  fileOf(target: string, name: string): string
}

const made = z.looseObject({ client_id: z.string() })
const snippet = z.object({ files: z.array(z.object({ path: z.string(), content: z.string() })) })

/** Runs every latchkey command of the page, and expects none to fail. */
export async function followGuide(app: TestApp, page: string, change = (text: string) => text): Promise<Guide> {
  const text = change(textOf(page))
  const blocks = [...text.matchAll(/^```\w+\n(.*?)^```/gms)].map(([, inside = '']) => inside)
  const clients = new Map<string, RegisteredClient>()
  const printed: { file: string; isOnPage: boolean }[] = []
  const files = new Map<string, string>()
  let current: RegisteredClient | undefined
  for (const line of fences(text, 'sh').flatMap((block) => block.trim().split('\n'))) {
    if (/^(npm|pip) install /.test(line)) continue
    const [npx, program, ...words] = shellWords(line.replaceAll(/\bCLIENT_ID\b/g, current?.client.id ?? ''))
    expect([npx, program]).toEqual(['npx', 'latchkey'])
    const answer = await latchkey(app.services, [...words.filter((word) => word !== '--json'), '--json'])
    if (words[0] === 'client' && words[1] === 'create') {
      const client = await app.services.clients.get(made.parse(answer).client_id)
      current = { client, secret: client.secret }
    }
    if (words[1] !== 'snippet' || !current) continue
    const target = words.at(words.indexOf('--for') + 1) ?? ''
    clients.set(target, current)
    for (const { path: file, content } of snippet.parse(answer).files) {
      const shown = content.replaceAll(current.client.id, 'CLIENT_ID').replaceAll(app.issuer, 'http://localhost:3000')
      printed.push({ file, isOnPage: blocks.includes(shown) })
      files.set(`${target} ${file}`, content)
    }
  }
  return {
    clients,
    printed,
    fileOf(target, name) {
      const begins = new RegExp(`^(//|#) ${name.replaceAll('.', '\\.')}\n`)
      const found = files.get(`${target} ${name}`) ?? blocks.find((block) => begins.test(block))
      if (found === undefined) throw new Error(`${page} shows no ${name}`)
      return found
        .replaceAll(/\bCLIENT_ID\b/g, clients.get(target)?.client.id ?? '')
        .replaceAll('http://localhost:3000', app.issuer)
    },
  }
}

/** A folder below the checkout, so that what is in it finds packages as an application of its own would. */
export function scratchFolder() {
  mkdirSync(path.join(ROOT, '.cache'), { recursive: true })
  const folder = mkdtempSync(path.join(ROOT, '.cache', 'guides-'))
  return {
    folder,
    write(name: string, content: string): string {
      writeFileSync(path.join(folder, name), content)
      return path.join(folder, name)
    },
    /** Loads a module that was written, as the shape says. */
    async load<T>(name: string, content: string, shape: z.ZodType<T>): Promise<T> {
      return shape.parse({ ...(await import(pathToFileURL(this.write(name, content)).href)) })
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

async function latchkey(services: Services, argv: readonly string[]): Promise<unknown> {
  const { terminal, stdout, stderr } = captureTerminal()
  const exit = await runCommandLine(
    {
      groups: features.flatMap((feature) => feature.commands ?? []),
      terminal,
      withNeeds: <T>(run: (given: Services) => Promise<T>) => run(services),
    },
    argv,
  )
  expect({ argv, exit, stderr: stderr() }).toEqual({
    argv,
    exit: 0,
    stderr: expect.stringMatching(/^(Set \w+ to .*\n)?$/),
  })
  return JSON.parse(stdout())
}

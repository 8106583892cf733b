// The example of docs/explain.md is what the command says, but for ids and the time.
import { expect, test } from 'vitest'
import { authorizeUrl } from '../support/protocol.ts'
import { explainScene, toldId } from '../support/explain.ts'
import { createClient } from '../support/app.ts'
import { databases } from '../support/databases.ts'
import { fences, textOf } from './markdown.ts'

test('docs/explain.md shows what latchkey explain prints', async () => {
  const [example = ''] = fences(textOf('docs/explain.md'), 'text')
  const [sqlite] = databases
  if (!sqlite) throw new Error('there is always SQLite')
  const { app, browser, explain } = await explainScene(sqlite)
  try {
    const client = await createClient(app.services)
    const id = toldId(await browser.open(authorizeUrl(app, client, { redirect_uri: 'http://localhost:9/calback' })))
    const { stdout } = await explain(id)
    const told = stdout
      .replaceAll(id, 'w0xx8g1q3m5z')
      .replaceAll(client.client.id, 'books')
      .replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, '2026-11-22 06:00:00')
    expect(words(told)).toEqual(words(example))
  } finally {
    await app.close()
  }
})

/** Ids are of another length than in the example, and with them the columns; the marks stand where they stand. */
function words(text: string): string[] {
  return text.split('\n').map((line) => (line.includes('^') ? line : line.replaceAll(/ +/g, ' ')))
}

// Every file that docs/client-metadata.md shows registers a client.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { databases } from '../support/databases.ts'
import { servicesOn, type TestServices } from '../support/services.ts'
import { fences, textOf } from './markdown.ts'

const files = fences(textOf('docs/client-metadata.md'), 'json')
let opened: TestServices

beforeAll(async () => {
  opened = await servicesOn(databases[0] ?? expect.fail('no database'), { now: () => Math.floor(Date.now() / 1000) })
})
afterAll(() => opened.close())

test.each(files)('%s registers a client', async (file) => {
  const metadata: unknown = JSON.parse(file)
  const redirect_uris = ['https://bank.example/callback']
  const { client } = await opened.services.clients.register({ name: 'Bank', type: 'web', redirect_uris, metadata })
  expect(client.metadata).toMatchObject(Object(metadata))
})

test('there are files to register', () => {
  expect(files.length).toBeGreaterThan(4)
})

// Clients that somebody makes beside the server, as the command line does, and what Ada allows them.
import { randomUUID } from 'node:crypto'
import { createClient } from '../support/app.ts'
import { authorizeUrl } from '../support/protocol.ts'
import { codeBySession, codeIn, expected } from './asking.ts'
import type { Work } from './work.ts'

export async function consents({ world: { app }, ledger, browser }: Work): Promise<void> {
  const third = await createClient(app.services, { name: `Third ${randomUUID()}` })
  const { id } = third.client
  ledger.write('client', 'stands', id, async () => ((await app.services.clients.find(id)) ? undefined : 'it is gone'))
  const question = expected(200, await browser.open(authorizeUrl(app, third)))
  codeIn(await browser.submit(question, { decision: 'allow' }))
  ledger.write('consent', 'stands', `consent ${id}`, async () => {
    await codeBySession(app, third, browser)
    return undefined
  })
}

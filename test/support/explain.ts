// What latchkey explain says of requests that a real server refused.
import { explainCommands } from '#features/explain/commands.ts'
import { runCommandLine } from '#platform/cli.ts'
import { createClient, createPerson, startApp, type RegisteredClient, type TestApp } from './app.ts'
import { createPollingClient } from './backchannel.ts'
import { browserSession, type BrowserSession } from './browser-session.ts'
import type { DatabaseKind } from './databases.ts'
import { tokensFor, type Answer } from './protocol.ts'
import { registering } from './registration.ts'
import { captureTerminal } from './terminal.ts'

export interface ExplainScene {
  readonly app: TestApp
  readonly web: RegisteredClient
  readonly spa: RegisteredClient
  readonly disabled: RegisteredClient
  readonly closed: RegisteredClient
  readonly service: RegisteredClient
  readonly television: RegisteredClient
  readonly till: RegisteredClient
  /** Somebody is signed in. */
  readonly browser: BrowserSession
  /** Nobody is. */
  stranger(): BrowserSession
  /** Registers software, each time with a token of its own. */
  register(metadata: Readonly<Record<string, unknown>>): Promise<Answer>
  /** `latchkey explain …` */
  explain(...argv: string[]): Promise<{ exit: number; stdout: string; stderr: string }>
}

export const OUT = 'https://app.example/out'

export async function explainScene(database: DatabaseKind): Promise<ExplainScene> {
  const app = await startApp(database, {
    settings: {
      REGISTRATION: 'token',
      TOKENS_REFRESH_REUSE_SECONDS: '0',
      METRICS_TOKEN: 'a-token-of-the-scraper-alone-0123456789',
    },
  })
  const { services } = app
  await createPerson(services)
  await services.groups.create('staff')
  const scope = 'openid profile email offline_access'
  const web = await createClient(services, { scope, post_logout_redirect_uris: [OUT] })
  const disabled = await createClient(services)
  await services.clients.disable(disabled.client.id)
  const browser = browserSession(app.issuer)
  await tokensFor(app, web, {}, browser)
  return {
    app,
    web,
    disabled,
    browser,
    stranger: () => browserSession(app.issuer),
    spa: await createClient(services, { type: 'spa' }),
    service: await createClient(services, { type: 'service', redirect_uris: [] }),
    television: await createClient(services, { type: 'native', redirect_uris: [], device_flow: true }),
    till: await createPollingClient(app),
    register: async (metadata) =>
      registering(() => app.issuer).register(metadata, (await services.registrationTokens.create({})).value),
    closed: await createClient(services, { assignment: 'groups', groups: ['staff'] }),
    explain: explaining(app),
  }
}

export function explaining({ services }: TestApp): ExplainScene['explain'] {
  return async (...argv) => {
    await services.audit.flush()
    const { terminal, stdout, stderr } = captureTerminal()
    const groups = [explainCommands]
    const exit = await runCommandLine({ groups, withNeeds: (run) => run(services), terminal }, ['explain', ...argv])
    return { exit, stdout: stdout(), stderr: stderr() }
  }
}

/** The id at the tail of a redirect, or of the page or JSON that answers. */
export function toldId({ headers }: { readonly headers: Headers }): string {
  const description = URL.parse(headers.get('location') ?? '')?.searchParams.get('error_description')
  return /\(error id: (\w{12})\)$/.exec(description ?? '')?.[1] ?? headers.get('x-request-id') ?? ''
}

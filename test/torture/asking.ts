// How the clients of the torture ask: an answer is what was expected, or the server is in trouble and says so, or it is
// a violation.
import type { RegisteredClient, TestApp } from '../support/app.ts'
import type { BrowserSession, Page } from '../support/browser-session.ts'
import { authorizeUrl, type Answer } from '../support/protocol.ts'
import { signIn } from '../support/relying-party.ts'

/**
 * The server said 503: what was asked may have happened or not. Or it said 429: an attempt whose end it did not live to
 * see counts as a wrong one.
 */
export class Unanswered extends Error {}

/** @throws Unanswered; Error for any status but the expected one */
export function expected<A extends Answer | Page>(status: number, answer: A): A {
  if (answer.status === 503 || answer.status === 429) throw new Unanswered()
  if (answer.status !== status)
    throw new Error(`${answer.status} instead of ${status}: ${answer.body.replaceAll(/\s+/g, ' ').slice(0, 300)}`)
  return answer
}

/** The code that the page brings back to the client. @throws Unanswered; Error with what was shown instead */
export function codeIn(page: Page): string {
  const location = expected(303, page).headers.get('location') ?? ''
  const code = URL.parse(location)?.searchParams.get('code')
  if (!code) throw new Error(`no code came back, but ${location}`)
  return code
}

/** A code by a session that there is; nobody is asked anything. */
export async function codeBySession(app: TestApp, client: RegisteredClient, browser: BrowserSession): Promise<string> {
  return codeIn(await browser.open(authorizeUrl(app, client, { prompt: 'none' })))
}

/** Signs Ada in with the password, and gives the code. */
export async function codeBySignIn(app: TestApp, client: RegisteredClient, browser: BrowserSession): Promise<string> {
  return codeIn(await signIn(browser, expected(200, await browser.open(authorizeUrl(app, client)))))
}

/** Undefined where the answer is the refusal that it must be. @throws Unanswered */
export function refusedWith(error: string, answer: Answer): string | undefined {
  if (answer.status === 503) throw new Unanswered()
  if (answer.status < 500 && answer.json['error'] === error) return undefined
  return `${answer.status} ${answer.body.slice(0, 200)} instead of ${error}`
}

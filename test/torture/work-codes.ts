// Codes, refresh tokens, pushed requests, device codes: what a client is given, and may use once. All that one browser
// gets for one client hangs on one grant, so whatever ends grants has a browser of its own.
import {
  basic,
  post,
  redeem,
  refresh,
  tokensIn,
  userinfo,
  authorizeUrl,
  query,
  type Tokens,
} from '../support/protocol.ts'
import { pollDevice } from '../support/device.ts'
import { codeBySession, codeIn, expected, refusedWith } from './asking.ts'
import type { Work } from './work.ts'

const REFRESHES = 3

/** A code, its tokens, and a few refreshes. */
export async function codes(work: Work): Promise<void> {
  const { world, ledger, random, browser, verifier } = work
  const { app, client } = world
  const code = await codeBySession(app, client, browser)
  const use = async (): Promise<Tokens> => {
    const answer = expected(200, await redeem(app, client, code))
    ledger.write('used code', 'is spent', code, async () =>
      refusedWith('invalid_grant', await redeem(app, client, code)),
    )
    return tokensIn(answer)
  }
  ledger.write('code', 'works once', code, async () => void (await use()))
  if (random.chance(0.1)) return

  ledger.strike(code)
  const first = await use()
  const violation = await verifier.verify(first.idToken)
  if (violation !== undefined) throw new Error(violation)
  ledger.write('access token', 'stands', first.accessToken, () => isLive(work, first.accessToken))
  let token = first.refreshToken
  writeRefreshToken(work, token)
  for (let turn = 0; turn < REFRESHES; turn += 1) {
    // inside its window a refresh whose answer was lost takes nothing from anybody
    if (world.reuseSeconds === 0) ledger.strike(token)
    const next = tokensIn(expected(200, await refresh(app, client, token))).refreshToken
    writeSpentRefreshToken(work, token, next)
    writeRefreshToken(work, next)
    token = next
  }
}

/** A refresh token is revoked, and its grant with it. */
export async function revocations({ world: { app, client }, ledger, browser }: Work): Promise<void> {
  const code = await codeBySession(app, client, browser)
  const { refreshToken: token } = tokensIn(expected(200, await redeem(app, client, code)))
  expected(200, await post(`${app.issuer}/revoke`, { token }, basic(client)))
  ledger.write('revoked refresh token', 'is spent', token, async () =>
    refusedWith('invalid_grant', await refresh(app, client, token)),
  )
}

async function isLive({ world }: Work, accessToken: string): Promise<string | undefined> {
  expected(200, await userinfo(world.app, accessToken))
  return undefined
}

function writeRefreshToken(work: Work, token: string): void {
  const { world, ledger } = work
  ledger.write('refresh token', 'works once', token, async () => {
    const successor = tokensIn(expected(200, await refresh(world.app, world.client, token))).refreshToken
    writeSpentRefreshToken(work, token, successor)
    return undefined
  })
}

/** Inside its window it yields the one successor again; without one, or afterwards, nothing. */
function writeSpentRefreshToken({ world, ledger }: Work, token: string, successor: string): void {
  ledger.write('used refresh token', 'is spent', token, async () => {
    const again = await refresh(world.app, world.client, token)
    if (world.reuseSeconds === 0 || again.status !== 200) return refusedWith('invalid_grant', again)
    return tokensIn(again).refreshToken === successor ? undefined : 'it has a second successor'
  })
}

/** A pushed request, used by every other one at once. */
export async function pushedRequests({ world: { app, client }, ledger, random, browser }: Work): Promise<void> {
  const fields = Object.fromEntries(new URL(authorizeUrl(app, client, { prompt: 'none' })).searchParams)
  const { json } = expected(201, await post(`${app.issuer}/par`, fields, basic(client)))
  const requestUri = String(json['request_uri'])
  const used = () =>
    browser.open(`${app.issuer}/authorize?${query({ client_id: client.client.id, request_uri: requestUri })}`)
  const use = async (): Promise<undefined> => {
    codeIn(await used())
    ledger.write('used pushed request', 'is spent', requestUri, async () =>
      (await used()).body.includes('invalid_request_uri') ? undefined : 'it gave a second answer',
    )
  }
  ledger.write('pushed request', 'works once', requestUri, use)
  if (random.chance(0.5)) return
  ledger.strike(requestUri)
  await use()
}

/** A device code that Ada approves, used by every other one at once. */
export async function devices({ world: { app, client }, ledger, random, browser }: Work): Promise<void> {
  const { json } = expected(
    200,
    await post(`${app.issuer}/device_authorization`, { scope: 'openid email' }, basic(client)),
  )
  const deviceCode = String(json['device_code'])
  const polled = () => pollDevice(app, client, deviceCode)
  ledger.write('device code', 'stands', deviceCode, async () => refusedWith('authorization_pending', await polled()))
  if (random.chance(0.2)) return

  const question = expected(200, await browser.open(String(json['verification_uri_complete'])))
  ledger.strike(deviceCode)
  expected(200, await browser.submit(question, { confirm: 'yes' }))
  const use = async (): Promise<undefined> => {
    expected(200, await polled())
    ledger.write('used device code', 'is spent', deviceCode, async () => refusedWith('invalid_grant', await polled()))
  }
  ledger.write('approved device code', 'works once', deviceCode, use)
  if (random.chance(0.5)) return
  ledger.strike(deviceCode)
  await use()
}

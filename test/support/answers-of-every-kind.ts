// Every kind of answer that a client can register for, asked for once, and the refusals that belong to them.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { createClient, type TestApp } from './app.ts'
import type { BrowserSession } from './browser-session.ts'
import { authorizeUrl, basic, post, redeem, tokensFor, userinfo } from './protocol.ts'
import { authorize } from './relying-party.ts'

const CALLBACK = 'https://rp.example/callback'

/** @param browser somebody is signed in there */
export async function askForEveryAnswer(app: TestApp, browser: BrowserSession): Promise<void> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwks = { keys: [await exportJWK(publicKey)] }
  const register = (metadata: Readonly<Record<string, unknown>>) =>
    createClient(app.services, { first_party: true, redirect_uris: [CALLBACK], metadata })

  const hybrid = await register({ response_types: ['code', 'id_token', 'code id_token token'] })
  for (const changes of [
    { response_type: 'id_token' },
    { response_type: 'code id_token token' },
    { response_type: 'code token' },
    { response_type: 'code id_token token', response_mode: 'form_post' },
    { response_type: 'id_token', response_mode: 'query' },
    ...['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt', 'nonsense'].map((response_mode) => ({ response_mode })),
  ])
    await browser.open(authorizeUrl(app, hybrid, { redirect_uri: CALLBACK, ...changes }))

  const sealed = await register({
    jwks,
    subject_type: 'pairwise',
    id_token_encrypted_response_alg: 'ECDH-ES',
    userinfo_signed_response_alg: 'ES256',
    introspection_signed_response_alg: 'ES256',
    request_object_signing_alg: 'ES256',
  })
  const { accessToken } = await tokensFor(app, sealed, { redirect_uri: CALLBACK }, browser)
  await userinfo(app, accessToken)
  const headers = { ...basic(sealed), accept: 'application/token-introspection+jwt' }
  await post(`${app.issuer}/introspect`, { token: accessToken }, headers)
  const parameters = Object.fromEntries(new URL(authorizeUrl(app, sealed, { redirect_uri: CALLBACK })).searchParams)
  const request = await new SignJWT({ ...parameters, iss: sealed.client.id, aud: app.issuer })
    .setProtectedHeader({ alg: 'ES256' })
    .sign(privateKey)
  for (const object of [request, `${request}x`])
    await browser.open(authorizeUrl(app, sealed, { request: object, redirect_uri: undefined }))
  await post(`${app.issuer}/par`, { request }, basic(sealed))

  const away = await register({ id_token_encrypted_response_alg: 'RSA-OAEP', jwks_uri: 'http://127.0.0.1:1/keys' })
  const callback = await authorize(browser, authorizeUrl(app, away, { redirect_uri: CALLBACK }))
  await redeem(app, away, callback.searchParams.get('code') ?? '', { redirect_uri: CALLBACK })
}

/** The rules of what an application asks by itself: tokens, registration, APIs. The first that matches is the one. */
import { CIBA_GRANT } from '#core/clients/backchannel-grant.ts'
import { DEVICE_GRANT } from '#core/clients/device-grant.ts'
import { latchkey, wholeValue, type Refused, type Remedy, type Rule } from './refused.ts'

const CODE = 'RFC 6749 §4.1.2, §4.1.3, §5.2'

export const ENDPOINT_RULES: readonly Rule[] = [
  {
    on: /invalid_client .*(authentication mechanism|authentication method)/,
    sentence: 'The application proved who it is in another way than the one that it is registered for.',
    source: 'RFC 6749 §2.3, RFC 7591 §2 (token_endpoint_auth_method)',
    remedy: () => ({
      sentence: 'Let the application authenticate as registered; the ways are in docs/client-authentication.md.',
    }),
  },
  {
    on: /invalid_client .*secret/,
    sentence: 'The client secret is wrong: mistyped, of another client or server, or rotated meanwhile.',
    source: 'RFC 6749 §2.3.1, §5.2',
    remedy: ({ client }) => ({
      sentence: 'No secret can be read again. A new one, while the old one holds for a day:',
      command: latchkey('client', 'rotate-secret', client?.id ?? 'CLIENT-ID', '--overlap', '86400'),
    }),
  },
  {
    on: / invalid_client /,
    sentence: 'The application could not prove who it is.',
    source: 'RFC 6749 §5.2, RFC 7523 §3',
    remedy: () => ({ sentence: 'What a proof has to hold is in docs/client-authentication.md.' }),
  },
  {
    on: /^token_family\.reuse_detected /,
    sentence:
      'A code or a refresh token was used a second time. It may have been stolen, so all that came of it was ended.',
    source: 'RFC 6749 §4.1.2, RFC 9700 §4.14.2',
    remedy: () => ({
      sentence:
        'The person signs in again. If it happens often, the application sends a request twice, or two of its processes share one token.',
    }),
  },
  {
    on: /invalid_grant authorization code (not found|is expired)/,
    sentence:
      'The code is not known here any more: it lives for a minute, is redeemed once, and ends with the sign-in.',
    source: CODE,
    remedy: () => ({ sentence: 'Redeem each code once, at once, at the server that gave it.' }),
  },
  {
    on: /invalid_grant .*redirect_uri mismatch/,
    sentence: 'The redirect_uri at /token has to be the one of the authorization request, the same in every character.',
    source: 'RFC 6749 §4.1.3',
    remedy: () => ({ sentence: 'Send both from one setting of the application.' }),
  },
  {
    on: /^token\.refused .*(code_verifier|code_challenge)/,
    sentence:
      'The code_verifier does not belong to the code_challenge of the authorization request, or one of the two is missing.',
    source: 'RFC 7636 §4.5, §4.6',
    remedy: () => ({ sentence: 'Keep the verifier of each sign-in until its code comes back; two tabs have two.' }),
  },
  {
    on: /invalid_grant client mismatch/,
    sentence: 'The code or token was issued to another application.',
    source: 'RFC 6749 §5.2, §10.5',
  },
  {
    on: /invalid_grant refresh token (not found|is expired)/,
    sentence:
      'The refresh token is not known here: it expired, was ended by a sign-out or an administrator, or was replaced by its successor.',
    source: 'RFC 6749 §6',
    remedy: () => ({ sentence: 'Keep the refresh token of the newest answer, and let the person sign in again.' }),
  },
  {
    on: /invalid_grant /,
    sentence: 'What was presented is no grant that holds: it ended, or is bound to something else.',
    source: 'RFC 6749 §5.2',
    remedy: () => ({ sentence: 'Let the person sign in again.' }),
  },
  {
    on: /^(token|device|backchannel_authentication)\.refused .*(grant type|grant_type|is not allowed for this client)/,
    sentence: 'The application asked for tokens by a grant that it is not registered for, or that is not served.',
    source: 'RFC 6749 §5.2 (unauthorized_client, unsupported_grant_type)',
    remedy: mendGrantType,
  },
  {
    on: /use_dpop_nonce /,
    sentence: 'The DPoP proof has to hold the nonce of the answer’s DPoP-Nonce header.',
    source: 'RFC 9449 §8',
    remedy: () => ({ sentence: 'This is how it begins, not a mistake: send the request again with the nonce.' }),
  },
  {
    on: /invalid_dpop_proof /,
    sentence: 'The DPoP proof does not hold: its method, address, time, key or nonce is not the one of this request.',
    source: 'RFC 9449 §4.3',
    remedy: () => ({ sentence: 'Make a proof for each request, and set the clock of the application.' }),
  },
  {
    on: /invalid_target /,
    sentence: 'The resource is no API that this application may get tokens for.',
    source: 'RFC 8707 §2',
    remedy: () => ({ sentence: 'The APIs, and who may call them:', command: latchkey('api', 'list') }),
  },
  {
    on: /invalid_authorization_details /,
    sentence: 'The authorization_details are not of a type that the API has, or not in its shape.',
    source: 'RFC 9396 §5',
    remedy: () => ({ sentence: 'What each API takes:', command: latchkey('api', 'list') }),
  },
  {
    on: /^token\.refused access_denied /,
    sentence: 'The person turned down what was asked on the other device, or on the page for approvals.',
    source: 'RFC 8628 §3.5, OpenID CIBA Core 1.0 §11',
  },
  {
    on: /^token\.refused expired_token /,
    sentence: 'Nobody answered in time.',
    source: 'RFC 8628 §3.5, OpenID CIBA Core 1.0 §11',
    remedy: () => ({ sentence: 'Ask again.' }),
  },
  {
    on: /^token\.refused invalid_scope /,
    sentence: 'The application asked for a scope that it may not have, or that was not allowed at the sign-in.',
    source: 'RFC 6749 §3.3, §5.2, §6',
    remedy: ({ client }) => ({
      sentence: 'What it may have comes from its registration, and from the APIs that it names by resource:',
      command: latchkey('client', 'show', client?.id ?? 'CLIENT-ID'),
    }),
  },
  {
    on: /^backchannel_authentication\.refused unknown_user_id /,
    sentence: 'The hint means nobody who can be asked. The application is not told why.',
    source: 'OpenID CIBA Core 1.0 §13',
    remedy: () => ({ sentence: 'Look for the person:', command: latchkey('user', 'list') }),
  },
  {
    on: /^backchannel_authentication\.refused (?!invalid_client)/,
    sentence: 'A parameter of the request has a value that is not taken.',
    source: 'OpenID CIBA Core 1.0 §7.1, §7.2, §13',
    remedy: () => ({
      sentence: 'The reason on record names it; docs/backchannel-authentication.md has what is taken.',
    }),
  },
  {
    on: /^registration\.refused invalid_token .* registration_(read|update|delete)\.error$/,
    sentence: 'The record of an application is open only to the registration access token of its newest answer.',
    source: 'RFC 7592 §2, §3',
    remedy: changeRecord,
  },
  {
    on: /^registration\.refused invalid_token /,
    sentence: 'Registering needs an initial access token that holds and is not used up.',
    source: 'RFC 7591 §3',
    remedy: () => ({ sentence: 'A new initial access token:', command: latchkey('registration-token', 'create') }),
  },
  {
    on: /^registration\.refused invalid_redirect_uri /,
    sentence:
      'A redirect URI in the metadata is not one that may be registered: https, loopback, or the own scheme of a native app, without fragment.',
    source: 'RFC 7591 §3.2.2, RFC 8252 §7',
  },
  {
    on: /^registration\.refused /,
    sentence: 'A member of the metadata cannot be taken as it is.',
    source: 'RFC 7591 §2, §3.2.2',
    remedy: () => ({ sentence: 'What may be registered is in docs/registration.md.' }),
  },
  {
    on: /^metrics\.refused /,
    sentence: 'The numbers are told only to who sends METRICS_TOKEN.',
    source: 'RFC 6750 §2.1, the setting METRICS_TOKEN',
    remedy: () => ({ sentence: 'Let the scraper send it as: Authorization: Bearer TOKEN' }),
  },
  {
    on: /^userinfo\.refused invalid_request /,
    sentence: 'The access token came in no way, or in two, that userinfo reads.',
    source: 'RFC 6750 §2, §3.1',
    remedy: () => ({ sentence: 'Send it once, as: Authorization: Bearer TOKEN' }),
  },
  {
    on: /^userinfo\.refused /,
    sentence: 'The access token is unknown, has expired or was ended, or is for an API instead of userinfo.',
    source: 'RFC 6750 §3.1, OpenID Connect Core 1.0 §5.3.3',
    remedy: () => ({ sentence: 'Refresh it, and send it as: Authorization: Bearer TOKEN' }),
  },
]

/** Nobody can read that token again: an administrator does what the software cannot. */
function changeRecord({ received }: Refused): Remedy {
  const id = received['client_id']
  const command = typeof id === 'string' ? latchkey('client', 'update', id) : latchkey('client', 'list')
  return { sentence: 'If it is lost, register anew, or change the record here:', command }
}

function mendGrantType(refused: Refused): Remedy {
  const grant = grantAsked(refused)
  if (grant === 'client_credentials')
    return {
      sentence: 'Only a client of type service gets tokens for itself:',
      command: 'latchkey client create --type service --name NAME',
    }
  const options = grant === undefined ? undefined : GRANTED_BY[grant]
  if (options && refused.client)
    return { sentence: 'It may do so with:', command: latchkey('client', 'update', refused.client.id, ...options) }
  return { sentence: 'Discovery names the grants that are served: grant_types_supported.' }
}

const GRANTED_BY: Readonly<Record<string, readonly string[]>> = {
  refresh_token: ['--refresh-tokens', 'always'],
  [DEVICE_GRANT]: ['--device-flow'],
  [CIBA_GRANT]: ['--ciba', 'poll'],
}

function grantAsked(refused: Refused): string | undefined {
  if (refused.entry.type === 'device.refused') return DEVICE_GRANT
  return refused.entry.type === 'token.refused' ? wholeValue(refused, 'grant_type') : CIBA_GRANT
}

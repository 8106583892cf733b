// Requests as nobody of good will sends them, by the grammar of those that are: endpoints, names and values that the
// server knows, mixed with each other and with what breaks parsers. Words in ‹brackets› stand for what each server made.
import fc from 'fast-check'

export interface OddRequest {
  readonly method: string
  /** Path and query, in characters that may stand in a request line. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

/** What a server fills in for itself. */
export const HELD = [
  'web',
  'web-secret',
  'service',
  'service-secret',
  'spa',
  'device',
  'code',
  'access-token',
  'refresh-token',
  'id-token',
  'registered',
  'registration-token',
  'uid',
  'csrf',
  'issuer',
] as const
export type Held = (typeof HELD)[number]

const NAMES = [
  ...['client_id', 'client_secret', 'response_type', 'response_mode', 'redirect_uri', 'scope', 'state', 'nonce'],
  ...['code', 'code_verifier', 'code_challenge', 'code_challenge_method', 'grant_type', 'refresh_token', 'token'],
  ...['token_type_hint', 'prompt', 'max_age', 'login_hint', 'id_token_hint', 'acr_values', 'ui_locales', 'claims'],
  ...['request', 'request_uri', 'resource', 'authorization_details', 'display', 'claims_locales', 'dpop_jkt'],
  ...['client_assertion', 'client_assertion_type', 'device_code', 'auth_req_id', 'user_code', 'binding_message'],
  ...['post_logout_redirect_uri', 'logout', 'xsrf', 'csrf', 'username', 'password', 'decision', 'account', 'confirm'],
  ...['access_token', 'requested_expiry', 'client_notification_token', '__proto__', 'constructor', 'a[b]', '', 'x'],
]

const VALUES = [
  ...HELD.map((name) => `‹${name}›`),
  ...['code', 'token', 'id_token', 'code id_token', 'none', 'query', 'fragment', 'form_post', 'jwt', 'query.jwt'],
  ...['openid', 'openid profile email offline_access', 'http://localhost:9/callback', 'http://localhost:9/Callback'],
  ...['S256', 'plain', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM', 'authorization_code', 'refresh_token'],
  ...['client_credentials', 'urn:ietf:params:oauth:grant-type:device_code', 'urn:openid:params:grant-type:ciba'],
  ...[
    'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    'urn:ietf:params:oauth:request_uri:x',
    'urn:latchkey:pwd',
  ],
  ...['login', 'consent', 'select_account', 'login none', '0', '-1', '9'.repeat(40), '1e9', 'yes', 'allow', 'ada'],
  ...['{"userinfo":{"name":null},"id_token":{"sub":{"value":"\\u0000"}}}', '{"id_token":{"acr":{"essential":true}}}'],
  ...[
    '[{"type":"payment"}]',
    '[{"type":"\\u0000"}]',
    '{"__proto__":{"x":1}}',
    '{"a":1,"a":2}',
    '[[[[[[[[[[[[[[[[[[[[[[[[[[]',
  ],
  ...[
    'eyJhbGciOiJub25lIn0.eyJpc3MiOiJ4Iiwic3ViIjoieCJ9.',
    'eyJhbGciOiJSUzI1NiJ9.e30.AA',
    'eyJhbGciOiJIUzI1NiIsImtpZCI6Ii4uIn0.W10.x',
    '..',
  ],
  ...[
    'de fr',
    'BCDF-GHJK',
    "'; drop table artifacts;--",
    '../../etc/passwd',
    '<svg onload=alert(1)>',
    '${7*7}',
    '%s%n',
  ],
]

/** Raw pieces of a query or form: well-encoded, badly encoded, and characters with a history. */
const ODD_PIECES = [
  ...['%00', '%', '%zz', '%E0%A4%A', '%C0%80', '%ED%A0%80', '%F0%9F%98%80', '%E2%80%A8', '%E2%80%AE', '%1B', '%0d%0a'],
  ...[
    '%EF%BF%BF',
    '%F4%8F%BF%BF',
    '%7F',
    '+',
    '%2500',
    '[]',
    '[a]',
    '=',
    '&',
    ';',
    '#'.replace('#', '%23'),
    '\u00e9',
    '%C2%85',
  ],
]

const piece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...VALUES).map(encoded) },
  { weight: 2, arbitrary: fc.constantFrom(...ODD_PIECES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((text) => encoded(text.toWellFormed())) },
  { weight: 1, arbitrary: fc.nat(3_000).map((length) => 'x'.repeat(length)) },
)
const value = fc.oneof(
  { weight: 6, arbitrary: piece },
  { weight: 1, arbitrary: fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join('-')) },
)
const pair = fc.tuple(fc.constantFrom(...NAMES).map(encoded), value).map(([name, given]) => `${name}=${given}`)
const anyPairs = fc.array(pair, { maxLength: 8 })

/** A request that is in order, of which some members are then taken away, changed or doubled. */
const IN_ORDER: readonly (readonly [string, readonly string[]])[] = [
  [
    '/authorize',
    [
      'client_id=‹web›',
      'response_type=code',
      'redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback',
      'scope=openid',
      'state=s',
      'code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      'code_challenge_method=S256',
    ],
  ],
  ['/token', ['grant_type=client_credentials', 'client_id=‹service›', 'client_secret=‹service-secret›']],
  [
    '/token',
    ['grant_type=refresh_token', 'refresh_token=‹refresh-token›', 'client_id=‹web›', 'client_secret=‹web-secret›'],
  ],
  ['/introspect', ['token=‹access-token›', 'client_id=‹web›', 'client_secret=‹web-secret›']],
  ['/device_authorization', ['client_id=‹device›', 'scope=openid']],
  ['/interaction/‹uid›/password', ['csrf=‹csrf›', 'username=ada', 'password=wrong']],
  [
    '/token',
    [
      'grant_type=authorization_code',
      'code=‹code›',
      'redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback',
      'client_id=‹web›',
      'client_secret=‹web-secret›',
    ],
  ],
  [
    '/par',
    [
      'client_id=‹spa›',
      'response_type=code',
      'redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback',
      'scope=openid',
      'code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
      'code_challenge_method=S256',
    ],
  ],
  ['/revoke', ['token=‹refresh-token›', 'client_id=‹web›', 'client_secret=‹web-secret›']],
  ['/device', ['user_code=BCDF-GHJK', 'xsrf=x']],
  ['/interaction/‹uid›', []],
  ['/logout', ['id_token_hint=‹id-token›', 'client_id=‹web›']],
]
const bent = fc
  .tuple(fc.constantFrom(...IN_ORDER), anyPairs, fc.infiniteStream(fc.nat(9)))
  .map(([[path, pairs], more, dice]) => ({
    path,
    pairs: [...pairs.filter(() => dice.next().value !== 0), ...more.slice(0, 2)],
  }))

const MEMBERS = [
  ...['client_name', 'token_endpoint_auth_method', 'scope', 'logo_uri', 'grant_types', 'response_types', 'contacts'],
  ...[
    'application_type',
    'id_token_signed_response_alg',
    'default_max_age',
    'post_logout_redirect_uris',
    'jwks',
    'type',
  ],
  ...[
    'software_id',
    'client_uri',
    'subject_type',
    'sector_identifier_uri',
    'request_uris',
    'backchannel_logout_uri',
    '__proto__',
  ],
]
const memberValue = fc.oneof(
  fc.constantFrom<unknown>(
    ...VALUES,
    'a\u0000b',
    '\ud800',
    '\u202ename',
    'https://rp.example/x',
    ['https://rp.example/x'],
    [],
    null,
    7,
    true,
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.jsonValue({ maxDepth: 2 }),
)
/** Software that registers itself, mostly in order. */
const registration = fc
  .dictionary(fc.constantFrom(...MEMBERS), memberValue, { maxKeys: 3 })
  .map((members) => JSON.stringify({ redirect_uris: ['https://rp.example/callback'], ...members }))

const json = fc.oneof(
  registration,
  fc.json({ maxDepth: 4 }),
  fc.nat(4_000).map((depth) => '['.repeat(depth)),
  fc.nat(900).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
)

const authorization = fc.constantFrom(
  undefined,
  undefined,
  undefined,
  'Bearer ‹access-token›',
  'Bearer ‹registration-token›',
  'Bearer x',
  'DPoP ‹access-token›',
  `Basic ${btoa('x:y')}`,
  `Basic ${btoa('\0:\0')}`,
  `Basic ${btoa('%00:%00')}`,
  'Basic ====',
  'Digest x',
  'Bearer',
)

const headers = fc.record({
  authorization,
  accept: fc.constantFrom('text/html', 'application/json', '*/*', 'x'),
  cookie: fc.constantFrom(
    undefined,
    '‹cookies›',
    'latchkey_session=x; latchkey_session.sig=y',
    'latchkey_interaction=%00',
    '==;;=',
  ),
  origin: fc.constantFrom(undefined, undefined, 'null', 'http://evil.example', '‹issuer›'),
  'content-type': fc.constantFrom(
    undefined,
    'application/x-www-form-urlencoded',
    'application/x-www-form-urlencoded; charset=utf-16',
    'application/json',
    'text/plain',
    'multipart/form-data; boundary=x',
    'x',
  ),
  dpop: fc.constantFrom(undefined, undefined, undefined, 'x', 'eyJhbGciOiJub25lIn0.e30.'),
  'accept-language': fc.constantFrom(undefined, 'de', '\u00e9;q=x'),
  'user-agent': fc.constantFrom(undefined, 'x'.repeat(500), '\u00ff<b>'),
})

const METHODS = [
  ...'GET GET GET GET GET GET POST POST POST POST POST POST POST POST PUT DELETE OPTIONS HEAD PATCH TRACE'.split(' '),
]

/** @param paths every endpoint and page of the server */
export function oddRequests(paths: readonly string[]): fc.Arbitrary<OddRequest> {
  const ends = fc.constantFrom(...Array<string>(20).fill(''), '/', '%00', '%2e%2e', '/..', ';x', '//', '%E0', '/x')
  const free = fc.record({
    path: fc.tuple(fc.constantFrom(...paths), ends).map((parts) => parts.join('')),
    pairs: anyPairs,
  })
  return fc
    .record({
      aim: fc.oneof(free, bent, fc.constant({ path: '/register', pairs: [] })),
      method: fc.constantFrom(...METHODS),
      headers,
      json,
      speaksJson: fc.nat(9).map((dice) => dice === 0),
      isWellTyped: fc.nat(9).map((dice) => dice > 1),
    })
    .map(({ aim: { path, pairs }, method, headers: given, json: document, speaksJson, isWellTyped }) => {
      const hasBody = !['GET', 'HEAD', 'OPTIONS', 'TRACE', 'DELETE'].includes(method)
      const isJson = speaksJson || path === '/register'
      const type = isJson ? 'application/json' : 'application/x-www-form-urlencoded'
      return {
        method,
        target: hasBody || pairs.length === 0 ? path : `${path}?${pairs.join('&')}`,
        headers: Object.fromEntries(
          Object.entries({
            ...given,
            'content-type': hasBody ? (isWellTyped ? type : given['content-type']) : undefined,
          }).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
        ),
        body: hasBody ? (isJson ? document : pairs.join('&')) : undefined,
      }
    })
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%E2%80%B9', '‹').replaceAll('%E2%80%BA', '›')
}

// Requests as nobody of good will sends them, by the grammar of those that are: endpoints, names and values that the
// server knows, mixed with each other and with what breaks parsers.
import fc from 'fast-check'
import { IN_ORDER, MEMBERS, METHODS, NAMES, ODD_ENDS, ODD_PIECES, VALUES } from './words.ts'

export interface OddRequest {
  readonly method: string
  /** Path and query, in characters that may stand in a request line. */
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
}

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'

/** @param paths every endpoint and page of the server */
export function oddRequests(paths: readonly string[]): fc.Arbitrary<OddRequest> {
  const aims = fc.oneof(aimless(paths), bent, registering)
  return fc.record({ aim: aims, headers, document, badlyTyped: oneIn(8) }).map((parts) => assembled(parts))
}

/** One time in so many. */
const oneIn = (times: number) => fc.nat(times - 1).map((dice) => dice === 0)

const piece = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...VALUES).map(encoded) },
  { weight: 2, arbitrary: fc.constantFrom(...ODD_PIECES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((text) => encoded(text.toWellFormed())) },
  { weight: 1, arbitrary: fc.nat(3_000).map((length) => 'x'.repeat(length)) },
)
const value = fc.oneof(
  { weight: 6, arbitrary: piece },
  // apart from each other, or a percent at the end would go with what each server fills in
  { weight: 1, arbitrary: fc.array(piece, { maxLength: 3 }).map((pieces) => pieces.join('-')) },
)
const pairs = fc.array(
  fc.tuple(fc.constantFrom(...NAMES), value).map((parts) => parts.join('=')),
  { maxLength: 8 },
)

interface Aim {
  readonly method: string
  readonly path: string
  readonly pairs: readonly string[]
}

/** Anything to anywhere. */
function aimless(paths: readonly string[]): fc.Arbitrary<Aim> {
  const ends = fc.oneof(
    { weight: 4, arbitrary: fc.constant('') },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_ENDS) },
  )
  const path = fc.tuple(fc.constantFrom(...paths), ends).map((parts) => parts.join(''))
  return fc.record({ method: fc.constantFrom(...METHODS), path, pairs })
}

/** A request that is in order, of which some members are then taken away, and some added. */
const bent: fc.Arbitrary<Aim> = fc
  .tuple(fc.constantFrom(...IN_ORDER), pairs, fc.infiniteStream(oneIn(12)))
  .map(([[method = '', path = '', ...given], more, isLost]) => ({
    method,
    path,
    pairs: [...given.filter(() => !isLost.next().value), ...more.slice(0, 2)],
  }))

const registering: fc.Arbitrary<Aim> = fc.constant({ method: 'POST', path: '/register', pairs: [] })

const memberValue = fc.oneof(
  fc.constantFrom<unknown>(...VALUES, 'a\0b', '\ud800', '\u202ename', 'https://rp.example/x', [], null, 7, true),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.jsonValue({ maxDepth: 2 }),
)
const document = fc.oneof(
  fc
    .dictionary(fc.constantFrom(...MEMBERS), memberValue, { maxKeys: 3 })
    .map((members) => JSON.stringify({ redirect_uris: ['https://rp.example/callback'], ...members })),
  fc.json({ maxDepth: 4 }),
  fc.nat(4_000).map((depth) => '['.repeat(depth)),
  fc.nat(900).map((depth) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
)

const maybe = (...values: readonly string[]) => fc.option(fc.constantFrom(...values), { nil: undefined, freq: 1 })

const headers = fc.record({
  accept: fc.constantFrom('text/html', 'application/json', '*/*', 'x'),
  cookie: maybe('‹cookies›', 'latchkey_session=x; latchkey_session.sig=y', 'latchkey_interaction=%00', '==;;='),
  authorization: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: maybe('Bearer ‹access-token›', 'Bearer ‹registration-token›', 'DPoP ‹access-token›', 'Bearer x'),
    },
    {
      weight: 1,
      arbitrary: maybe(`Basic ${btoa('x:y')}`, `Basic ${btoa('\0:%00')}`, 'Basic ====', 'Digest x', 'Bearer'),
    },
  ),
  origin: fc.constantFrom(undefined, undefined, undefined, 'null', 'http://evil.example', '‹issuer›'),
  dpop: fc.constantFrom(undefined, undefined, undefined, undefined, 'x', 'eyJhbGciOiJub25lIn0.e30.'),
  'content-type': maybe(
    `${FORM}; charset=utf-16`,
    FORM,
    JSON_TYPE,
    'text/plain',
    'multipart/form-data; boundary=x',
    'x',
  ),
  'accept-language': maybe('de', '\u00e9;q=x'),
  'user-agent': maybe('x'.repeat(500), '\u00ff<b>'),
})

interface Parts {
  readonly aim: Aim
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly document: string
  readonly badlyTyped: boolean
}

function assembled({
  aim: { method, path, pairs: given },
  headers: all,
  document: json,
  badlyTyped,
}: Parts): OddRequest {
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(method)
  const isJson = path.startsWith('/register')
  const type = isJson ? JSON_TYPE : FORM
  const sent = { ...all, 'content-type': hasBody && !badlyTyped ? type : all['content-type'] }
  return {
    method,
    target: hasBody || given.length === 0 ? path : `${path}?${given.join('&')}`,
    headers: Object.fromEntries(
      Object.entries(sent).flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])),
    ),
    body: hasBody ? (isJson ? json : given.join('&')) : undefined,
  }
}

function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll('%E2%80%B9', '‹').replaceAll('%E2%80%BA', '›')
}

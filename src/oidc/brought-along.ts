/**
 * Rows that a request is known to ask for, found by the statement before, and kept for that request alone. Whoever looks
 * at a token looks at its session next, and then at its grant: the grant comes with the session, to be handed out once. And
 * whoever is not told of which kind a token is asks for it as each kind: all are looked up at once. Each is a statement
 * less, or two, and on PostgreSQL as many round trips.
 */
import { Provider } from 'oidc-provider'
import type { Artifact, ArtifactStore } from '#core/artifacts/store.ts'
import { attached } from '#platform/attached.ts'

export interface RowFinderNeeds {
  readonly artifacts: Pick<ArtifactStore, 'find' | 'findAnyOf'>
  readonly now: () => number
  readonly keyOf: (model: string, id: string) => string
}

/** Finds rows of a model by the id that the library has for them. */
export function rowFinder(
  model: string,
  { artifacts, now, keyOf }: RowFinderNeeds,
): (id: string) => Promise<Artifact | undefined> {
  const find = (id: string) => artifacts.find(keyOf(model, id), now())

  if (model === 'Grant')
    return async (id) => {
      const brought = takeGrant(keyOf(model, id))
      return brought ? brought.row : find(id)
    }

  if (KINDS_OF_TOKENS.some((kind) => kind === model))
    return async (id) => {
      const [first, second, third] = KINDS_OF_TOKENS
      const rows = rowsOfAnyKind(id, () =>
        artifacts.findAnyOf([keyOf(first, id), keyOf(second, id), keyOf(third, id)], now()),
      )
      return rows ? (await rows).find((row) => row.model === model) : find(id)
    }

  return find
}

interface Expected {
  readonly sessionUid: string
  /** Of the grant's row. */
  readonly key: string
  found?: { readonly row: Artifact | undefined }
}

const expectedBy = attached<Expected | undefined>()
const expectedNow = (): Expected | undefined => Provider.ctx && expectedBy.of(Provider.ctx)

/** A token was found that lives as long as the session. */
export function expectGrant(expected: Expected): void {
  if (Provider.ctx) expectedBy.to(Provider.ctx, expected)
}

/** The key of the grant that is to be found with the session, if one is. */
export function grantExpectedWith(sessionUid: string): string | undefined {
  const expected = expectedNow()
  return expected?.sessionUid === sessionUid ? expected.key : undefined
}

/** @param row undefined where there is no such grant */
export function bringGrant(row: Artifact | undefined): void {
  const expected = expectedNow()
  if (expected) expected.found = { row }
}

function takeGrant(key: string): Expected['found'] {
  const expected = expectedNow()
  if (!Provider.ctx || !expected?.found || expected.key !== key) return undefined
  expectedBy.to(Provider.ctx, undefined)
  return expected.found
}

/** What a token may be that is introspected or revoked, whatever the hint says: RFC 7662 §2.1, RFC 7009 §2.1. */
const KINDS_OF_TOKENS = ['AccessToken', 'ClientCredentials', 'RefreshToken'] as const
const OF_ANY_KIND = new Set(['/introspect', '/revoke'])

interface Lookup {
  readonly id: string
  readonly rows: Promise<readonly Artifact[]>
}

const lookupBy = attached<Lookup>()

/** Undefined where the request says of which kind the token is. The first kind that is asked for looks for all. */
function rowsOfAnyKind(id: string, look: () => Lookup['rows']): Lookup['rows'] | undefined {
  const { ctx } = Provider
  if (!ctx || !OF_ANY_KIND.has(ctx.path)) return undefined
  const known = lookupBy.of(ctx)
  if (known?.id === id) return known.rows
  const rows = look()
  lookupBy.to(ctx, { id, rows })
  return rows
}

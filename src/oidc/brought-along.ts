/**
 * Whoever looks at a token looks at its session next, and then at its grant. One statement finds both, and the grant's
 * row is kept for that request alone, to be handed out once: a statement less, which is a round trip on PostgreSQL.
 */
import { Provider } from 'oidc-provider'
import type { Artifact } from '#core/artifacts/store.ts'
import { attached } from '#platform/attached.ts'

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

/** What was brought along, once; undefined where nothing was. */
export function takeGrant(key: string): Expected['found'] {
  const expected = expectedNow()
  if (!Provider.ctx || !expected?.found || expected.key !== key) return undefined
  expectedBy.to(Provider.ctx, undefined)
  return expected.found
}

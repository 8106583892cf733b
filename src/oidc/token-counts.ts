import type { Provider } from 'oidc-provider'
import type { Metrics, TokenKind } from '#core/metrics.ts'
import type { Units } from '#platform/database/unit.ts'

/** By the name that the answer gives each (RFC 6749 §4.1.4, §4.1.2; OpenID Connect Core 1.0 §3.1.3.3). */
const KINDS: readonly (readonly [string, TokenKind])[] = [
  ['access_token', 'access'],
  ['id_token', 'id'],
  ['refresh_token', 'refresh'],
  ['code', 'code'],
]

/** Counts what answers of the token and the authorization endpoint give to applications. */
export function countTokens(
  provider: Provider,
  tokens: Metrics['tokens'],
  { whenStored }: Pick<Units, 'whenStored'>,
): void {
  const count = (answer: unknown): void => {
    if (typeof answer !== 'object' || answer === null) return
    const given = KINDS.filter(([name]) => name in answer)
    whenStored(() => given.forEach(([, kind]) => tokens.inc({ kind })))
  }
  provider.on('grant.success', (ctx) => count(ctx.body))
  provider.on('authorization.success', (_ctx, answer: unknown) => count(answer))
}

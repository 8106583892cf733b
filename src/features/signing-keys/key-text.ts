/** What people read about signing keys on a terminal, and what scripts read as JSON. */
import type { Retirement, SigningKey } from '#core/signing-keys/signing-key.ts'
import type { Import, Rotation } from '#core/signing-keys/signing-keys.ts'
import { inColumns, utc } from '#platform/columns.ts'

export function keyJson(key: SigningKey) {
  return {
    kid: key.kid,
    alg: key.alg,
    state: key.state,
    created_at: key.createdAt,
    activates_at: key.activatesAt,
    retires_at: key.retiresAt ?? null,
    unpublished_at: publishedUntil(key) ?? null,
    gone_at: key.goneAt ?? null,
  }
}

export function rotationText({ key, predecessor }: Rotation): string {
  return [
    `${key.alg}: ${key.kid} is published now and signs from ${utc(key.activatesAt)}.`,
    `  Until then ${predecessor.kid} signs, and it stays published until ${utc(publishedUntil(predecessor))}.`,
  ].join('\n')
}

export function importText({ key, changed }: Import): string {
  const signs =
    key.state === 'current' ? 'signs from now on' : `is published now and signs from ${utc(key.activatesAt)}`
  return [`${key.alg}: ${key.kid} ${signs}.`, ...changed.flatMap((other) => fateOf(other, key))].join('\n')
}

function fateOf(other: SigningKey, imported: SigningKey): string[] {
  if (other.state === 'gone') return [`  ${other.kid} is gone.`]
  const until = `it stays published until ${utc(publishedUntil(other))}`
  return imported.state === 'current'
    ? [`  ${other.kid} does not sign any more; ${until}.`]
    : [`  Until then ${other.kid} signs, and ${until}.`]
}

export function retirementText({ key, current }: Retirement): string {
  return [
    `${key.alg}: ${key.kid} has left the JWKS, and its private half is forgotten. ${current.kid} signs.`,
    '  What it signed is refused wherever the JWKS is fetched again: after five minutes, or as long as an application',
    '  keeps its copy. People stay signed in; ID tokens that it signed are no hint for a sign-out any more.',
  ].join('\n')
}

export function keyTable(keys: readonly SigningKey[]): string {
  return inColumns([
    ['ALG', 'STATE', 'SIGNS FROM', 'SIGNS UNTIL', 'PUBLISHED UNTIL', 'KID'],
    ...keys.map((key) => [
      key.alg,
      key.state,
      ...[key.activatesAt, key.retiresAt, publishedUntil(key)].map(utc),
      key.kid,
    ]),
  ])
}

function publishedUntil({ unpublishedAt, goneAt }: SigningKey): number | undefined {
  return unpublishedAt ?? goneAt
}

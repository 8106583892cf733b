// An audit for rules that are tested by themselves.
import { randomBytes } from 'node:crypto'
import { createAudit, type Audit } from '#core/audit/audit.ts'
import { createSecrets, type Secrets } from '#core/secrets.ts'
import type { Tables } from '#core/tables.ts'
import { systemClock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { openLog } from '#platform/log.ts'

export function auditOn(database: Database<Tables>): Audit {
  const log = openLog({ level: 'silent', format: 'json' })
  return createAudit({ database, secrets: someSecrets(), clock: systemClock, log })
}

export function someSecrets(): Secrets {
  return createSecrets([randomBytes(32)])
}

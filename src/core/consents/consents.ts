import type { Recorder } from '#core/audit/audit.ts'
import type { AuditEvent } from '#core/audit/event.ts'
import type { Tables } from '#core/tables.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'
import { consentStore, type Consent } from './store.ts'

export interface GivenConsent {
  readonly accountId: string
  readonly clientId: string
  readonly consent: Consent
  /** False where it is asked for again each time. */
  readonly remembered: boolean
  readonly by: AuditEvent['by']
}

/** What people allow applications. */
export interface Consents {
  find(accountId: string, clientId: string): Promise<Consent | undefined>
  /** Adds to what was allowed before. @throws AppError(expired) where the person or the client has just been deleted */
  remember(accountId: string, clientId: string, consent: Consent): Promise<void>
  /** The same, with what is put on record of it in one commit. @throws AppError(expired) as above */
  give(given: GivenConsent): Promise<void>
  forget(accountId: string, clientId: string): Promise<void>
}

export interface ConsentsNeeds {
  readonly database: Pick<Database<Tables>, 'db'>
  readonly audit: Recorder
  readonly clock: Clock
}

export function createConsents({ database: { db }, audit, clock }: ConsentsNeeds): Consents {
  const { find, remember, expectBoth, forget } = consentStore(db)
  return {
    find,
    forget,
    remember: (accountId, clientId, consent) => remember(accountId, clientId, consent, clock.now()),

    async give({ accountId, clientId, consent, remembered, by }) {
      const { scopes, claims, resources } = consent
      const facts = { scopes, claims, apis: Object.keys(resources) }
      // what fails inside takes back what else the request has stored
      if (remembered) await expectBoth(accountId, clientId)
      await db.transaction().execute(async (transaction) => {
        if (remembered) await remember(accountId, clientId, consent, clock.now(), transaction)
        await audit.record({ type: 'consent.granted', by, accountId, clientId, facts }, transaction)
      })
    },
  }
}

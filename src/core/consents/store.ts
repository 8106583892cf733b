import type { Kysely } from 'kysely'
import { z } from 'zod'
import type { Tables } from '#core/tables.ts'

/** What a person allowed a client, remembered until it is withdrawn. */
export interface Consent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
}

export interface Consents {
  find(accountId: string, clientId: string): Promise<Consent | undefined>
  /** Adds to what was allowed before. */
  remember(accountId: string, clientId: string, consent: Consent, now: number): Promise<void>
  forget(accountId: string, clientId: string): Promise<void>
}

const names = z.array(z.string())

export function consentStore(db: Kysely<Tables>): Consents {
  const find: Consents['find'] = async (accountId, clientId) => {
    const row = await db
      .selectFrom('consents')
      .select(['scopes', 'claims'])
      .where('account_id', '=', accountId)
      .where('client_id', '=', clientId)
      .executeTakeFirst()
    return row && { scopes: names.parse(JSON.parse(row.scopes)), claims: names.parse(JSON.parse(row.claims)) }
  }

  return {
    find,

    async remember(accountId, clientId, consent, now) {
      const before = await find(accountId, clientId)
      const scopes = JSON.stringify(union(before?.scopes, consent.scopes))
      const claims = JSON.stringify(union(before?.claims, consent.claims))
      await db
        .insertInto('consents')
        .values({ account_id: accountId, client_id: clientId, scopes, claims, granted_at: now, updated_at: now })
        .onConflict((conflict) =>
          conflict.columns(['account_id', 'client_id']).doUpdateSet({ scopes, claims, updated_at: now }),
        )
        .execute()
    },

    async forget(accountId, clientId) {
      await db.deleteFrom('consents').where('account_id', '=', accountId).where('client_id', '=', clientId).execute()
    },
  }
}

function union(before: readonly string[] = [], added: readonly string[]): string[] {
  return [...new Set([...before, ...added])].toSorted()
}

import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { ConsentRow, Tables } from '#core/tables.ts'

/** What a person allowed a client, remembered until it is withdrawn. */
export interface Consent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** Scopes at APIs, by the API's identifier; an API may be allowed without any. */
  readonly resources: Readonly<Record<string, readonly string[]>>
}

export interface Consents {
  find(accountId: string, clientId: string): Promise<Consent | undefined>
  /** Adds to what was allowed before. */
  remember(accountId: string, clientId: string, consent: Consent, now: number): Promise<void>
  forget(accountId: string, clientId: string): Promise<void>
}

type Stored = Pick<Selectable<ConsentRow>, 'scopes' | 'claims' | 'resources'>

const names = z.array(z.string())
const namesByApi = z.record(z.string(), names)

export function consentStore(db: Kysely<Tables>): Consents {
  const read = (accountId: string, clientId: string): Promise<Stored | undefined> =>
    db
      .selectFrom('consents')
      .select(['scopes', 'claims', 'resources'])
      .where('account_id', '=', accountId)
      .where('client_id', '=', clientId)
      .executeTakeFirst()

  const insert = async (accountId: string, clientId: string, added: Stored, now: number): Promise<boolean> => {
    const { numInsertedOrUpdatedRows } = await db
      .insertInto('consents')
      .values({ account_id: accountId, client_id: clientId, ...added, granted_at: now, updated_at: now })
      .onConflict((conflict) => conflict.columns(['account_id', 'client_id']).doNothing())
      .executeTakeFirst()
    return numInsertedOrUpdatedRows === 1n
  }

  /** Holds only for the row that was read. */
  const replace = async (accountId: string, clientId: string, before: Stored, after: Stored, now: number) => {
    const { numUpdatedRows } = await db
      .updateTable('consents')
      .set({ ...after, updated_at: now })
      .where('account_id', '=', accountId)
      .where('client_id', '=', clientId)
      .where('scopes', '=', before.scopes)
      .where('claims', '=', before.claims)
      .where('resources', '=', before.resources)
      .executeTakeFirst()
    return numUpdatedRows === 1n
  }

  return {
    async find(accountId, clientId) {
      const row = await read(accountId, clientId)
      return row && parseConsent(row)
    },

    async remember(accountId, clientId, consent, now) {
      // two tabs may add to one row at the same moment: whoever wrote on top of an older row reads and writes again
      for (;;) {
        const before = await read(accountId, clientId)
        const after = stored(before ? union(parseConsent(before), consent) : consent)
        const written = before
          ? await replace(accountId, clientId, before, after, now)
          : await insert(accountId, clientId, after, now)
        if (written) return
      }
    },

    async forget(accountId, clientId) {
      await db.deleteFrom('consents').where('account_id', '=', accountId).where('client_id', '=', clientId).execute()
    },
  }
}

function parseConsent({ scopes, claims, resources }: Stored): Consent {
  return {
    scopes: names.parse(JSON.parse(scopes)),
    claims: names.parse(JSON.parse(claims)),
    resources: namesByApi.parse(JSON.parse(resources)),
  }
}

function stored({ scopes, claims, resources }: Consent): Stored {
  const byApi = Object.entries(resources).toSorted(([one], [other]) => (one < other ? -1 : 1))
  return {
    scopes: JSON.stringify(inOrder(scopes)),
    claims: JSON.stringify(inOrder(claims)),
    resources: JSON.stringify(Object.fromEntries(byApi.map(([api, allowed]) => [api, inOrder(allowed)]))),
  }
}

function inOrder(words: readonly string[]): string[] {
  return [...new Set(words)].toSorted()
}

function union(before: Consent, added: Consent): Consent {
  const apis = Object.keys({ ...before.resources, ...added.resources })
  return {
    scopes: [...before.scopes, ...added.scopes],
    claims: [...before.claims, ...added.claims],
    resources: Object.fromEntries(
      apis.map((api) => [api, [...(before.resources[api] ?? []), ...(added.resources[api] ?? [])]]),
    ),
  }
}

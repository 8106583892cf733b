import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { ConsentRow, Tables } from '#core/tables.ts'
import { prepared } from '#platform/database/prepared.ts'
import { AppError } from '#platform/errors.ts'

/** What a person allowed a client, remembered until it is withdrawn. */
export interface Consent {
  readonly scopes: readonly string[]
  readonly claims: readonly string[]
  /** Scopes at APIs, by the API's identifier; an API may be allowed without any. */
  readonly resources: Readonly<Record<string, readonly string[]>>
}

export interface ConsentStore {
  find(accountId: string, clientId: string): Promise<Consent | undefined>
  /** Adds to what was allowed before. @throws AppError(expired) where the person or the client has just been deleted */
  remember(
    accountId: string,
    clientId: string,
    consent: Consent,
    now: number,
    transaction?: Kysely<Tables>,
  ): Promise<void>
  /** @throws AppError(expired) where the person or the client has just been deleted */
  expectBoth(accountId: string, clientId: string): Promise<void>
  forget(accountId: string, clientId: string): Promise<void>
}

type Stored = Pick<Selectable<ConsentRow>, 'scopes' | 'claims' | 'resources'>
type Replacement = Stored & Record<'accountId' | 'clientId' | `${keyof Stored}Before`, string> & { updated_at: number }

const names = z.array(z.string())
const namesByApi = z.record(z.string(), names)

export function consentStore(db: Kysely<Tables>): ConsentStore {
  const read = prepared(db, ({ accountId, clientId }: { accountId: string; clientId: string }) =>
    db
      .selectFrom('consents')
      .select(['scopes', 'claims', 'resources'])
      .where('account_id', '=', accountId)
      .where('client_id', '=', clientId),
  )

  const insert = prepared(db, (row: Selectable<ConsentRow>) =>
    db
      .insertInto('consents')
      .values(row)
      .onConflict((conflict) => conflict.columns(['account_id', 'client_id']).doNothing()),
  )

  const both = prepared(db, ({ accountId, clientId }: { accountId: string; clientId: string }) =>
    db
      .selectFrom(['accounts', 'clients'])
      .select('accounts.id')
      .where('accounts.id', '=', accountId)
      .where('clients.id', '=', clientId),
  )

  const expectBoth = async (accountId: string, clientId: string, cause?: unknown): Promise<void> => {
    const { rows } = await both({ accountId, clientId })
    if (rows.length === 0) throw goneMeanwhile(cause)
  }

  const insertUnlessGone: typeof insert = (row, transaction) =>
    insert(row, transaction).catch(async (cause: unknown) => {
      await expectBoth(row.account_id, row.client_id, cause)
      throw cause
    })

  /** Holds only for the row that was read. */
  const replace = prepared(
    db,
    ({ accountId, clientId, scopesBefore, claimsBefore, resourcesBefore, ...after }: Replacement) =>
      db
        .updateTable('consents')
        .set(after)
        .where('account_id', '=', accountId)
        .where('client_id', '=', clientId)
        .where('scopes', '=', scopesBefore)
        .where('claims', '=', claimsBefore)
        .where('resources', '=', resourcesBefore),
  )

  return {
    async find(accountId, clientId) {
      const { rows } = await read({ accountId, clientId })
      return rows[0] && parseConsent(rows[0])
    },

    async remember(accountId, clientId, consent, now, transaction) {
      const named = { accountId, clientId }
      // two tabs may add to one row at the same moment: whoever wrote on top of an older row reads and writes again
      for (;;) {
        const [before] = (await read(named, transaction)).rows
        const after = stored(before ? union(parseConsent(before), consent) : consent)
        const { numAffectedRows } = before
          ? await replace(
              {
                ...named,
                ...after,
                updated_at: now,
                scopesBefore: before.scopes,
                claimsBefore: before.claims,
                resourcesBefore: before.resources,
              },
              transaction,
            )
          : await insertUnlessGone(
              { account_id: accountId, client_id: clientId, ...after, granted_at: now, updated_at: now },
              transaction,
            )
        if (numAffectedRows === 1n) return
      }
    },

    expectBoth,

    async forget(accountId, clientId) {
      await db.deleteFrom('consents').where('account_id', '=', accountId).where('client_id', '=', clientId).execute()
    },
  }
}

function goneMeanwhile(cause: unknown): AppError {
  return new AppError('expired', 'The account or the application was deleted in this moment.', {
    hint: 'Go back to the app and sign in again.',
    cause,
  })
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

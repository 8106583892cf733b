/** What the database tells of itself, and of clients what their own store has no use for. */
import { sql } from 'kysely'
import { z } from 'zod'
import { timedIdStart } from '#core/timed-id.ts'
import type { Tables } from '#core/tables.ts'
import type { Database } from '#platform/database/open.ts'

export interface DatabaseFacts {
  readonly kind: 'sqlite' | 'postgres'
  readonly version: string
  readonly isReadOnly: boolean
  /** By its own clock, in epoch seconds. */
  readonly now: number
}

const facts = z.object({ version: z.string(), is_read_only: z.coerce.boolean(), now: z.coerce.number() })

export function doctorStore({ db, kind }: Pick<Database<Tables>, 'db' | 'kind'>) {
  const question =
    kind.name === 'postgres'
      ? sql`select current_setting('server_version') as version,
          case when current_setting('transaction_read_only') = 'on' then 1 else 0 end as is_read_only,
          extract(epoch from clock_timestamp()) as now`
      : sql`select sqlite_version() as version, 0 as is_read_only, unixepoch() as now`
  return {
    async facts(): Promise<DatabaseFacts> {
      const { rows } = await question.execute(db)
      const { version, is_read_only: isReadOnly, now } = facts.parse(rows[0])
      return { kind: kind.name, version, isReadOnly, now }
    },

    /** Of those that are not disabled, the ones whose secret is older than the time. */
    async clientsWithSecretsBefore(time: number): Promise<string[]> {
      const rows = await db
        .selectFrom('clients')
        .select('id')
        .where('sealed_secret', 'is not', null)
        .where('disabled_at', 'is', null)
        .where(({ fn }) => fn.coalesce('secret_rotated_at', 'created_at'), '<', time)
        .orderBy('id')
        .execute()
      return rows.map(({ id }) => id)
    },

    /** Of those that are not disabled and older than the time, the ones that nobody has signed in to since. */
    async clientsUnusedSince(time: number): Promise<string[]> {
      const rows = await db
        .selectFrom('clients')
        .select('id')
        .where('type', '<>', 'service')
        .where('disabled_at', 'is', null)
        .where('created_at', '<', time)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('claim_receipts')
                .select('client_id')
                .whereRef('claim_receipts.client_id', '=', 'clients.id')
                .where('claim_receipts.id', '>=', timedIdStart(time)),
            ),
          ),
        )
        .orderBy('id')
        .execute()
      return rows.map(({ id }) => id)
    },
  }
}

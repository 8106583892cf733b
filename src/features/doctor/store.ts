/** What the database tells of itself, and of clients what their own store has no use for. */
import { sql } from 'kysely'
import { z } from 'zod'
import type { Tables } from '#core/tables.ts'
import { timedIdStart } from '#core/timed-id.ts'
import type { Clock } from '#platform/clock.ts'
import type { Database } from '#platform/database/open.ts'

export interface DatabaseFacts {
  readonly kind: 'sqlite' | 'postgres'
  readonly version: string
  readonly isReadOnly: boolean
  /** How far its own clock is ahead of this machine's; a file has none. */
  readonly secondsAhead: number | undefined
}

/** What changed when, in epoch seconds. */
export interface ClientTimes {
  readonly disabledAt: number | undefined
  /** When the secret was made; undefined for clients without one. */
  readonly secretAt: number | undefined
}

const facts = z.object({ version: z.string(), is_read_only: z.coerce.boolean(), now: z.coerce.number() })

export function doctorStore({ db, kind }: Pick<Database<Tables>, 'db' | 'kind'>, clock: Clock) {
  const isPostgres = kind.name === 'postgres'
  const question = isPostgres
    ? sql`select current_setting('server_version') as version,
        case when current_setting('transaction_read_only') = 'on' then 1 else 0 end as is_read_only,
        extract(epoch from clock_timestamp()) as now`
    : sql`select sqlite_version() as version, 0 as is_read_only, unixepoch() as now`
  return {
    async facts(): Promise<DatabaseFacts> {
      const { rows } = await question.execute(db)
      const { version, is_read_only: isReadOnly, now } = facts.parse(rows[0])
      const secondsAhead = isPostgres ? Math.round(now - clock.now()) : undefined
      return { kind: kind.name, version, isReadOnly, secondsAhead }
    },

    async clientTimes(): Promise<ReadonlyMap<string, ClientTimes>> {
      const rows = await db
        .selectFrom('clients')
        .select(['id', 'sealed_secret', 'secret_rotated_at', 'created_at', 'disabled_at'])
        .execute()
      return new Map(
        rows.map(({ id, sealed_secret: sealed, secret_rotated_at: rotatedAt, created_at: createdAt, disabled_at }) => [
          id,
          { disabledAt: disabled_at ?? undefined, secretAt: sealed === null ? undefined : (rotatedAt ?? createdAt) },
        ]),
      )
    },

    /** Of those that sign people in and are older than the time, the ones that were given no claims since. */
    async clientsUnusedSince(time: number): Promise<ReadonlySet<string>> {
      const rows = await db
        .selectFrom('clients')
        .select('id')
        .where('type', '<>', 'service')
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
        .execute()
      return new Set(rows.map(({ id }) => id))
    },

    /** Did tokens come of one of these since the time? @param grants as the audit writes them: grants or response types */
    async wasGranted(clientId: string, grants: readonly string[], time: number): Promise<boolean> {
      const event = await db
        .selectFrom('audit_events')
        .select('id')
        .where('client_id', '=', clientId)
        .where('id', '>=', timedIdStart(time))
        .where('type', '=', 'token_family.started')
        .where((where) =>
          where.or(grants.map((grant) => where('facts', 'like', `%${JSON.stringify({ grant }).slice(1, -1)}%`))),
        )
        .limit(1)
        .executeTakeFirst()
      return event !== undefined
    },
  }
}

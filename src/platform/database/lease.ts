import type { Kysely } from 'kysely'

export interface LeaseTables {
  leases: { name: string; holder: string; expires_at: number }
}

/**
 * Takes or renews the named lease for `seconds`; false when another holder has it. One conditional write decides,
 * so that of many processes on one database at most one is told true at a time.
 * @param now seconds since the epoch
 */
export async function takeLease(
  db: Kysely<LeaseTables>,
  name: string,
  holder: string,
  now: number,
  seconds: number,
): Promise<boolean> {
  const taken = await db
    .insertInto('leases')
    .values({ name, holder, expires_at: now + seconds })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ holder, expires_at: now + seconds })
        .where((where) => where.or([where('leases.holder', '=', holder), where('leases.expires_at', '<=', now)])),
    )
    .returning('holder')
    .executeTakeFirst()
  return taken !== undefined
}

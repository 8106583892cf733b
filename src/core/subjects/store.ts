/** Secrets that the installation made once and keeps for good, under a name each, sealed. */
import type { Tables } from '#core/tables.ts'
import type { Database } from '#platform/database/open.ts'

export interface InstallationSecretStore {
  find(name: string): Promise<string | undefined>
  /** Keeps the value, whatever becomes of the request, unless there is one under the name already, which stays. */
  insertOnce(name: string, sealedValue: string, now: number): Promise<void>
}

export function installationSecretStore({
  db,
  apart,
}: Pick<Database<Tables>, 'db' | 'apart'>): InstallationSecretStore {
  return {
    async find(name) {
      const row = await db
        .selectFrom('installation_secrets')
        .select('sealed_value')
        .where('name', '=', name)
        .executeTakeFirst()
      return row?.sealed_value
    },

    async insertOnce(name, sealedValue, now) {
      await apart(() =>
        db
          .insertInto('installation_secrets')
          .values({ name, sealed_value: sealedValue, created_at: now })
          .onConflict((conflict) => conflict.column('name').doNothing())
          .execute(),
      )
    },
  }
}

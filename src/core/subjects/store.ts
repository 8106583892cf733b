/** Secrets that the installation made once and keeps for good, under a name each, sealed. */
import type { Kysely } from 'kysely'
import type { Tables } from '#core/tables.ts'

export interface InstallationSecretStore {
  find(name: string): Promise<string | undefined>
  /** Keeps the value unless there is one under the name already, which stays. */
  insertOnce(name: string, sealedValue: string, now: number): Promise<void>
}

export function installationSecretStore(db: Kysely<Tables>): InstallationSecretStore {
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
      await db
        .insertInto('installation_secrets')
        .values({ name, sealed_value: sealedValue, created_at: now })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute()
    },
  }
}

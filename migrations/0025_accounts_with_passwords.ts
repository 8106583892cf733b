import { sql, type Kysely } from 'kysely'

/** People who have a password, by id: one of them is looked for at each sign-in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createIndex('accounts_with_passwords')
    .on('accounts')
    .column('id')
    .where(sql.ref('password_hash'), 'is not', null)
    .execute()
}

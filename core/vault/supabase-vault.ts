import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import type { Database } from '../db/schema.ts'
import { checkPlaintext, noSuchSecret, removeRow, secretId } from './place.ts'
import type { SecretId, SecretPlace, Vault } from './port.ts'

type Trx = Transaction<Database>

/**
 * The vault of a Supabase project: its extension keeps and encrypts the secret, our row says whose it is. Row level
 * security on our row decides who may ask; only then, for the length of one statement, the transaction acts as the login
 * itself, because `vault` has no rules about users and the role of requests must not reach it.
 *
 * A row that goes, also with its owner's account, takes its secret along by a trigger.
 */
export function supabaseVault(): Vault {
  return {
    async put(trx, place, plaintext) {
      const id = secretId(randomUUID())
      checkPlaintext(plaintext)
      // Names are unique in Supabase Vault; ours is a random id, and says where the secret belongs.
      const external = await asLogin(trx, async () => {
        const { rows } =
          await sql`select vault.create_secret(${plaintext}, ${`cliptape:${id}`}, ${place.purpose}) as id`.execute(trx)
        return z.tuple([z.object({ id: z.uuid() })]).parse(rows)[0].id
      })
      await trx
        .insertInto('vault_secrets')
        .values({ id, owner_id: place.ownerId, purpose: place.purpose, external_id: external })
        .execute()
      return id
    },
    async read(trx, place, id) {
      const external = await externalOf(trx, place, id)
      const rows = await asLogin(trx, async () => {
        const found =
          await sql`select decrypted_secret as secret from vault.decrypted_secrets where id = ${external}`.execute(trx)
        return z.array(z.object({ secret: z.string() })).parse(found.rows)
      })
      const [row] = rows
      if (!row) throw noSuchSecret()
      return row.secret
    },
    async replace(trx, place, id, plaintext) {
      checkPlaintext(plaintext)
      const external = await externalOf(trx, place, id)
      await asLogin(trx, async () => {
        await sql`select vault.update_secret(${external}, ${plaintext})`.execute(trx)
      })
      await trx.updateTable('vault_secrets').set({ updated_at: sql<Date>`now()` }).where('id', '=', id).execute()
    },
    remove: removeRow,
  }
}

async function externalOf(trx: Trx, place: SecretPlace, id: SecretId): Promise<string> {
  const row = await trx
    .selectFrom('vault_secrets')
    .select('external_id')
    .where('id', '=', id)
    .where('purpose', '=', place.purpose)
    .where('owner_id', 'is not distinct from', place.ownerId)
    .limit(1)
    .executeTakeFirst()
  if (!row) throw noSuchSecret()
  if (row.external_id !== null) return row.external_id
  throw new AppError('NOT_CONFIGURED', 'This secret is kept in our own vault: set VAULT_STORE to own to read it.')
}

/** Steps back to the login for `work`, then takes the role of before again. After a failure the transaction is over anyway. */
async function asLogin<T>(trx: Trx, work: () => Promise<T>): Promise<T> {
  const { rows } = await sql`select current_setting('role') as role, set_config('role', 'none', true)`.execute(trx)
  const [before] = z.tuple([z.object({ role: z.string() })]).parse(rows)
  const result = await work()
  await sql`select set_config('role', ${before.role}, true)`.execute(trx)
  return result
}

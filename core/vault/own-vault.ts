import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { AppError } from '../../contracts/errors.ts'
import type { Db } from '../db/port.ts'
import type { Database } from '../db/schema.ts'
import type { MasterKey, MasterKeys } from './master-key.ts'
import { checkPlaintext, noSuchSecret, removeRow, secretId } from './place.ts'
import type { SecretId, SecretPlace, Vault } from './port.ts'
import { type Binding, type SealedSecret, seal, unseal } from './seal.ts'

type Trx = Transaction<Database>

/** Any number that only the vault uses: writers share it, whoever changes the sealing key holds it alone. */
const sealingLock = 4_400_003

/**
 * The vault in our own tables. New secrets are sealed with the key that `vault_sealing_key` names, not with whichever a
 * process holds as its newest: while a new key reaches one node after the other, all of them go on sealing with the
 * old one, which all of them can read.
 */
export function ownVault(keys: MasterKeys): Vault {
  return {
    async put(trx, place, plaintext) {
      checkPlaintext(plaintext)
      const id = secretId(randomUUID())
      const sealed = seal(await sealingKey(trx, keys), bindingOf(place, id), plaintext)
      await trx
        .insertInto('vault_secrets')
        .values({ id, owner_id: place.ownerId, purpose: place.purpose, ...toRow(sealed) })
        .execute()
      return id
    },
    async read(trx, place, id) {
      const row = await inPlace(trx, place, id)
        .select(['key_id', 'wrapped_key', 'ciphertext'])
        .limit(1)
        .executeTakeFirst()
      if (!row) throw noSuchSecret()
      const sealed = fromRow(row)
      const key = keys.byId(sealed.keyId)
      if (!key) throw missingKey(sealed.keyId)
      try {
        return unseal(key, bindingOf(place, id), sealed)
      } catch (cause) {
        throw new AppError('INTERNAL', 'A secret in the vault does not open: its row was changed outside Cliptape.', {
          cause,
        })
      }
    },
    async replace(trx, place, id, plaintext) {
      checkPlaintext(plaintext)
      const sealed = seal(await sealingKey(trx, keys), bindingOf(place, id), plaintext)
      const { numUpdatedRows } = await trx
        .updateTable('vault_secrets')
        .set({ ...toRow(sealed), updated_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where('purpose', '=', place.purpose)
        .where('owner_id', 'is not distinct from', place.ownerId)
        .where('external_id', 'is', null)
        .executeTakeFirst()
      if (numUpdatedRows === 0n) throw noSuchSecret()
    },
    remove: removeRow,
  }
}

/**
 * Names the key that everybody seals with, when nobody has yet.
 * @param options.isSole nobody else has this store: when its sealing key is gone (a backup came back into a new home), ours
 *   takes its place. Otherwise that needs `vault rotate`.
 * @returns the id of the sealing key, and whether this process has it
 */
export async function prepareSealing(
  db: Db,
  keys: MasterKeys,
  options: { isSole: boolean },
): Promise<{ keyId: string; isHere: boolean }> {
  return await db.transaction(async trx => {
    await trx
      .insertInto('vault_sealing_key')
      .values({ key_id: keys.newest.id })
      .onConflict(conflict => conflict.doNothing())
      .execute()
    const { key_id: keyId } = await trx
      .selectFrom('vault_sealing_key')
      .select('key_id')
      .limit(1)
      .executeTakeFirstOrThrow()
    if (keys.byId(keyId)) return { keyId, isHere: true }
    if (!options.isSole) return { keyId, isHere: false }
    await nameSealingKey(trx, keys.newest)
    return { keyId: keys.newest.id, isHere: true }
  })
}

/** From the commit on everybody seals with `key`; waits for all who are sealing with the one before. */
export async function nameSealingKey(trx: Trx, key: MasterKey): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sealingLock})`.execute(trx)
  await trx
    .insertInto('vault_sealing_key')
    .values({ key_id: key.id })
    .onConflict(conflict => conflict.column('is_only').doUpdateSet({ key_id: key.id }))
    .execute()
}

/** @throws AppError NOT_CONFIGURED when this process lacks the key or nobody has named one */
async function sealingKey(trx: Trx, keys: MasterKeys): Promise<MasterKey> {
  await sql`select pg_advisory_xact_lock_shared(${sealingLock})`.execute(trx)
  const row = await trx.selectFrom('vault_sealing_key').select('key_id').limit(1).executeTakeFirst()
  // A store that nobody prepared has no other nodes to agree with.
  if (!row) return keys.newest
  const key = keys.byId(row.key_id)
  if (!key) throw missingKey(row.key_id)
  return key
}

/** The rows of a place alone, whatever the caller may see besides. */
function inPlace(trx: Trx, place: SecretPlace, id: SecretId) {
  return trx
    .selectFrom('vault_secrets')
    .where('id', '=', id)
    .where('purpose', '=', place.purpose)
    .where('owner_id', 'is not distinct from', place.ownerId)
}

function bindingOf(place: SecretPlace, id: SecretId): Binding {
  return { id, ownerId: place.ownerId, purpose: place.purpose }
}

function missingKey(keyId: string): AppError {
  return new AppError(
    'NOT_CONFIGURED',
    `The vault is sealed with the key ${keyId}, which this process does not have: put that key into VAULT_KEY_PREVIOUS.`,
    { details: { keyId } },
  )
}

function toRow(sealed: SealedSecret) {
  return { key_id: sealed.keyId, wrapped_key: sealed.wrappedKey, ciphertext: sealed.ciphertext }
}

function fromRow(row: { key_id: string | null; wrapped_key: Buffer | null; ciphertext: Buffer | null }): SealedSecret {
  if (row.key_id !== null && row.wrapped_key !== null && row.ciphertext !== null)
    return { keyId: row.key_id, wrappedKey: row.wrapped_key, ciphertext: row.ciphertext }
  throw new AppError('NOT_CONFIGURED', 'This secret is kept in Supabase Vault: set VAULT_STORE to supabase to read it.')
}

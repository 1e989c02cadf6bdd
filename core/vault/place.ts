import type { Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import type { Database } from '../db/schema.ts'
import type { SecretId, SecretPlace } from './port.ts'

/** The longest secret, in bytes of UTF-8. */
const plaintextBytesMax = 64 * 1024

const SecretIdSchema = z.uuid().transform(text => text as SecretId)

/** The reference to a secret, of what a table holds. @throws ZodError when it is no uuid */
export function secretId(text: string): SecretId {
  return SecretIdSchema.parse(text)
}

/** @throws AppError PAYLOAD_TOO_LARGE */
export function checkPlaintext(plaintext: string): void {
  if (Buffer.byteLength(plaintext) <= plaintextBytesMax) return
  throw new AppError('PAYLOAD_TOO_LARGE', 'A secret may be at most 64 KiB long.')
}

/** The row of a secret goes, whoever keeps what it stands for. */
export async function removeRow(trx: Transaction<Database>, place: SecretPlace, id: SecretId): Promise<void> {
  await trx
    .deleteFrom('vault_secrets')
    .where('id', '=', id)
    .where('purpose', '=', place.purpose)
    .where('owner_id', 'is not distinct from', place.ownerId)
    .execute()
}

/** The one answer for a secret that is not there, is another's, or is for something else. */
export function noSuchSecret(): AppError {
  return new AppError('NOT_FOUND', 'There is no such secret in the vault.')
}

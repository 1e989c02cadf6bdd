import type { Transaction } from 'kysely'
import type { UserId } from '../../contracts/ids.ts'
import type { Database } from '../db/schema.ts'

/** A reference to a secret: all that tables, jobs and logs ever hold of it. */
export type SecretId = string & { readonly __brand: 'SecretId' }

/** Whose secret it is, and what for. Both are bound to the ciphertext: it opens nowhere else. */
export interface SecretPlace {
  /** Null: the installation's own. Then `trx` must be one of our own bookkeeping, not a user's. */
  readonly ownerId: UserId | null
  /** e.g. `webhook_secret`, `youtube_refresh_token`: lower case, `_`. */
  readonly purpose: string
}

/**
 * Where secrets that users give or platforms issue are kept, sealed. Everything happens in the caller's transaction, under
 * its row level security; plaintext exists in the call that needs it and nowhere else.
 */
export interface Vault {
  /** @param plaintext at most 64 KiB */
  put(trx: Transaction<Database>, place: SecretPlace, plaintext: string): Promise<SecretId>
  /** @throws AppError NOT_FOUND for another owner's, another purpose's or a removed one */
  read(trx: Transaction<Database>, place: SecretPlace, id: SecretId): Promise<string>
  /** Same id, new plaintext. @throws AppError NOT_FOUND as `read` */
  replace(trx: Transaction<Database>, place: SecretPlace, id: SecretId, plaintext: string): Promise<void>
  /** Removing what is gone already is no error. */
  remove(trx: Transaction<Database>, place: SecretPlace, id: SecretId): Promise<void>
}

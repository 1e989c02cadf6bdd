import type { Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { SecretPlace, Vault } from '../../../core/vault/port.ts'
import { credentialKinds, type DeveloperCredentials } from '../../../platforms/port.ts'

const StoredSchema = z.strictObject({
  kind: z.enum(credentialKinds),
  clientId: z.string(),
  clientSecret: z.string(),
  apiKey: z.string().nullable(),
})

/** Where the vault keeps a user's developer credentials. */
export function credentialsOf(ownerId: UserId): SecretPlace {
  return { ownerId, purpose: 'developer_credentials' }
}

/** What the vault keeps of them. */
export function writeCredentials(credentials: DeveloperCredentials): string {
  return JSON.stringify(StoredSchema.parse(credentials))
}

/** @throws AppError NOT_FOUND when they were removed */
export async function readCredentials(
  vault: Vault,
  trx: Transaction<Database>,
  o: { ownerId: UserId; vaultId: string },
): Promise<DeveloperCredentials> {
  const parsed = StoredSchema.safeParse(
    JSON.parse(await vault.read(trx, credentialsOf(o.ownerId), secretId(o.vaultId))),
  )
  if (parsed.success) return parsed.data
  // Its values must be in no message, and so not in a cause either.
  throw new AppError('INTERNAL', 'Developer credentials in the vault have a form that is not known: save them again.')
}

/** The API key among a user's credentials; null when they were removed, or are of another kind. */
export async function readApiKey(
  { db, vault }: { readonly db: Db; readonly vault: Vault },
  ownerId: UserId,
  vaultId: string,
): Promise<string | null> {
  try {
    const { apiKey } = await db.asUser(ownerId, trx => readCredentials(vault, trx, { ownerId, vaultId }))
    return apiKey
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND') return null
    throw error
  }
}

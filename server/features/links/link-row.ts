import { createHash, randomBytes } from 'node:crypto'
import type { Selectable, Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { LinkState } from '../../../contracts/platform-accounts.ts'
import type { Database } from '../../../core/db/schema.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { SecretId, SecretPlace, Vault } from '../../../core/vault/port.ts'

export type LinkRow = Selectable<Database['account_links']>

/** What a link keeps to itself until the platform answers. */
export interface LinkSecret {
  readonly state: string
  /** Of PKCE. */
  readonly codeVerifier: string
  /** What is asked for. */
  readonly scopes: readonly string[]
}

const SecretSchema = z.strictObject({ state: z.string(), codeVerifier: z.string(), scopes: z.array(z.string()) })

function linkPlace(ownerId: UserId): SecretPlace {
  return { ownerId, purpose: 'account_link' }
}

/** 256 random bits, as text that fits into an address: 43 characters, as PKCE wants them. */
export function randomText(): string {
  return randomBytes(32).toString('base64url')
}

/** What opens a page once: 128 random bits in 22 characters, so that an address with it fits into a small QR code. */
export function randomTicket(): string {
  return randomBytes(16).toString('base64url')
}

/** How a state or ticket is kept: it is random, so a slow hash would add nothing. */
export function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

export async function putLinkSecret(
  vault: Vault,
  trx: Transaction<Database>,
  userId: UserId,
  secret: LinkSecret,
): Promise<SecretId> {
  return await vault.put(trx, linkPlace(userId), JSON.stringify(secret))
}

/** @throws AppError BAD_REQUEST when it is gone: the link was used */
export async function readLinkSecret(
  vault: Vault,
  trx: Transaction<Database>,
  o: { userId: UserId; vaultId: string | null },
): Promise<LinkSecret> {
  if (o.vaultId === null) throw linkRefused()
  return SecretSchema.parse(JSON.parse(await vault.read(trx, linkPlace(o.userId), secretId(o.vaultId))))
}

/** Forgets what links kept to themselves. */
export async function removeLinkSecrets(
  vault: Vault,
  trx: Transaction<Database>,
  userId: UserId,
  links: readonly Pick<LinkRow, 'secret_vault_id'>[],
): Promise<void> {
  for (const { secret_vault_id: id } of links) {
    if (id !== null) await vault.remove(trx, linkPlace(userId), secretId(id))
  }
}

/** The link as the API shows it. One that nobody came back to in time has failed. */
export function linkStateOf(row: LinkRow, nowMs: number): LinkState {
  const isOpen = row.status === 'waiting' || row.status === 'exchanging'
  const isLate = isOpen && row.expires_at.getTime() <= nowMs
  return {
    linkId: row.id,
    platform: row.platform,
    status: isLate ? 'failed' : row.status,
    reason: isLate ? 'Nobody came back from the platform within ten minutes: link the account again.' : row.reason,
    accountId: row.account_id,
    expiresAt: row.expires_at.toISOString(),
  }
}

/** The one answer for a state or ticket that is not there, was used, is too old, or is another's. */
export function linkRefused(): AppError {
  return new AppError(
    'BAD_REQUEST',
    'This page belongs to no link that is under way: it was used, or is older than ten minutes. Link the account again from Cliptape.',
  )
}

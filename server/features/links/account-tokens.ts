import type { Transaction } from 'kysely'
import type { Platform, UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { SecretId, SecretPlace, Vault } from '../../../core/vault/port.ts'
import type { TokenSet } from '../../../platforms/port.ts'

/** Whose tokens, and which secrets hold them; null where there is none yet. */
export interface TokenPlaces {
  readonly userId: UserId
  readonly platform: Platform
  readonly accessId: string | null
  readonly refreshId: string | null
}

export type TokenName = 'access_token' | 'refresh_token'

/** Where the vault keeps a token of a linked account. */
export function tokenPlace(
  { userId, platform }: Pick<TokenPlaces, 'userId' | 'platform'>,
  name: TokenName,
): SecretPlace {
  return { ownerId: userId, purpose: `${platform}_${name}` }
}

/**
 * Keeps a set of tokens. One that the platform did not give leaves the stored one as it is: an empty refresh token would end
 * the link.
 * @returns what a row of platform_accounts says of them
 */
export async function storeTokens(
  vault: Vault,
  trx: Transaction<Database>,
  places: TokenPlaces,
  o: { tokens: TokenSet; nowMs: number },
) {
  const { tokens } = o
  const put = async (name: TokenName, known: string | null, token: string): Promise<SecretId> => {
    const place = tokenPlace(places, name)
    if (known === null) return await vault.put(trx, place, token)
    await vault.replace(trx, place, secretId(known), token)
    return secretId(known)
  }
  return {
    access_token_vault_id: await put('access_token', places.accessId, tokens.accessToken),
    ...(tokens.refreshToken
      ? { refresh_token_vault_id: await put('refresh_token', places.refreshId, tokens.refreshToken) }
      : {}),
    ...(tokens.scopes === null ? {} : { scopes: [...tokens.scopes] }),
    token_issued_at: new Date(o.nowMs),
    token_expires_at: tokens.expiresAtMs === null ? null : new Date(tokens.expiresAtMs),
    ...(tokens.refreshExpiresAtMs === null ? {} : { refresh_expires_at: new Date(tokens.refreshExpiresAtMs) }),
  }
}

/** Forgets the tokens of an account. */
export async function removeTokens(vault: Vault, trx: Transaction<Database>, places: TokenPlaces): Promise<void> {
  if (places.accessId !== null) await vault.remove(trx, tokenPlace(places, 'access_token'), secretId(places.accessId))
  if (places.refreshId !== null)
    await vault.remove(trx, tokenPlace(places, 'refresh_token'), secretId(places.refreshId))
}

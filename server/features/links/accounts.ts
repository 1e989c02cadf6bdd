import { type Selectable, sql, type Transaction } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import type { Platform, UserId } from '../../../contracts/ids.ts'
import {
  accountsMax,
  type PlatformAccount,
  PlatformAccountSchema,
  type Unlinked,
} from '../../../contracts/platform-accounts.ts'
import type { Database } from '../../../core/db/schema.ts'
import { secretId } from '../../../core/vault/place.ts'
import {
  type AccountReading,
  type CredentialKind,
  credentialKinds,
  type DeveloperCredentials,
  PlatformError,
  type StoredTokens,
  type TokenSet,
} from '../../../platforms/port.ts'
import type { PlatformRegistry } from '../../../platforms/registry.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { numbersUntil, tellNumbersEnded } from '../account/ended-numbers.ts'
import { recordAudit } from '../audit/record.ts'
import { readCredentials } from '../credentials/stored.ts'
import { accountTransitions, statusesBefore } from '../credentials/transitions.ts'
import { removeTokens, storeTokens, type TokenName, tokenPlace } from './account-tokens.ts'

type Trx = Transaction<Database>
export type AccountRow = Selectable<Database['platform_accounts']>
export type AccountDeps = Pick<ServerDeps, 'db' | 'vault' | 'clock' | 'log' | 'platforms'>

/** A user's linked accounts, and those that were; the newest first. */
export async function listAccounts(deps: AccountDeps, caller: Caller): Promise<PlatformAccount[]> {
  const userId = ownerOf(caller)
  const rows = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('platform_accounts')
      .selectAll()
      .where('user_id', '=', userId)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(accountsMax)
      .execute(),
  )
  return rows.map(row => accountOf(row, deps.platforms))
}

/**
 * Keeps an account that was linked, in the caller's transaction: a new one, or the one with the same identity, whose
 * tokens are then these.
 * @throws AppError CONFLICT when the user has the most that one may have
 */
export async function storeAccount(
  deps: Pick<AccountDeps, 'vault' | 'clock'>,
  trx: Trx,
  o: {
    userId: UserId
    kind: CredentialKind
    /** What was asked for: it is what was granted where the platform does not say. */
    asked: readonly string[]
    credentialsVaultId: string
    account: AccountReading
    tokens: TokenSet
  },
): Promise<AccountRow> {
  const { userId, account } = o
  const { platform } = account
  await sql`select pg_advisory_xact_lock(hashtextextended(${`platform_accounts:${userId}`}, 0))`.execute(trx)
  const known = await trx
    .selectFrom('platform_accounts')
    .selectAll()
    .where('user_id', '=', userId)
    .where('platform_name', '=', platform)
    .where('platform_account_id', '=', account.creatorId)
    .forUpdate()
    .executeTakeFirst()
  if (!known) await assertRoom(trx, userId)
  const nowMs = deps.clock.nowMs()
  const now = new Date(nowMs)
  // A refresh token of another app opens nothing here.
  const isSameApp = known?.developer_credentials_vault_id === o.credentialsVaultId
  const refreshId = known?.refresh_token_vault_id ?? null
  if (!isSameApp) await removeTokens(deps.vault, trx, { userId, platform, accessId: null, refreshId })
  const places = {
    userId,
    platform,
    accessId: known?.access_token_vault_id ?? null,
    refreshId: isSameApp ? refreshId : null,
  }
  const values = {
    ...(isSameApp ? {} : { refresh_token_vault_id: null, refresh_expires_at: null }),
    ...(await storeTokens(deps.vault, trx, places, { tokens: o.tokens, nowMs })),
    display_name: asText(account.name, 500),
    handle: asText(account.handle, 200),
    avatar_url: asText(account.avatarUrl, 2000),
    credentials_kind: o.kind,
    developer_credentials_vault_id: o.credentialsVaultId,
    status: 'connected' as const,
    reason: null,
    refresh_lease_id: null,
    refresh_lease_until: null,
    refresh_not_before: null,
    last_validated_at: now,
    numbers_until: null,
    updated_at: now,
  }
  if (known)
    return await trx
      .updateTable('platform_accounts')
      .set(eb => ({
        ...values,
        scopes: [...(o.tokens.scopes ?? o.asked)],
        token_version: eb('token_version', '+', 1),
      }))
      .where('id', '=', known.id)
      .where('status', 'in', statusesBefore(accountTransitions, 'connected'))
      .returningAll()
      .executeTakeFirstOrThrow()
  return await trx
    .insertInto('platform_accounts')
    .values({
      refresh_token_vault_id: null,
      refresh_expires_at: null,
      ...values,
      scopes: [...(o.tokens.scopes ?? o.asked)],
      user_id: userId,
      platform_name: platform,
      platform_account_id: account.creatorId,
      created_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow()
}

/**
 * Ends a link: at the platform as far as that is possible and no other account needs the grant, and here in any case. Tokens
 * are gone afterwards, and so is what the platform says of the account; its id stays, so that it is known when it is linked
 * again. What was read of it goes at once.
 * @throws AppError NOT_FOUND
 */
export async function unlinkAccount(
  deps: AccountDeps & Pick<ServerDeps, 'bus'>,
  caller: Caller,
  which: { platform: Platform; accountId: string },
): Promise<Unlinked> {
  const userId = ownerOf(caller)
  const held = await deps.db.asUser(userId, async trx => {
    const row = await trx
      .selectFrom('platform_accounts')
      .selectAll()
      .where('id', '=', which.accountId)
      .where('user_id', '=', userId)
      .where('platform_name', '=', which.platform)
      .executeTakeFirst()
    if (!row) throw noSuchAccount()
    const mayRevoke = row.access_token_vault_id !== null && !(await isGrantOfOthers(trx, row))
    return mayRevoke ? await whatRevokes(deps, trx, userId, row) : null
  })
  const revokedAtPlatform = held !== null && (await revoke(deps, held))
  await deps.db.asUser(userId, async trx => {
    const row = await trx
      .selectFrom('platform_accounts')
      .selectAll()
      .where('id', '=', which.accountId)
      .where('user_id', '=', userId)
      .forUpdate()
      .executeTakeFirst()
    if (!row) throw noSuchAccount()
    if (row.status === 'disconnected') return
    await trx
      .updateTable('platform_accounts')
      .set({
        status: 'disconnected',
        reason: 'You unlinked this account.',
        display_name: '',
        handle: '',
        avatar_url: '',
        access_token_vault_id: null,
        refresh_token_vault_id: null,
        token_expires_at: null,
        refresh_expires_at: null,
        refresh_lease_id: null,
        refresh_lease_until: null,
        numbers_until: numbersUntil(deps.clock.nowMs(), { isRevoked: true }),
        updated_at: new Date(deps.clock.nowMs()),
      })
      .where('id', '=', row.id)
      .where('status', 'in', statusesBefore(accountTransitions, 'disconnected'))
      .execute()
    await removeTokens(deps.vault, trx, {
      userId,
      platform: row.platform_name,
      accessId: row.access_token_vault_id,
      refreshId: row.refresh_token_vault_id,
    })
    await recordAudit(trx, userId, caller, {
      action: 'platform.unlinked',
      target: `account:${row.id}`,
      details: { platform: row.platform_name, platformAccountId: row.platform_account_id, revokedAtPlatform },
    })
  })
  await tellNumbersEnded(deps, userId)
  return { status: 'disconnected', revokedAtPlatform }
}

/** With Facebook Login one grant may speak for several accounts: revoking it would end them all. */
async function isGrantOfOthers(trx: Trx, row: AccountRow): Promise<boolean> {
  if (row.credentials_kind !== 'facebook_login') return false
  const other = await trx
    .selectFrom('platform_accounts')
    .select('id')
    .where('developer_credentials_vault_id', '=', row.developer_credentials_vault_id)
    .where('status', '=', 'connected')
    .where('id', '!=', row.id)
    .executeTakeFirst()
  return other !== undefined
}

/**
 * Takes what revokes a user's links out of the stores, for after they are gone from there.
 * @returns revokes at the platforms, as far as that is possible; never rejects for what a platform does
 */
export async function takeRevocations(deps: AccountDeps, userId: UserId): Promise<() => Promise<void>> {
  const held = await deps.db.asUser(userId, async trx => {
    const rows = await trx
      .selectFrom('platform_accounts')
      .selectAll()
      .where('user_id', '=', userId)
      .where('status', '=', 'connected')
      .limit(accountsMax)
      .execute()
    const found: Revocable[] = []
    for (const row of rows) {
      const one = await whatRevokes(deps, trx, userId, row)
      if (one !== null) found.push(one)
    }
    return found
  })
  return async () => {
    for (const one of held) await revoke(deps, one)
  }
}

/** The account as the API shows it. */
export function accountOf(row: AccountRow, platforms: PlatformRegistry): PlatformAccount {
  const kind = credentialKinds.find(name => name === row.credentials_kind)
  const asked = kind ? platforms.auth(kind).scopesOf(kind) : []
  return PlatformAccountSchema.parse({
    id: row.id,
    platform: row.platform_name,
    platformAccountId: row.platform_account_id,
    name: row.display_name,
    handle: row.handle,
    avatarUrl: row.avatar_url,
    kind: row.credentials_kind,
    status: row.status,
    reason: row.reason,
    scopes: row.scopes,
    missingScopes: asked.filter(scope => !row.scopes.includes(scope)),
    lastValidatedAt: row.last_validated_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  })
}

/** The one answer for an account that is not there or another user's. */
export function noSuchAccount(): AppError {
  return new AppError('NOT_FOUND', 'You have no such account: GET /api/accounts lists yours.')
}

/** What the store can hold of a platform's text. */
function asText(text: string, lengthMax: number): string {
  return text.replaceAll('\0', '').slice(0, lengthMax).toWellFormed()
}

async function assertRoom(trx: Trx, userId: UserId): Promise<void> {
  const { count } = await trx
    .selectFrom('platform_accounts')
    .select(eb => eb.fn.countAll<string>().as('count'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
  if (Number(count) < accountsMax) return
  throw new AppError('CONFLICT', `You have linked ${accountsMax} accounts, the most there may be.`)
}

interface Revocable {
  readonly kind: CredentialKind
  readonly credentials: DeveloperCredentials
  readonly tokens: StoredTokens
}

/** Null where something that the platform would want is not there any more, or does not open. */
async function whatRevokes(deps: AccountDeps, trx: Trx, userId: UserId, row: AccountRow): Promise<Revocable | null> {
  const { developer_credentials_vault_id: vaultId, access_token_vault_id: accessId } = row
  const kind = credentialKinds.find(name => name === row.credentials_kind)
  if (kind === undefined || vaultId === null || accessId === null) return null
  const read = (name: TokenName, id: string) =>
    deps.vault.read(trx, tokenPlace({ userId, platform: row.platform_name }, name), secretId(id))
  try {
    return {
      kind,
      credentials: await readCredentials(deps.vault, trx, { ownerId: userId, vaultId }),
      tokens: {
        accessToken: await read('access_token', accessId),
        refreshToken:
          row.refresh_token_vault_id === null ? null : await read('refresh_token', row.refresh_token_vault_id),
        issuedAtMs: row.token_issued_at.getTime(),
      },
    }
  } catch (err) {
    if (!(err instanceof AppError)) throw err
    deps.log.warn({ err, accountId: row.id }, 'An account is unlinked here alone: its tokens do not open.')
    return null
  }
}

async function revoke({ platforms, log }: AccountDeps, held: Revocable): Promise<boolean> {
  try {
    await platforms.auth(held.kind).revoke(held.credentials, held.tokens)
    return true
  } catch (err) {
    if (!(err instanceof PlatformError || err instanceof AppError)) throw err
    log.warn({ err, kind: held.kind }, 'The platform did not take a revocation: the user ends it there.')
    return false
  }
}

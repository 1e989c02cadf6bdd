/**
 * Access tokens for work on linked accounts, kept alive.
 *
 * Problem: TikTok's refresh tokens are good once. Two refreshes at a time kill the link, and so does one whose answer is
 * lost before it is stored. And most failures are not the end of a link: a platform that is down says nothing of a token
 * that is still good.
 *
 * So one refresh of an account happens at a time, in all processes together: a lease on the account's row says whose. Who
 * has it reads the row again (somebody may have been faster), asks the platform outside any transaction, and stores what
 * came before anybody uses it. Who does not have it goes on with the token that is there while it is good, else waits for
 * the row to change. A lease outlives its holder by a minute at most; what it wrote after that is refused.
 *
 * Tokens are refreshed shortly before they end or when the platform refuses one, and never by the hour: each refresh of a
 * rotating token is a risk. Those that prolong themselves (Instagram) are prolonged in their last ten days, tried daily.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Selectable } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Log } from '../../../core/log.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { Vault } from '../../../core/vault/port.ts'
import {
  type CredentialKind,
  credentialKinds,
  type DeveloperCredentials,
  PlatformError,
  type StoredTokens,
} from '../../../platforms/port.ts'
import type { PlatformRegistry } from '../../../platforms/registry.ts'
import { numbersUntil, tellNumbersEnded } from '../account/ended-numbers.ts'
import { recordAudit } from '../audit/record.ts'
import { readCredentials } from '../credentials/stored.ts'
import { accountTransitions, credentialTransitions, statusesBefore } from '../credentials/transitions.ts'
import { storeTokens, type TokenName, tokenPlace } from './account-tokens.ts'

type AccountRow = Selectable<Database['platform_accounts']>

export interface TokenDeps {
  readonly db: Db
  readonly vault: Vault
  readonly platforms: PlatformRegistry
  readonly bus: Pick<Bus, 'publish'>
  readonly clock: Clock
  readonly log: Log
}

/** Longer than a refresh can take. */
const leaseMs = 60_000
/** How often somebody looks who waits for another's refresh. */
const lookMs = 100
/** Pauses between them double: 12 s in all. */
const storeAttemptsMax = 7
const dayMs = 86_400_000
/** How long before its end a token is refreshed, and how long nobody tries again after a failure that may pass. */
const margins = {
  short: { beforeEndMs: 10 * 60_000, pauseMs: 60_000 },
  prolonged: { beforeEndMs: 10 * dayMs, pauseMs: dayMs },
} as const

/** What an account's row and secrets say at one moment. */
interface Held {
  readonly row: AccountRow
  readonly userId: UserId
  readonly kind: CredentialKind
  readonly tokens: StoredTokens
}

/**
 * Runs `work` with an access token of an account. A token that is about to end is refreshed before; one that the platform
 * refuses is refreshed and `work` runs once more.
 *
 * @throws PlatformError grant when the account must be linked again, which its row then says; else as `work`
 * @throws AppError NOT_FOUND when there is no such account
 */
export async function withAccessToken<T>(
  deps: TokenDeps,
  accountId: string,
  work: (accessToken: string) => Promise<T>,
): Promise<T> {
  const held = await beforeWork(deps, await hold(deps, accountId))
  try {
    return await work(held.tokens.accessToken)
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error
    if (error.class === 'grant') await endGrant(deps, held, error)
    if (error.class !== 'token') throw error
  }
  const fresh = await refresh(deps, held)
  try {
    return await work(fresh.tokens.accessToken)
  } catch (error) {
    if (!(error instanceof PlatformError && ['token', 'grant'].includes(error.class))) throw error
    // A token of a moment ago that is refused: the grant is gone.
    await endGrant(deps, fresh, error)
    throw asGrant(error)
  }
}

/** The token as it is, or a fresh one when it is about to end. One that is still good outlives a failure to refresh it. */
async function beforeWork(deps: TokenDeps, held: Held): Promise<Held> {
  const { row } = held
  const nowMs = deps.clock.nowMs()
  const endsMs = row.token_expires_at?.getTime() ?? Number.POSITIVE_INFINITY
  if (endsMs - nowMs > marginOf(row).beforeEndMs) return held
  const isGood = endsMs > nowMs
  const isPaused = row.refresh_not_before !== null && row.refresh_not_before.getTime() > nowMs
  const isUnderWay = row.refresh_lease_until !== null && row.refresh_lease_until.getTime() > nowMs
  if (isGood && (isPaused || isUnderWay || !mayRefresh(held, nowMs))) return held
  try {
    return await refresh(deps, held)
  } catch (error) {
    const isDead = error instanceof PlatformError && error.class === 'grant'
    if (isDead || !isGood || !(error instanceof PlatformError || error instanceof AppError)) throw error
    deps.log.warn(
      { err: error, accountId: row.id },
      'A token could not be refreshed: the one that is there is still good.',
    )
    return held
  }
}

/** Without a refresh token only those that prolong themselves have a way, and not on their first day. */
function mayRefresh({ row, tokens }: Held, nowMs: number): boolean {
  if (!isProlonged(row)) return tokens.refreshToken !== null
  return nowMs - tokens.issuedAtMs > dayMs
}

function isProlonged(row: AccountRow): boolean {
  return row.platform_name === 'instagram'
}

function marginOf(row: AccountRow): (typeof margins)['short' | 'prolonged'] {
  return isProlonged(row) ? margins.prolonged : margins.short
}

/** Another token than the one held: made by us, or by whoever was faster. */
async function refresh(deps: TokenDeps, held: Held): Promise<Held> {
  const leaseId = randomUUID()
  for (;;) {
    const now = await hold(deps, held.row.id)
    if (now.row.token_version !== held.row.token_version) return now
    refuseTooSoon(now.row, deps.clock.nowMs())
    if (await takeLease(deps, now.row, leaseId)) return await refreshLeased(deps, now, leaseId)
    await wait(lookMs)
  }
}

/** After a failure nobody asks the platform again at once, however many wait for a token. */
function refuseTooSoon(row: AccountRow, nowMs: number): void {
  if (row.refresh_not_before === null) return
  // The long pause is for tokens that are still good; this one is needed.
  const sooner = marginOf(row).pauseMs - margins.short.pauseMs
  const waitMs = row.refresh_not_before.getTime() - sooner - nowMs
  if (waitMs <= 0) return
  throw new PlatformError({
    platform: row.platform_name,
    class: 'server',
    code: 'refresh_paused',
    message: `The token could not be refreshed a moment ago: ${row.reason ?? 'the platform gave no reason.'}`,
    retryAfterMs: waitMs,
  })
}

async function takeLease({ db, clock }: TokenDeps, row: AccountRow, leaseId: string): Promise<boolean> {
  const nowMs = clock.nowMs()
  const { numUpdatedRows } = await db.transaction(trx =>
    trx
      .updateTable('platform_accounts')
      .set({ refresh_lease_id: leaseId, refresh_lease_until: new Date(nowMs + leaseMs) })
      .where('id', '=', row.id)
      .where('status', '=', 'connected')
      .where('token_version', '=', row.token_version)
      // Whoever failed in between has set a pause, which counts for those who read the row before as well.
      .where('refresh_not_before', 'is not distinct from', row.refresh_not_before)
      .where(eb => eb.or([eb('refresh_lease_until', 'is', null), eb('refresh_lease_until', '<=', new Date(nowMs))]))
      .executeTakeFirst(),
  )
  return numUpdatedRows > 0n
}

async function refreshLeased(deps: TokenDeps, held: Held, leaseId: string): Promise<Held> {
  const { row, userId, kind, tokens } = held
  try {
    const credentials = await credentialsFor(deps, held)
    const fresh = await deps.platforms.auth(kind).refresh(credentials, tokens)
    const nowMs = deps.clock.nowMs()
    await stubbornly(() =>
      deps.db.transaction(async trx => {
        const places = {
          userId,
          platform: row.platform_name,
          accessId: row.access_token_vault_id,
          refreshId: row.refresh_token_vault_id,
        }
        const isOurs = await trx
          .selectFrom('platform_accounts')
          .select('id')
          .where('id', '=', row.id)
          .where('status', '=', 'connected')
          .where('refresh_lease_id', '=', leaseId)
          .forUpdate()
          .executeTakeFirst()
        // Unlinked, or linked again, meanwhile: these are nobody's.
        if (!isOurs) return
        await trx
          .updateTable('platform_accounts')
          .set(await storeTokens(deps.vault, trx, places, { tokens: fresh, nowMs }))
          .set(eb => ({
            token_version: eb('token_version', '+', 1),
            reason: null,
            refresh_lease_id: null,
            refresh_lease_until: null,
            refresh_not_before: null,
            last_validated_at: new Date(nowMs),
            updated_at: new Date(nowMs),
          }))
          .where('id', '=', row.id)
          .execute()
      }),
    )
  } catch (error) {
    throw await failed(deps, held, leaseId, error)
  }
  return await hold(deps, row.id)
}

/** The platform takes no earlier token any more: a store that is away for a moment must not lose these. */
async function stubbornly<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt === storeAttemptsMax || !(error instanceof AppError && error.isRetryable)) throw error
      await wait(lookMs * 2 ** attempt)
    }
  }
}

/** Writes down what a failure means, and gives it on. */
async function failed(deps: TokenDeps, held: Held, leaseId: string, error: unknown): Promise<unknown> {
  if (error instanceof PlatformError && (error.class === 'grant' || error.class === 'token')) {
    await endGrant(deps, held, error)
    return asGrant(error)
  }
  const { row } = held
  if (error instanceof PlatformError && error.class === 'client') await blameCredentials(deps, held, error.message)
  const nowMs = deps.clock.nowMs()
  const reason = error instanceof PlatformError || error instanceof AppError ? error.message : 'A refresh failed here.'
  const askedMs = error instanceof PlatformError ? (error.retryAfterMs ?? 0) : 0
  await deps.db.transaction(trx =>
    trx
      .updateTable('platform_accounts')
      .set({
        reason: reason.slice(0, 500),
        refresh_lease_id: null,
        refresh_lease_until: null,
        refresh_not_before: new Date(nowMs + Math.max(marginOf(row).pauseMs, askedMs)),
        updated_at: new Date(nowMs),
      })
      .where('id', '=', row.id)
      .where('refresh_lease_id', '=', leaseId)
      .where('status', '=', 'connected')
      .execute(),
  )
  return error
}

/** The grant is dead: only the user can mend it. A link made anew meanwhile stays. */
async function endGrant(deps: TokenDeps, { row, userId }: Held, error: PlatformError): Promise<void> {
  const { db, clock } = deps
  const nowMs = clock.nowMs()
  const isRevoked = isRevocation(row, error.code, nowMs)
  await db.transaction(async trx => {
    const { numUpdatedRows } = await trx
      .updateTable('platform_accounts')
      .set({
        status: 'needs_reauth',
        reason: error.message.slice(0, 500),
        refresh_lease_id: null,
        refresh_lease_until: null,
        numbers_until: numbersUntil(nowMs, { isRevoked }),
        updated_at: new Date(nowMs),
      })
      .where('id', '=', row.id)
      .where('token_version', '=', row.token_version)
      .where('status', 'in', statusesBefore(accountTransitions, 'needs_reauth'))
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return
    await recordAudit(trx, userId, null, {
      action: 'platform.needs_reauth',
      target: `account:${row.id}`,
      details: { platform: row.platform_name, platformAccountId: row.platform_account_id, isRevoked },
    })
  })
  if (isRevoked) await tellNumbersEnded(deps, userId)
}

/** Meta says that the user removed the app. The others do not: a grant that ends before its time counts as taken back. */
function isRevocation(row: AccountRow, code: string, nowMs: number): boolean {
  if (row.platform_name === 'instagram') return code === '190/458'
  return row.refresh_expires_at === null || row.refresh_expires_at.getTime() > nowMs
}

/** The platform refuses the app, not the user: links stay, and go on when the credentials are mended. */
async function blameCredentials({ db, clock }: TokenDeps, { row }: Held, reason: string): Promise<void> {
  const { developer_credentials_vault_id: vaultId } = row
  if (vaultId === null) return
  await db.transaction(trx =>
    trx
      .updateTable('developer_credentials')
      .set({ status: 'invalid', reason: reason.slice(0, 500), updated_at: new Date(clock.nowMs()) })
      .where('vault_id', '=', vaultId)
      .where('status', 'in', statusesBefore(credentialTransitions, 'invalid'))
      .execute(),
  )
}

async function credentialsFor({ db, vault }: TokenDeps, { row, userId }: Held): Promise<DeveloperCredentials> {
  const { developer_credentials_vault_id: vaultId } = row
  if (vaultId === null)
    throw refusedFor(row, 'no_credentials', 'The developer credentials of this account were removed.')
  return await db.transaction(trx => readCredentials(vault, trx, { ownerId: userId, vaultId }))
}

/** @throws PlatformError grant unless the account is connected */
async function hold({ db, vault }: TokenDeps, accountId: string): Promise<Held> {
  return await db.transaction(async trx => {
    const row = await trx.selectFrom('platform_accounts').selectAll().where('id', '=', accountId).executeTakeFirst()
    if (!row) throw new AppError('NOT_FOUND', 'This account was removed.')
    const kind = credentialKinds.find(name => name === row.credentials_kind)
    const { access_token_vault_id: accessId, refresh_token_vault_id: refreshId } = row
    if (row.status !== 'connected' || accessId === null || kind === undefined)
      throw refusedFor(row, row.status, row.reason ?? 'This account must be linked again.')
    const userId = UserIdSchema.parse(row.user_id)
    const read = (name: TokenName, id: string) =>
      vault.read(trx, tokenPlace({ userId, platform: row.platform_name }, name), secretId(id))
    return {
      row,
      userId,
      kind,
      tokens: {
        accessToken: await read('access_token', accessId),
        refreshToken: refreshId === null ? null : await read('refresh_token', refreshId),
        issuedAtMs: row.token_issued_at.getTime(),
      },
    }
  })
}

function refusedFor(row: AccountRow, code: string, message: string): PlatformError {
  return new PlatformError({ platform: row.platform_name, class: 'grant', code, message })
}

function asGrant(error: PlatformError): PlatformError {
  if (error.class === 'grant') return error
  return new PlatformError({
    platform: error.platform,
    class: 'grant',
    code: error.code,
    message: error.message,
    cause: error,
  })
}

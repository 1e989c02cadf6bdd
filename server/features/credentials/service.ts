import { type Selectable, sql, type Transaction } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import type { Platform, UserId } from '../../../contracts/ids.ts'
import {
  type Credentials,
  type CredentialsChange,
  type CredentialsRequest,
  CredentialsSchema,
  type SavedCredentials,
} from '../../../contracts/platform-accounts.ts'
import type { Database } from '../../../core/db/schema.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { CredentialKind, DeveloperCredentials } from '../../../platforms/port.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { numbersUntil } from '../account/ended-numbers.ts'
import { recordAudit } from '../audit/record.ts'
import { kindDefault, kindFacts } from './kinds.ts'
import { credentialsOf, writeCredentials } from './stored.ts'
import { accountTransitions, credentialTransitions, statusesBefore } from './transitions.ts'

type Trx = Transaction<Database>
export type CredentialDeps = Pick<ServerDeps, 'db' | 'vault' | 'bus' | 'clock' | 'log'>

/**
 * Keeps a user's developer credentials, or replaces those of the same kind; a job tries them. Accounts that were linked with
 * another app must be linked again: their tokens belong to it.
 *
 * @throws AppError BAD_REQUEST for a kind of another platform, or values that cannot be any
 */
export async function saveCredentials(
  deps: CredentialDeps,
  caller: Caller,
  platform: Platform,
  request: CredentialsRequest,
): Promise<SavedCredentials> {
  const userId = ownerOf(caller)
  const credentials = parseCredentials(platform, request)
  const { kind, clientId } = credentials
  const saved = await deps.db.asUser(userId, async trx => {
    await takeTurn(trx, userId)
    const now = new Date(deps.clock.nowMs())
    const known = await trx
      .selectFrom('developer_credentials')
      .select(['id', 'client_id', 'vault_id'])
      .where('owner_id', '=', userId)
      .where('kind', '=', kind)
      .executeTakeFirst()
    const row = known
      ? await replace(deps, trx, { userId, known, credentials, now })
      : await trx
          .insertInto('developer_credentials')
          .values({
            owner_id: userId,
            platform,
            kind,
            client_id: clientId,
            vault_id: await deps.vault.put(trx, credentialsOf(userId), writeCredentials(credentials)),
            reason: null,
            next_validation_at: now,
            last_validated_at: null,
            created_at: now,
            updated_at: now,
          })
          .returning(['status', 'vault_id'])
          .executeTakeFirstOrThrow()
    const isOtherApp = known !== undefined && known.client_id !== clientId
    const needsReauth = isOtherApp
      ? await askToLinkAgain(trx, {
          userId,
          vaultId: row.vault_id,
          reason: 'Its developer credentials are those of another app now: link the account again.',
          now,
        })
      : []
    await recordAudit(trx, userId, caller, {
      action: 'credentials.saved',
      target: `credentials:${row.vault_id}`,
      details: { platform, kind, isReplaced: known !== undefined, needsReauth },
    })
    return { status: row.status, vault_secret_id: row.vault_id, needsReauth }
  })
  await deps.bus
    .publish('credentials.due', { atMs: deps.clock.nowMs() })
    .catch(err => deps.log.warn({ err }, 'Nobody could be told of new credentials: they are tried within a minute.'))
  return saved
}

/** The state of a user's credentials, one line for each kind. */
export async function listCredentials(deps: CredentialDeps, caller: Caller): Promise<Credentials[]> {
  const userId = ownerOf(caller)
  const rows = await deps.db.asUser(userId, trx =>
    trx.selectFrom('developer_credentials').selectAll().where('owner_id', '=', userId).orderBy('kind').execute(),
  )
  return rows.map(fromRow)
}

/**
 * Notes whether the terms for derived metrics are accepted; what is read from then on is kept and shown accordingly.
 * @returns those that were meant
 * @throws AppError BAD_REQUEST for a platform without such terms; NOT_FOUND when there are no such credentials
 */
export async function changeCredentials(
  deps: CredentialDeps,
  caller: Caller,
  platform: Platform,
  { kind, derived_metrics_accepted: isAccepted }: CredentialsChange,
): Promise<Credentials[]> {
  const userId = ownerOf(caller)
  if (!hasAmendment(platform)) {
    throw new AppError('BAD_REQUEST', `There are no terms for derived metrics to accept on ${platform}.`, {
      details: { field: 'derived_metrics_accepted' },
    })
  }
  return await deps.db.asUser(userId, async trx => {
    const now = new Date(deps.clock.nowMs())
    const rows = await trx
      .updateTable('developer_credentials')
      .set(eb => ({
        amendment_accepted_at: isAccepted ? eb.fn.coalesce('amendment_accepted_at', eb.val(now)) : null,
        updated_at: now,
      }))
      .where('owner_id', '=', userId)
      .where('platform', '=', platform)
      .$if(kind !== undefined, query => query.where('kind', '=', kind ?? ''))
      .returningAll()
      .execute()
    if (rows.length === 0) throw noSuchCredentials()
    for (const row of rows) {
      await recordAudit(trx, userId, caller, {
        action: 'credentials.terms_changed',
        target: `credentials:${row.vault_id}`,
        details: { platform, kind: row.kind, derivedMetricsAccepted: isAccepted },
      })
    }
    return rows.map(fromRow)
  })
}

/**
 * Forgets a user's credentials of a platform, or of one kind. Accounts that were linked with them need others.
 * @throws AppError NOT_FOUND when there are none
 */
export async function removeCredentials(
  deps: CredentialDeps,
  caller: Caller,
  which: { platform: Platform; kind: CredentialKind | undefined },
): Promise<void> {
  const userId = ownerOf(caller)
  await deps.db.asUser(userId, async trx => {
    await takeTurn(trx, userId)
    const now = new Date(deps.clock.nowMs())
    const rows = await trx
      .deleteFrom('developer_credentials')
      .where('owner_id', '=', userId)
      .where('platform', '=', which.platform)
      .$if(which.kind !== undefined, query => query.where('kind', '=', which.kind ?? ''))
      .returning(['kind', 'vault_id'])
      .execute()
    if (rows.length === 0) throw noSuchCredentials()
    for (const { kind, vault_id: vaultId } of rows) {
      const reason = 'Its developer credentials were removed: save some, and link the account again.'
      const needsReauth = await askToLinkAgain(trx, { userId, vaultId, reason, now })
      await deps.vault.remove(trx, credentialsOf(userId), secretId(vaultId))
      await recordAudit(trx, userId, caller, {
        action: 'credentials.removed',
        target: `credentials:${vaultId}`,
        details: { platform: which.platform, kind, needsReauth },
      })
    }
  })
}

async function replace(
  { vault }: CredentialDeps,
  trx: Trx,
  o: { userId: UserId; known: { id: string; vault_id: string }; credentials: DeveloperCredentials; now: Date },
): Promise<{ status: Credentials['status']; vault_id: string }> {
  await vault.replace(trx, credentialsOf(o.userId), secretId(o.known.vault_id), writeCredentials(o.credentials))
  // What failed with the earlier secret may be tried with this one at once.
  await trx
    .updateTable('platform_accounts')
    .set({ refresh_not_before: null })
    .where('user_id', '=', o.userId)
    .where('developer_credentials_vault_id', '=', o.known.vault_id)
    .execute()
  return await trx
    .updateTable('developer_credentials')
    .set(eb => ({
      client_id: o.credentials.clientId,
      // Accepted for one app, and not for another.
      amendment_accepted_at: eb
        .case()
        .when('client_id', '=', o.credentials.clientId)
        .then(eb.ref('amendment_accepted_at'))
        .else(null)
        .end(),
      status: 'pending_validation' as const,
      reason: null,
      version: eb('version', '+', 1),
      validation_attempts: 0,
      next_validation_at: o.now,
      last_validated_at: null,
      updated_at: o.now,
    }))
    .where('id', '=', o.known.id)
    .where('status', 'in', statusesBefore(credentialTransitions, 'pending_validation'))
    .returning(['status', 'vault_id'])
    .executeTakeFirstOrThrow()
}

/** @returns the ids of the accounts that it concerns */
async function askToLinkAgain(
  trx: Trx,
  o: { userId: UserId; vaultId: string; reason: string; now: Date },
): Promise<string[]> {
  const rows = await trx
    .updateTable('platform_accounts')
    .set({
      status: 'needs_reauth',
      reason: o.reason,
      numbers_until: numbersUntil(o.now.getTime(), { isRevoked: false }),
      updated_at: o.now,
    })
    .where('user_id', '=', o.userId)
    .where('developer_credentials_vault_id', '=', o.vaultId)
    .where('status', 'in', statusesBefore(accountTransitions, 'needs_reauth'))
    .returning('id')
    .execute()
  return rows.map(row => row.id)
}

function parseCredentials(platform: Platform, request: CredentialsRequest): DeveloperCredentials {
  const kind = request.kind ?? kindDefault[platform]
  if (kindFacts[kind].platform !== platform) {
    throw new AppError('BAD_REQUEST', `Credentials of the kind ${kind} are for ${kindFacts[kind].platform}.`, {
      details: { field: 'kind' },
    })
  }
  const apiKey = request.api_key === undefined ? null : pasted('api_key', request.api_key)
  if (!('client_id' in request)) return { kind, clientId: '', clientSecret: '', apiKey }
  return {
    kind,
    clientId: pasted('client_id', request.client_id),
    clientSecret: pasted('client_secret', request.client_secret),
    apiKey,
  }
}

/** A blank at an end comes with pasting and would look like a wrong secret; anything else that is no printable ASCII is a mistake. */
function pasted(field: string, text: string): string {
  const trimmed = text.replace(/^[\s\p{Cf}]+|[\s\p{Cf}]+$/gu, '')
  if (/^[\x21-\x7e]{1,512}$/.test(trimmed)) return trimmed
  throw new AppError(
    'BAD_REQUEST',
    `The parameter "${field}" holds blanks, control characters or letters that no such value has: copy it again.`,
    { details: { field } },
  )
}

/** One change of a user's credentials at a time: two first ones would both find none. */
async function takeTurn(trx: Trx, userId: UserId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`developer_credentials:${userId}`}, 0))`.execute(trx)
}

function noSuchCredentials(): AppError {
  return new AppError('NOT_FOUND', 'You have no such credentials: GET /api/credentials/status.')
}

function hasAmendment(platform: string): boolean {
  return platform === 'youtube'
}

function fromRow(row: Selectable<Database['developer_credentials']>): Credentials {
  return CredentialsSchema.parse({
    platform: row.platform,
    kind: row.kind,
    status: row.status,
    ...(row.reason === null ? {} : { reason: row.reason }),
    vault_secret_id: row.vault_id,
    lastValidatedAt: row.last_validated_at?.toISOString() ?? null,
    derivedMetricsAccepted: hasAmendment(row.platform) ? row.amendment_accepted_at !== null : null,
  })
}

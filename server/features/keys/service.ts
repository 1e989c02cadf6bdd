import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { type ApiKey, type ApiKeyRequest, ScopeSchema, serviceScopes } from '../../../contracts/api-keys.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Log } from '../../../core/log.ts'
import { isOperator } from '../../auth/authenticator.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { recordAudit } from '../audit/record.ts'
import { makeKeyText } from './key-text.ts'

/** Keys of one user that are good; those that ended are no longer counted. */
export const keysMax = 50
/** Keys that one answer lists: the good ones are never cut off, because they come first. */
const listedMax = 500

/** What the verbs about keys stand on. */
export interface KeyDeps {
  readonly db: Db
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
}

const columns = [
  'id',
  'name',
  'prefix',
  'scopes',
  'is_service',
  'created_at',
  'expires_at',
  'last_used_at',
  'revoked_at',
] as const

const KeyRow = z.object({
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(z.string()),
  is_service: z.boolean(),
  created_at: z.date(),
  expires_at: z.date().nullable(),
  last_used_at: z.date().nullable(),
  revoked_at: z.date().nullable(),
})

/** The caller's keys: the good ones, then those that were revoked; the newest first. */
export async function listKeys(deps: KeyDeps, caller: Caller): Promise<ApiKey[]> {
  const userId = ownerOf(caller)
  const rows = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('api_keys')
      .select(columns)
      .orderBy(eb => eb('revoked_at', 'is not', null))
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(listedMax)
      .execute(),
  )
  return rows.map(fromRow)
}

/**
 * Makes a key and shows it, this once. Scopes for others make it a service key, which only the owner of the installation
 * and admins may have.
 *
 * @throws AppError BAD_REQUEST for an end in the past, FORBIDDEN for scopes beyond the caller's role, CONFLICT when there
 * are `keysMax` already
 */
export async function createKey(
  deps: KeyDeps,
  caller: Caller,
  request: ApiKeyRequest,
): Promise<ApiKey & { key: string }> {
  const userId = ownerOf(caller)
  const scopes = [...new Set(request.scopes)]
  const isService = scopes.some(scope => serviceScopes.some(name => name === scope))
  if (isService && !(caller.principal && isOperator(caller.principal))) {
    throw new AppError('FORBIDDEN', `Only the owner and admins make keys with ${serviceScopes.join(', ')}.`)
  }
  const now = new Date(deps.clock.nowMs())
  const expiresAt = request.expiresAt === undefined ? null : new Date(request.expiresAt)
  if (expiresAt && expiresAt <= now) {
    throw new AppError('BAD_REQUEST', 'The parameter "expiresAt" must lie in the future.')
  }
  const text = makeKeyText(isService ? 'service' : 'plain')
  const row = await deps.db.asUser(userId, async trx => {
    // Two at once must not pass the limit together: they take turns.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`api_keys:${userId}`}, 0))`.execute(trx)
    const { count } = await trx
      .selectFrom('api_keys')
      .select(eb => eb.fn.countAll<string>().as('count'))
      .where('revoked_at', 'is', null)
      .where(eb => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
      .executeTakeFirstOrThrow()
    if (Number(count) >= keysMax) {
      throw new AppError('CONFLICT', `You have ${keysMax} keys, which is the most: revoke one that is not used.`)
    }
    const made = await trx
      .insertInto('api_keys')
      .values({
        owner_id: userId,
        name: request.name,
        prefix: text.prefix,
        key_hash: text.hash,
        scopes,
        is_service: isService,
        created_at: now,
        expires_at: expiresAt,
        last_used_at: null,
        revoked_at: null,
      })
      .returning(columns)
      .executeTakeFirstOrThrow()
    await recordAudit(trx, userId, caller, {
      action: 'key.created',
      target: `key:${made.id}`,
      details: { name: request.name, prefix: text.prefix, scopes, expiresAt: expiresAt?.toISOString() ?? null },
    })
    return made
  })
  await tellOfKeys(deps, [text.prefix])
  return { ...fromRow(row), key: text.key }
}

/**
 * Ends a key for good, on every node within a second. Ending one that has ended already changes nothing.
 * @throws AppError NOT_FOUND for a key that is not the caller's
 */
export async function revokeKey(deps: KeyDeps, caller: Caller, id: string): Promise<void> {
  const userId = ownerOf(caller)
  const prefix = await deps.db.asUser(userId, async trx => {
    const key = await trx
      .selectFrom('api_keys')
      .select(['name', 'prefix', 'revoked_at'])
      .where('id', '=', id)
      .forUpdate()
      .executeTakeFirst()
    if (!key) throw new AppError('NOT_FOUND', 'You have no key of that id: list them with GET /api/keys.')
    if (key.revoked_at !== null) return null
    await trx
      .updateTable('api_keys')
      .set({ revoked_at: new Date(deps.clock.nowMs()) })
      .where('id', '=', id)
      .execute()
    await recordAudit(trx, userId, caller, {
      action: 'key.revoked',
      target: `key:${id}`,
      details: { name: key.name, prefix: key.prefix },
    })
    return key.prefix
  })
  if (prefix !== null) await tellOfKeys(deps, [prefix])
}

/**
 * Ends all keys of a user, in the transaction of what makes that necessary; `tellOfKeys` afterwards.
 * @returns the prefixes of those that ended
 */
export async function revokeAllKeys(
  trx: Transaction<Database>,
  userId: UserId,
  o: { caller: Caller; now: Date },
): Promise<string[]> {
  const ended = await trx
    .updateTable('api_keys')
    .set({ revoked_at: o.now })
    .where('owner_id', '=', userId)
    .where('revoked_at', 'is', null)
    .returning(['id', 'name', 'prefix'])
    .execute()
  for (const { id, name, prefix } of ended) {
    await recordAudit(trx, userId, o.caller, {
      action: 'key.revoked',
      target: `key:${id}`,
      details: { name, prefix },
    })
  }
  return ended.map(key => key.prefix)
}

/** Tells every node that keys were made or ended. The change is durable. Who misses the message reads the store again within a second. */
export async function tellOfKeys(deps: Pick<KeyDeps, 'bus' | 'log'>, prefixes: readonly string[]): Promise<void> {
  try {
    for (const prefix of prefixes) await deps.bus.publish('keys.changed', { prefix })
  } catch (err) {
    deps.log.warn({ err }, 'Others could not be told of a changed key: they find out within a second.')
  }
}

function fromRow(row: unknown): ApiKey {
  const key = KeyRow.parse(row)
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: key.scopes.flatMap(scope => ScopeSchema.safeParse(scope).data ?? []),
    isService: key.is_service,
    createdAt: key.created_at.toISOString(),
    expiresAt: key.expires_at?.toISOString() ?? null,
    lastUsedAt: key.last_used_at?.toISOString() ?? null,
    revokedAt: key.revoked_at?.toISOString() ?? null,
  }
}

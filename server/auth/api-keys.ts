/**
 * Believes API keys.
 *
 * A key is found by its visible beginning and compared by its SHA-256: it has 256 random bits, so a slow hash would add
 * nothing but load. A text without the right checksum is refused without a look-up.
 *
 * What was read of a key is kept for a moment, so that a busy key costs one look-up a second and not one a request.
 * Revoking must be effective within a second on every node: the node that revokes tells the others over the bus, and a
 * node that missed the message reads again after `keptMs`, counted from before the reading began.
 */
import { timingSafeEqual } from 'node:crypto'
import { sql } from 'kysely'
import { z } from 'zod'
import { roles } from '../../contracts/accounts.ts'
import { type Scope, ScopeSchema, serviceScopes } from '../../contracts/api-keys.ts'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import type { Log } from '../../core/log.ts'
import { hashOfKey, prefixOfKey } from '../features/keys/key-text.ts'
import { type Authenticator, isOperator, type Principal } from './authenticator.ts'

/** How long a reading counts. With the time of one look-up it stays below a second. */
const keptMs = 800
/** Keys that are remembered; the one read longest ago goes first. */
const rememberedMax = 10_000
/** The time of last use is written at most this often for each key. */
const usedEveryMs = 60_000

interface KnownKey {
  readonly id: string
  readonly hash: Buffer
  readonly expiresAtMs: number | null
  readonly isRevoked: boolean
  readonly principal: Principal
}

interface Reading {
  /** When the reading began. */
  readonly atMs: number
  readonly found: Promise<KnownKey | null>
}

export interface ApiKeyAuthenticator extends Authenticator {
  /** Stops listening, and waits for times of use that are being written. */
  close(): Promise<void>
}

/**
 * Keys of `/api/keys`, and the one service key that the operator sets.
 *
 * @param deps.serviceKey `AGENT_API_KEY`, of any length, and the installation's first account, which limits go by
 */
export async function createApiKeyAuthenticator(deps: {
  db: Db
  bus: Bus
  clock: Clock
  log: Log
  serviceKey: { key: string; userId: UserId } | null
}): Promise<ApiKeyAuthenticator> {
  const { db, bus, clock, log, serviceKey } = deps
  const readings = new Map<string, Reading>()
  const usedAtMs = new Map<string, number>()
  const writing = new Set<Promise<void>>()
  const unsubscribe = await bus.subscribe('keys.changed', ({ prefix }) => {
    readings.delete(prefix)
  })
  const configured = serviceKey && {
    hash: hashOfKey(serviceKey.key),
    principal: {
      userId: serviceKey.userId,
      scheme: 'apiKey',
      role: 'user',
      scopes: serviceScopes,
      credentialId: null,
      isService: true,
    } satisfies Principal,
  }

  const read = (prefix: string): Promise<KnownKey | null> => {
    const nowMs = clock.nowMs()
    const known = readings.get(prefix)
    if (known && nowMs >= known.atMs && nowMs - known.atMs < keptMs) return known.found
    const reading = { atMs: nowMs, found: findKey(db, prefix) }
    readings.delete(prefix)
    const oldest = readings.size >= rememberedMax ? readings.keys().next().value : undefined
    if (oldest !== undefined) readings.delete(oldest)
    readings.set(prefix, reading)
    // A look-up that failed says nothing about the key.
    reading.found.catch(() => {
      if (readings.get(prefix) === reading) readings.delete(prefix)
    })
    return reading.found
  }

  const noteUse = (key: KnownKey): void => {
    const nowMs = clock.nowMs()
    if (nowMs - (usedAtMs.get(key.id) ?? Number.NEGATIVE_INFINITY) < usedEveryMs) return
    if (usedAtMs.size >= rememberedMax) usedAtMs.clear()
    usedAtMs.set(key.id, nowMs)
    const written = writeUse(db, key.id, new Date(nowMs)).catch(err =>
      log.warn({ err }, "The time of a key's last use could not be written."),
    )
    writing.add(written)
    void written.finally(() => writing.delete(written))
  }

  return {
    async authenticate(token, accepts) {
      if (!accepts.includes('apiKey')) return null
      // Hashes have one length, which the comparison in constant time needs.
      const hash = hashOfKey(token)
      if (configured && timingSafeEqual(hash, configured.hash)) return configured.principal
      const prefix = prefixOfKey(token)
      if (prefix === null) return null
      const key = await read(prefix)
      if (!key || !timingSafeEqual(hash, key.hash) || key.isRevoked) return null
      if (key.expiresAtMs !== null && clock.nowMs() >= key.expiresAtMs) return null
      noteUse(key)
      return key.principal
    },
    async close() {
      await unsubscribe()
      await Promise.all(writing)
    },
  }
}

const FoundKey = z.object({
  id: z.string(),
  owner_id: UserIdSchema,
  key_hash: z.instanceof(Buffer),
  scopes: z.array(z.string()),
  is_service: z.boolean(),
  expires_at: z.date().nullable(),
  revoked_at: z.date().nullable(),
  role: z.enum(roles),
})

async function findKey(db: Db, prefix: string): Promise<KnownKey | null> {
  const row = await db.system
    .selectFrom('api_keys')
    .innerJoin('users', 'users.id', 'api_keys.owner_id')
    .select([
      'api_keys.id',
      'api_keys.owner_id',
      'api_keys.key_hash',
      'api_keys.scopes',
      'api_keys.is_service',
      'api_keys.expires_at',
      'api_keys.revoked_at',
      'users.role',
    ])
    .where('api_keys.prefix', '=', prefix)
    .executeTakeFirst()
  if (!row) return null
  const found = FoundKey.parse(row)
  return {
    id: found.id,
    hash: found.key_hash,
    expiresAtMs: found.expires_at?.getTime() ?? null,
    // Who may no longer make service keys has none that work.
    isRevoked: found.revoked_at !== null || (found.is_service && !isOperator(found)),
    principal: {
      userId: found.owner_id,
      scheme: 'apiKey',
      role: found.is_service ? 'user' : found.role,
      scopes: found.scopes.filter(isScope),
      credentialId: found.id,
      ...(found.is_service ? { isService: true } : {}),
    },
  }
}

/** A newer version may have written scopes that this one does not know. */
function isScope(name: string): name is Scope {
  return ScopeSchema.safeParse(name).success
}

/** Several nodes write; the time never goes back. */
async function writeUse(db: Db, id: string, at: Date): Promise<void> {
  await db.system
    .updateTable('api_keys')
    .set({ last_used_at: sql`greatest(last_used_at, ${at})` })
    .where('id', '=', id)
    .execute()
}

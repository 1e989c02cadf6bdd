/**
 * The keys that sign access tokens and links in mails: 32 random bytes each, kept in the table `signing_keys`, sealed
 * under a key that is made of JWT_SECRET. All nodes of one installation share the ring, so a token of one is good on all.
 *
 * The newest key signs; an older one is retired and verifies until everything that it signed has ended. Another node
 * hears of a new key on the bus; where the message was lost, the first token with an unknown `kid` makes it look, at
 * most once a second, so that invented kids cost little. A row that this node's JWT_SECRET does not open is another
 * secret's: it is left alone and believed in nothing.
 */
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import type { Bus } from '../../core/bus/port.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import type { Log } from '../../core/log.ts'
import { signedMsMax } from './signed-token.ts'

const lockKey = 4_400_002
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16
const ageMsMax = 30 * 86_400_000
const reloadMsMin = 1000
const kidPattern = /^[A-Za-z0-9_-]{16}$/
/** A little longer than the longest-lived signature, for clocks that differ. */
const retiredMsMax = signedMsMax + 3_600_000

export interface SigningKey {
  readonly kid: string
  readonly key: KeyObject
}

export interface SigningKeys {
  /** The key that signs now. */
  current(): SigningKey
  /** The key of that name while anything that it signed may be good; null for one that nobody knows. */
  find(kid: string): Promise<KeyObject | null>
  /** Makes a new key when the present one is older than 30 days, and drops those that are no longer needed. */
  rotate(): Promise<void>
  close(): Promise<void>
}

interface Deps {
  readonly db: Db
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
}

interface Loaded extends SigningKey {
  readonly createdAtMs: number
  readonly retiredAtMs: number | null
}

/**
 * Opens the ring and makes its first key when there is none, once for all nodes that start together.
 * @param secret JWT_SECRET, or what the home holds in its place
 */
export async function openSigningKeys(deps: Deps, secret: string): Promise<SigningKeys> {
  const { db, bus, clock, log } = deps
  const sealingKey = Buffer.from(hkdfSync('sha256', secret, '', 'cliptape signing keys', keyBytes))
  let ring = await renew(deps, sealingKey)
  let loadedAtMs = clock.nowMs()
  let loading: Promise<void> | null = null

  const reload = (): Promise<void> => {
    loading ??= (async () => {
      loadedAtMs = clock.nowMs()
      const found = await db.system.selectFrom('signing_keys').selectAll().execute()
      ring = opened(found, sealingKey)
    })().finally(() => {
      loading = null
    })
    return loading
  }
  const inRing = (kid: string) => ring.find(one => one.kid === kid)?.key ?? null
  const unsubscribe = await bus.subscribe('signing-keys.changed', reload)

  return {
    current() {
      const [newest] = ring.filter(one => one.retiredAtMs === null).sort((a, b) => b.createdAtMs - a.createdAtMs)
      // A ring that was read has a key that signs: renew() made one, and rotation retires one only for another.
      if (newest === undefined) throw new Error('The ring of signing keys is empty.')
      return newest
    },
    async find(kid) {
      if (!kidPattern.test(kid)) return null
      const known = inRing(kid)
      if (known !== null) return known
      if (loading === null && clock.nowMs() - loadedAtMs < reloadMsMin) return null
      await reload()
      return inRing(kid)
    },
    async rotate() {
      const before = new Set(ring.map(one => one.kid))
      ring = await renew(deps, sealingKey)
      if (ring.every(one => before.has(one.kid))) return
      log.info('A new key signs sessions from now on.')
      // Who misses it looks for the key when the first token of it comes.
      await bus
        .publish('signing-keys.changed', { atMs: clock.nowMs() })
        .catch(error =>
          log.warn({ err: error }, 'The bus does not answer: other nodes find the new key by themselves.'),
        )
    },
    close: unsubscribe,
  }
}

/** Under a lock, so that nodes which start or rotate together agree on one new key. */
async function renew({ db, clock, log }: Deps, sealingKey: Buffer): Promise<Loaded[]> {
  const nowMs = clock.nowMs()
  return await db.transaction(async trx => {
    await sql`select pg_advisory_xact_lock(${lockKey})`.execute(trx)
    await trx
      .deleteFrom('signing_keys')
      .where('retired_at', '<', new Date(nowMs - retiredMsMax))
      .execute()
    const rows = await trx.selectFrom('signing_keys').selectAll().execute()
    const ring = opened(rows, sealingKey)
    if (ring.length < rows.length)
      log.warn('Some signing keys were sealed with another JWT_SECRET: tokens that they signed are refused.')
    const signing = ring.filter(one => one.retiredAtMs === null)
    if (signing.some(one => nowMs - one.createdAtMs < ageMsMax)) return ring
    const made = { kid: randomBytes(12).toString('base64url'), secret: randomBytes(keyBytes) }
    await trx
      .insertInto('signing_keys')
      .values({ kid: made.kid, sealed: seal(sealingKey, made), created_at: new Date(nowMs), retired_at: null })
      .execute()
    const retired = signing.map(one => one.kid)
    if (retired.length > 0) {
      await trx
        .updateTable('signing_keys')
        .set({ retired_at: new Date(nowMs) })
        .where('kid', 'in', retired)
        .execute()
    }
    return [
      ...ring.map(one => (retired.includes(one.kid) ? { ...one, retiredAtMs: nowMs } : one)),
      { kid: made.kid, key: createSecretKey(made.secret), createdAtMs: nowMs, retiredAtMs: null },
    ]
  })
}

function opened(
  rows: readonly { kid: string; sealed: Buffer; created_at: Date; retired_at: Date | null }[],
  sealingKey: Buffer,
): Loaded[] {
  return rows.flatMap(row => {
    const secret = unseal(sealingKey, row)
    if (secret === null) return []
    return {
      kid: row.kid,
      key: createSecretKey(secret),
      createdAtMs: row.created_at.getTime(),
      retiredAtMs: row.retired_at?.getTime() ?? null,
    }
  })
}

/** Nonce, ciphertext and tag; bound to the key's name. */
function seal(sealingKey: Buffer, made: { kid: string; secret: Buffer }): Buffer {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(Buffer.from(made.kid))
  return Buffer.concat([nonce, cipher.update(made.secret), cipher.final(), cipher.getAuthTag()])
}

function unseal(sealingKey: Buffer, { kid, sealed }: { kid: string; sealed: Buffer }): Buffer | null {
  if (sealed.length !== nonceBytes + keyBytes + tagBytes) return null
  const decipher = createDecipheriv('aes-256-gcm', sealingKey, sealed.subarray(0, nonceBytes))
    .setAAD(Buffer.from(kid))
    .setAuthTag(sealed.subarray(-tagBytes))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(nonceBytes, -tagBytes)), decipher.final()])
  } catch {
    return null
  }
}

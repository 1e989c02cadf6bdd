/**
 * A session is one signing-in on one device: a family of refresh tokens of which one is good at a time.
 *
 * Each use of a refresh token gives its successor. One that comes again was copied: whoever holds the other copy has the
 * rest of the family, so the whole session ends. Two tabs of one browser that refresh at the same moment, and a client
 * whose answer got lost on the way, must not be taken for thieves. So the successor is not random but made of its
 * predecessor and a key of the server's: for ten seconds after its first use, and while the successor itself was not used
 * yet, the same token gets the same successor again. The family stays one line, and a thief who was quick is still
 * found out at the next turn.
 */
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import type { roles } from '../../contracts/accounts.ts'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { Database } from '../../core/db/schema.ts'

/** A session ends this long after its last refresh, and this long after it began whatever is done. */
const idleMsMax = 30 * 86_400_000
const ageMsMax = 180 * 86_400_000
/** For how long a token may come a second time. */
const againMsMax = 10_000
const tokenPattern = /^[A-Za-z0-9_-]{43}$/

type EndReason = 'logout' | 'reuse' | 'password_changed' | 'account_deleted'

export interface OpenSession {
  readonly sessionId: string
  /** 256 bits in base64url. Only its SHA-256 is kept. */
  readonly refreshToken: string
}

export type Refreshed =
  | {
      readonly outcome: 'renewed'
      readonly session: OpenSession
      readonly user: { readonly id: UserId; readonly email: string | null; readonly role: (typeof roles)[number] }
    }
  /** The session has been ended now: the caller tells everybody. */
  | { readonly outcome: 'reused'; readonly sessionId: string; readonly userId: UserId }
  | { readonly outcome: 'refused' }

/** What successors are made with; from JWT_SECRET, so that all nodes make the same. */
export function refreshKeyOf(secret: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'cliptape refresh tokens', 32))
}

/** Opens a session with its first refresh token. */
export async function startSession(
  trx: Transaction<Database>,
  o: { userId: UserId; nowMs: number },
): Promise<OpenSession> {
  const refreshToken = randomBytes(32).toString('base64url')
  const { id: sessionId } = await insertSession(trx, { ...o, lifeMs: idleMsMax })
  await insertToken(trx, { token: refreshToken, sessionId, ...o })
  return { sessionId, refreshToken }
}

/** A session without refresh tokens, which ends when its one access token does. */
export async function startBareSession(
  trx: Transaction<Database>,
  o: { userId: UserId; nowMs: number; lifeMs: number },
): Promise<string> {
  return (await insertSession(trx, o)).id
}

/** Takes a refresh token in its turn. Decides and writes in the caller's transaction; throws nothing that would undo it. */
export async function refreshSession(
  trx: Transaction<Database>,
  o: { token: string; refreshKey: Buffer; nowMs: number },
): Promise<Refreshed> {
  const { token, nowMs } = o
  if (!tokenPattern.test(token)) return { outcome: 'refused' }
  const found = await trx
    .selectFrom('refresh_tokens')
    .innerJoin('sessions', 'sessions.id', 'refresh_tokens.session_id')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select([
      'refresh_tokens.used_at as usedAt',
      'sessions.id as sessionId',
      'sessions.created_at as createdAt',
      'sessions.expires_at as expiresAt',
      'sessions.ended_at as endedAt',
      'users.id as userId',
      'users.email as email',
      'users.role as role',
    ])
    .where('refresh_tokens.token_hash', '=', hashOf(token))
    // The session's row is the turn: two uses of tokens of one family wait for each other.
    .forUpdate(['sessions', 'refresh_tokens'])
    .executeTakeFirst()
  if (!found || found.endedAt !== null || found.expiresAt.getTime() <= nowMs) return { outcome: 'refused' }
  const userId = UserIdSchema.parse(found.userId)
  const { sessionId } = found
  const refreshToken = createHmac('sha256', o.refreshKey).update(token).digest('base64url')
  if (found.usedAt !== null) {
    const isAgain = nowMs - found.usedAt.getTime() <= againMsMax && (await isUnused(trx, refreshToken))
    if (!isAgain) {
      await endSessions(trx, { userId, sessionId, reason: 'reuse', nowMs })
      return { outcome: 'reused', sessionId, userId }
    }
  } else {
    await trx
      .updateTable('refresh_tokens')
      .set({ used_at: new Date(nowMs) })
      .where('token_hash', '=', hashOf(token))
      .execute()
    await insertToken(trx, { token: refreshToken, sessionId, userId, nowMs })
    const expiresAtMs = Math.min(nowMs + idleMsMax, found.createdAt.getTime() + ageMsMax)
    await trx
      .updateTable('sessions')
      .set({ used_at: new Date(nowMs), expires_at: new Date(expiresAtMs) })
      .where('id', '=', sessionId)
      .execute()
  }
  return {
    outcome: 'renewed',
    session: { sessionId, refreshToken },
    user: { id: userId, email: found.email, role: found.role },
  }
}

/**
 * Ends one session of a user, or all of them but one.
 * @returns the ids of those that went on until now
 */
export async function endSessions(
  trx: Transaction<Database>,
  o: { userId: UserId; sessionId?: string; except?: string | null; reason: EndReason; nowMs: number },
): Promise<string[]> {
  let ending = trx
    .updateTable('sessions')
    .set({ ended_at: new Date(o.nowMs), end_reason: o.reason })
    .where('user_id', '=', o.userId)
    .where('ended_at', 'is', null)
  if (o.sessionId !== undefined) ending = ending.where('id', '=', o.sessionId)
  if (o.except) ending = ending.where('id', '!=', o.except)
  return (await ending.returning('id').execute()).map(row => row.id)
}

/** Removes what nobody can use any more: ended and expired sessions a day later, with their tokens, and old links. */
export async function sweepSessions(trx: Transaction<Database>, nowMs: number): Promise<void> {
  const before = new Date(nowMs - 86_400_000)
  await trx
    .deleteFrom('sessions')
    .where(row => row.or([row('expires_at', '<', before), row('ended_at', '<', before)]))
    .execute()
  await trx.deleteFrom('mail_links').where('expires_at', '<', before).execute()
  // Of a session that goes on, only tokens of its last days can still come again.
  await sql`delete from refresh_tokens where used_at < ${new Date(nowMs - idleMsMax)}`.execute(trx)
}

async function insertSession(
  trx: Transaction<Database>,
  o: { userId: UserId; nowMs: number; lifeMs: number },
): Promise<{ id: string }> {
  const now = new Date(o.nowMs)
  return await trx
    .insertInto('sessions')
    .values({
      user_id: o.userId,
      created_at: now,
      used_at: now,
      expires_at: new Date(o.nowMs + o.lifeMs),
      ended_at: null,
      end_reason: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
}

async function insertToken(
  trx: Transaction<Database>,
  o: { token: string; sessionId: string; userId: UserId; nowMs: number },
): Promise<void> {
  await trx
    .insertInto('refresh_tokens')
    .values({
      token_hash: hashOf(o.token),
      session_id: o.sessionId,
      user_id: o.userId,
      created_at: new Date(o.nowMs),
      used_at: null,
    })
    .execute()
}

async function isUnused(trx: Transaction<Database>, token: string): Promise<boolean> {
  const row = await trx
    .selectFrom('refresh_tokens')
    .select('used_at')
    .where('token_hash', '=', hashOf(token))
    .executeTakeFirst()
  return row !== undefined && row.used_at === null
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

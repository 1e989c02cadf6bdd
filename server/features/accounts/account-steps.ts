import type { Selectable, Transaction } from 'kysely'
import type { Session, User } from '../../../contracts/accounts.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import { type OpenSession, startSession } from '../../auth/sessions.ts'
import { accessTokenMs } from '../../auth/signed-token.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { recordAudit } from '../audit/record.ts'

export type AccountDeps = Pick<ServerDeps, 'db' | 'bus' | 'clock' | 'log' | 'accounts'>

/** Whose session it becomes. Everybody who signs in by themselves has an address. */
interface SessionUser {
  readonly id: UserId
  readonly email: string | null
  readonly role: User['role']
}

/**
 * Tells every node at once, after the change is durable. A `null` among the ids is all sessions of the user. A message that cannot be sent is no failure of the change: nodes
 * look sessions up again within a second.
 */
export async function tellEnded(
  { bus, log }: Pick<AccountDeps, 'bus' | 'log'>,
  userId: UserId,
  sessionIds: readonly (string | null)[],
): Promise<void> {
  try {
    for (const sessionId of sessionIds) await bus.publish('session.ended', { userId, sessionId })
  } catch (error) {
    log.warn({ err: error }, 'The bus does not answer: other nodes find out about ended sessions by themselves.')
  }
}

export async function setPassword(
  trx: Transaction<Database>,
  o: { userId: UserId; hash: string; nowMs: number },
): Promise<void> {
  const now = new Date(o.nowMs)
  await trx
    .insertInto('passwords')
    .values({ user_id: o.userId, hash: o.hash, updated_at: now })
    .onConflict(conflict => conflict.column('user_id').doUpdateSet({ hash: o.hash, updated_at: now }))
    .execute()
}

/**
 * That the password is still the one whose hash was read before: checking it takes a while, and a reset meanwhile is meant
 * for whoever holds the old one. Holds the row, so that a reset which comes now waits and ends what follows from this.
 * @throws AppError AUTH_REQUIRED
 */
export async function assertPasswordStands(trx: Transaction<Database>, userId: UserId, hash: string): Promise<void> {
  const row = await trx
    .selectFrom('passwords')
    .select('hash')
    .where('user_id', '=', userId)
    .forUpdate()
    .executeTakeFirst()
  if (row?.hash !== hash) {
    throw new AppError('AUTH_REQUIRED', 'The password was changed at this moment: sign in with the new one.')
  }
}

/**
 * Makes whoever has signed in show the account's password once more.
 * @returns its hash, for `assertPasswordStands` in the transaction of what is done then
 * @throws AppError CONFLICT for an account without a password, FORBIDDEN for a wrong one (both with the caller's
 *   sentence); RATE_LIMITED
 */
export async function provePassword(
  { accounts, db }: Pick<AccountDeps, 'accounts' | 'db'>,
  o: { userId: UserId; password: string; caller: Caller; ifNone: string; ifWrong: string },
): Promise<string> {
  const found = await db.system
    .selectFrom('passwords')
    .innerJoin('users', 'users.id', 'passwords.user_id')
    .select(['passwords.hash', 'users.email'])
    .where('user_id', '=', o.userId)
    .executeTakeFirst()
  if (!found) throw new AppError('CONFLICT', o.ifNone)
  const forgive = await accounts.throttle.attempt({ account: found.email ?? o.userId, address: o.caller.address })
  const { isRight } = await accounts.passwords.verify(o.password, found.hash)
  if (!isRight) throw new AppError('FORBIDDEN', o.ifWrong)
  await forgive()
  return found.hash
}

/** Opens a session in the caller's transaction and writes it down. */
export async function beginSession(
  trx: Transaction<Database>,
  o: { user: SessionUser; nowMs: number; caller: Caller; through: string },
): Promise<OpenSession> {
  const session = await startSession(trx, { userId: o.user.id, nowMs: o.nowMs })
  // Whoever signs in is the actor from here on, by the session that they have now.
  const principal = {
    userId: o.user.id,
    scheme: 'jwt',
    role: o.user.role,
    scopes: 'all',
    credentialId: session.sessionId,
  } as const
  await recordAudit(
    trx,
    o.user.id,
    { ...o.caller, principal },
    {
      action: 'session.started',
      target: `session:${session.sessionId}`,
      details: { through: o.through },
    },
  )
  return session
}

export async function sessionAnswer(
  { accounts }: Pick<AccountDeps, 'accounts'>,
  { user, session }: { user: SessionUser; session: OpenSession },
): Promise<Session> {
  const claims = { userId: user.id, sessionId: session.sessionId, role: user.role }
  return {
    access_token: await accounts.tokens.signAccess(claims, accessTokenMs),
    refresh_token: session.refreshToken,
    token_type: 'Bearer',
    expires_in: accessTokenMs / 1000,
    user: { id: user.id, email: user.email ?? '' },
  }
}

export function registrationClosed(): AppError {
  return new AppError('FORBIDDEN', 'New accounts are not made here: ask whoever runs this server.')
}

/** A row of `users` as the API shows it. */
export function toUser(row: Selectable<Database['users']>): User {
  return {
    id: row.id,
    email: row.email,
    emailVerified: row.email_verified_at !== null,
    role: row.role,
    subscription_level: row.plan,
    createdAt: row.created_at.toISOString(),
  }
}

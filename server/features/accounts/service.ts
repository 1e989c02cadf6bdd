import type { LoginRequest, RegisterRequest, Session, User } from '../../../contracts/accounts.ts'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { endSessions, refreshSession } from '../../auth/sessions.ts'
import type { Caller } from '../../http/caller.ts'
import { recordAudit } from '../audit/record.ts'
import {
  type AccountDeps,
  assertPasswordStands,
  beginSession,
  provePassword,
  registrationClosed,
  sessionAnswer,
  setPassword,
  tellEnded,
  toUser,
} from './account-steps.ts'
import { sendVerification } from './mail-links.ts'

/**
 * Makes an account and signs it in.
 * @throws AppError FORBIDDEN where registration is closed; CONFLICT for an address that has an account; RATE_LIMITED
 */
export async function register(deps: AccountDeps, request: RegisterRequest, caller: Caller): Promise<Session> {
  const { accounts } = deps
  if (accounts.registration === 'closed') throw registrationClosed()
  await accounts.throttle.spend('register', caller.address)
  // Before anything is looked up: an address that is taken and one that is free cost the same time.
  const hash = await accounts.passwords.hash(request.password)
  const nowMs = deps.clock.nowMs()
  const made = await deps.db
    .transaction(async trx => {
      const { id } = await trx
        .insertInto('users')
        .values({ email: request.email, role: 'user', is_local: false, created_at: new Date(nowMs) })
        .returning('id')
        .executeTakeFirstOrThrow()
      const user = { id: UserIdSchema.parse(id), email: request.email, role: 'user' } as const
      await setPassword(trx, { userId: user.id, hash, nowMs })
      await recordAudit(trx, user.id, caller, {
        action: 'account.registered',
        target: null,
        details: { through: 'password' },
      })
      return { user, session: await beginSession(trx, { user, nowMs, caller, through: 'password' }) }
    })
    .catch(error => {
      if (!(error instanceof AppError && error.code === 'CONFLICT')) throw error
      throw new AppError('CONFLICT', 'This address has an account already: sign in, or reset its password.')
    })
  if (accounts.mailer) accounts.later(sendVerification(deps, { id: made.user.id, email: request.email }))
  return await sessionAnswer(deps, made)
}

/**
 * Signs in with a password. An unknown address and a wrong password cost the same and get the same answer.
 * @throws AppError AUTH_REQUIRED, RATE_LIMITED
 */
export async function login(deps: AccountDeps, request: LoginRequest, caller: Caller): Promise<Session> {
  const { accounts, db } = deps
  const forgive = await accounts.throttle.attempt({ account: request.email, address: caller.address })
  const found = await db.system
    .selectFrom('users')
    .leftJoin('passwords', 'passwords.user_id', 'users.id')
    .select(['users.id', 'users.email', 'users.role', 'passwords.hash'])
    .where(eb => eb(eb.fn('lower', ['users.email']), '=', request.email.toLowerCase()))
    .executeTakeFirst()
  const { isRight, isWeak } = await accounts.passwords.verify(request.password, found?.hash ?? null)
  const hash = found?.hash ?? null
  if (!found || hash === null || !isRight) {
    throw new AppError('AUTH_REQUIRED', 'The e-mail address or the password is not right.')
  }
  await forgive()
  const user = { id: UserIdSchema.parse(found.id), email: found.email, role: found.role }
  const stronger = isWeak ? await accounts.passwords.hash(request.password) : null
  const nowMs = deps.clock.nowMs()
  const session = await db.transaction(async trx => {
    await assertPasswordStands(trx, user.id, hash)
    if (stronger !== null) await setPassword(trx, { userId: user.id, hash: stronger, nowMs })
    return await beginSession(trx, { user, nowMs, caller, through: 'password' })
  })
  return await sessionAnswer(deps, { user, session })
}

/**
 * Takes a refresh token in its turn (see `auth/sessions.ts`).
 * @throws AppError AUTH_REQUIRED for a token that is unknown, over, or comes again; the latter ends the session
 */
export async function refresh(deps: AccountDeps, token: string, caller: Caller): Promise<Session> {
  const { accounts, clock } = deps
  const refreshed = await deps.db.transaction(async trx => {
    const result = await refreshSession(trx, { token, refreshKey: accounts.refreshKey, nowMs: clock.nowMs() })
    if (result.outcome === 'reused') {
      await recordAudit(trx, result.userId, caller, { action: 'session.reused', target: `session:${result.sessionId}` })
    }
    return result
  })
  switch (refreshed.outcome) {
    case 'renewed':
      return await sessionAnswer(deps, refreshed)
    case 'reused':
      await tellEnded(deps, refreshed.userId, [refreshed.sessionId])
      throw sessionOver()
    case 'refused':
      throw sessionOver()
  }
}

/** Ends the session of the access token that the request came with; its tokens are refused from now on. */
export async function logout(deps: AccountDeps, userId: UserId, caller: Caller): Promise<void> {
  const sessionId = caller.principal?.credentialId
  if (!sessionId) {
    throw new AppError('CONFLICT', 'This token is of a session that is kept elsewhere: sign out where you signed in.')
  }
  await deps.db.transaction(async trx => {
    await endSessions(trx, { userId, sessionId, reason: 'logout', nowMs: deps.clock.nowMs() })
    await recordAudit(trx, userId, caller, { action: 'session.ended', target: `session:${sessionId}` })
  })
  await tellEnded(deps, userId, [sessionId])
}

/** The user as the user sees it: read as that user. @throws AppError AUTH_REQUIRED when the account is gone */
export async function readUser({ db }: Pick<AccountDeps, 'db'>, userId: UserId): Promise<User> {
  const row = await db.asUser(userId, trx =>
    trx.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirst(),
  )
  if (!row) throw sessionOver()
  return toUser(row)
}

/**
 * Sets another password and ends the user's other sessions.
 * @throws AppError AUTH_REQUIRED for a wrong present password; CONFLICT for an account without one; RATE_LIMITED
 */
export async function changePassword(
  deps: AccountDeps,
  userId: UserId,
  request: { current_password: string; new_password: string },
  caller: Caller,
): Promise<void> {
  const shown = await provePassword(deps, {
    userId,
    password: request.current_password,
    caller,
    ifNone: 'This account has no password yet: ask for a link that sets one (forgotten password).',
    ifWrong: 'The present password is not right: nothing was changed.',
  })
  const hash = await deps.accounts.passwords.hash(request.new_password)
  const nowMs = deps.clock.nowMs()
  const ended = await deps.db.transaction(async trx => {
    await assertPasswordStands(trx, userId, shown)
    await setPassword(trx, { userId, hash, nowMs })
    await recordAudit(trx, userId, caller, { action: 'password.changed', target: null })
    const except = caller.principal?.credentialId ?? null
    return await endSessions(trx, { userId, except, reason: 'password_changed', nowMs })
  })
  await tellEnded(deps, userId, ended)
}

function sessionOver(): AppError {
  return new AppError('AUTH_REQUIRED', 'The session is over: sign in again.')
}

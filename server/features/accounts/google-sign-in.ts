import type { GoogleExchangeRequest, Session } from '../../../contracts/accounts.ts'
import { AppError } from '../../../contracts/errors.ts'
import { UserIdSchema } from '../../../contracts/ids.ts'
import { sqlStateOf, uniqueViolation } from '../../../core/db/sql-errors.ts'
import type { GoogleSignIn, GoogleUser } from '../../auth/google.ts'
import type { Caller } from '../../http/caller.ts'
import { recordAudit } from '../audit/record.ts'
import { type AccountDeps, beginSession, registrationClosed, sessionAnswer } from './account-steps.ts'

/**
 * Signs in with an ID token of Google.
 * @throws AppError NOT_CONFIGURED, BAD_REQUEST for a token that fails, CONFLICT (see `signIn`), FORBIDDEN where it would
 *   make an account and registration is closed
 */
export async function googleSignIn(
  deps: AccountDeps,
  request: { access_token: string; nonce?: string | undefined },
  caller: Caller,
): Promise<Session> {
  const user = await googleOf(deps).verify(request.access_token, request.nonce ?? null)
  return await signIn(deps, user, caller)
}

/** The same with a code that the browser brought back to a program on the user's machine. */
export async function googleExchange(
  deps: AccountDeps,
  request: GoogleExchangeRequest,
  caller: Caller,
): Promise<Session> {
  const user = await googleOf(deps).exchange({
    code: request.code,
    codeVerifier: request.code_verifier,
    redirectUri: request.redirect_uri,
    nonce: request.nonce ?? null,
  })
  return await signIn(deps, user, caller)
}

function googleOf({ accounts }: AccountDeps): GoogleSignIn {
  if (accounts.google) return accounts.google
  throw new AppError(
    'NOT_CONFIGURED',
    'Signing in with Google is not set up on this server: GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET are not set.',
  )
}

/**
 * Finds the account that is linked to the Google user; else links the one with the same address; else makes one.
 *
 * Only an address that both sides have verified links: anybody may have registered with somebody else's address and a
 * password, and waits for its owner to move in. Such an account is left alone; its address's owner takes it by a reset
 * of the password, which proves the address and ends everybody else's sessions.
 *
 * @throws AppError CONFLICT for an account with the same address that was never verified
 */
async function signIn(deps: AccountDeps, google: GoogleUser, caller: Caller): Promise<Session> {
  try {
    return await findOrMake(deps, google, caller)
  } catch (error) {
    // Of two first visits at once one makes the account; the other one finds it.
    if (sqlStateOf(error) === uniqueViolation) return await findOrMake(deps, google, caller)
    throw error
  }
}

async function findOrMake(deps: AccountDeps, google: GoogleUser, caller: Caller): Promise<Session> {
  const nowMs = deps.clock.nowMs()
  const now = new Date(nowMs)
  const answer = await deps.db.transaction(async trx => {
    const linked = await trx
      .selectFrom('identities')
      .innerJoin('users', 'users.id', 'identities.user_id')
      .select(['users.id', 'users.email', 'users.role'])
      .where('provider', '=', 'google')
      .where('subject', '=', google.subject)
      .executeTakeFirst()
    if (linked) {
      const user = { ...linked, id: UserIdSchema.parse(linked.id) }
      return { user, session: await beginSession(trx, { user, nowMs, caller, through: 'google' }) }
    }
    const same = await trx
      .selectFrom('users')
      .select(['id', 'email', 'role', 'email_verified_at'])
      .where(eb => eb(eb.fn('lower', ['email']), '=', google.email.toLowerCase()))
      .forUpdate()
      .executeTakeFirst()
    if (same && same.email_verified_at === null) {
      throw new AppError(
        'CONFLICT',
        'An account with this address exists, but its address was never verified: reset its password by mail, then Google can be used.',
      )
    }
    if (!same && deps.accounts.registration === 'closed') throw registrationClosed()
    const found =
      same ??
      (await trx
        .insertInto('users')
        .values({ email: google.email, role: 'user', is_local: false, email_verified_at: now, created_at: now })
        .returning(['id', 'email', 'role'])
        .executeTakeFirstOrThrow())
    const user = { id: UserIdSchema.parse(found.id), email: found.email, role: found.role }
    if (!same) {
      await recordAudit(trx, user.id, caller, {
        action: 'account.registered',
        target: null,
        details: { through: 'google' },
      })
    }
    await trx
      .insertInto('identities')
      .values({ provider: 'google', subject: google.subject, user_id: user.id, created_at: now })
      .execute()
    await recordAudit(trx, user.id, caller, { action: 'identity.linked', target: 'google' })
    return { user, session: await beginSession(trx, { user, nowMs, caller, through: 'google' }) }
  })
  return await sessionAnswer(deps, answer)
}

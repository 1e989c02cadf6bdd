/**
 * The end of an account. Private numbers go first, while the account is still there to ask again when the analytics store
 * does not answer; then the account itself, with which every row of the relational store goes. Numbers that a job wrote in
 * between are found by `sweepOwnNumbers`.
 */
import { sql, type Transaction } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { assertPasswordStands, provePassword, tellEnded } from '../accounts/account-steps.ts'
import { tellOfKeys } from '../keys/service.ts'
import { takeRevocations } from '../links/accounts.ts'
import { removeFiles } from '../media-jobs/files.ts'
import { removeOwnNumbers } from './own-numbers.ts'

type RemovalDeps = Pick<
  ServerDeps,
  'db' | 'store' | 'bus' | 'clock' | 'log' | 'usage' | 'accounts' | 'vault' | 'platforms' | 'media'
>

/** Who signed in this shortly before needs no password. */
const freshMs = 10 * 60_000
const refusals = {
  ifNone: 'This account has no password: sign in again and repeat this without one.',
  ifWrong: 'The password is not right: nothing was removed.',
}

/**
 * Removes an account and everything that it owned, in every store; what it linked is revoked at the platforms. The audit
 * log goes too: what stays is one line in the server's log, with the account's id.
 *
 * @param password of the account; undefined for a session of the last ten minutes
 * @throws AppError FORBIDDEN for a wrong password, or without one for an older session; CONFLICT for the owner of this
 * installation, or a password that the account does not have; RATE_LIMITED; UNAVAILABLE, and nothing but numbers is gone
 */
export async function removeAccount(
  deps: RemovalDeps,
  userId: UserId,
  caller: Caller,
  password: string | undefined,
): Promise<void> {
  await refuseOwner(deps, userId)
  const shown = password === undefined ? null : await provePassword(deps, { userId, password, caller, ...refusals })
  if (shown === null) await checkFresh(deps, userId, caller)
  await removeOwnNumbers(deps.store, userId)
  const revokeLinks = await takeRevocations(deps, userId)
  const prefixes = await deps.db.transaction(async trx => {
    if (shown !== null) await assertPasswordStands(trx, userId, shown)
    const keys = await trx.selectFrom('api_keys').select('prefix').where('owner_id', '=', userId).execute()
    await removeJobs(trx, userId)
    await trx.deleteFrom('users').where('id', '=', userId).execute()
    return keys.map(key => key.prefix)
  })
  deps.usage.forget(userId)
  await tellEnded(deps, userId, [null])
  await tellOfKeys(deps, prefixes)
  await removeFiles(deps, { ownerId: userId, everything: true })
  // Platforms may be slow, and nothing here depends on them.
  deps.accounts.later(revokeLinks())
  deps.log.info({ userId, requestId: caller.requestId }, 'An account was removed, with everything that it owned.')
}

async function refuseOwner({ db }: RemovalDeps, userId: UserId): Promise<void> {
  const user = await db.asUser(userId, trx =>
    trx.selectFrom('users').select('is_local').where('id', '=', userId).executeTakeFirst(),
  )
  if (!user) throw new AppError('AUTH_REQUIRED', 'This account is gone already.')
  if (!user.is_local) return
  throw new AppError(
    'CONFLICT',
    'This is the owner of the installation, to whom its data belongs: stop the server and delete its home folder instead.',
  )
}

async function checkFresh({ db, clock }: RemovalDeps, userId: UserId, caller: Caller): Promise<void> {
  const sessionId = caller.principal?.credentialId
  const session = sessionId
    ? await db.asUser(userId, trx =>
        trx.selectFrom('sessions').select('created_at').where('id', '=', sessionId).executeTakeFirst(),
      )
    : undefined
  if (session && clock.nowMs() - session.created_at.getTime() <= freshMs) return
  throw new AppError(
    'FORBIDDEN',
    'Send your password with this (a link for a forgotten one sets it), or sign in again and repeat this within ten minutes.',
  )
}

/** Jobs that name the user: waiting, and done ones that are still kept. The queue makes its tables when it first runs. */
async function removeJobs(trx: Transaction<Database>, userId: UserId): Promise<void> {
  const { rows } = await sql<{ isThere: boolean }>`select to_regclass('pgboss.job') is not null as "isThere"`.execute(
    trx,
  )
  if (rows[0]?.isThere) await sql`delete from pgboss.job where data::text like ${`%${userId}%`}`.execute(trx)
}

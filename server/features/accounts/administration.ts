import type { GivenRole, User } from '../../../contracts/accounts.ts'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { recordAudit } from '../audit/record.ts'
import { type AccountDeps, tellEnded, toUser } from './account-steps.ts'
import { passwordLink } from './mail-links.ts'

// What the operator does with accounts, through the control socket: whoever may open it owns the installation. The audit
// log of the account that was changed keeps it, as done by the system.

/** Everybody who has an account, oldest first. */
export async function listAccounts({ db }: Pick<AccountDeps, 'db'>): Promise<User[]> {
  const rows = await db.system.selectFrom('users').selectAll().orderBy('created_at').orderBy('id').execute()
  return rows.map(toUser)
}

/**
 * Makes an account without a password, also where registration is closed.
 * @returns the link of one use under which its person sets a password
 * @throws AppError CONFLICT for an address that has an account
 */
export async function addAccount(deps: AccountDeps, request: { email: string; role: GivenRole }): Promise<string> {
  const { email, role } = request
  const userId = await deps.db
    .transaction(async trx => {
      const { id } = await trx
        .insertInto('users')
        .values({ email, role, is_local: false, created_at: new Date(deps.clock.nowMs()) })
        .returning('id')
        .executeTakeFirstOrThrow()
      const made = UserIdSchema.parse(id)
      await recordAudit(trx, made, null, {
        action: 'account.registered',
        target: null,
        details: { through: 'operator', role },
      })
      return made
    })
    .catch(error => {
      if (!(error instanceof AppError && error.code === 'CONFLICT')) throw error
      throw new AppError('CONFLICT', `${email} has an account already.`)
    })
  return await passwordLink(deps, userId)
}

/** Another link to set a password. @throws AppError NOT_FOUND for an address without an account */
export async function renewLink(deps: AccountDeps, email: string): Promise<string> {
  return await passwordLink(deps, await idOf(deps, email))
}

/**
 * Gives somebody another role: for requests at once, for open connections by having them opened again.
 * @throws AppError NOT_FOUND for an address without an account
 */
export async function changeRole(deps: AccountDeps, request: { email: string; role: GivenRole }): Promise<void> {
  const { email, role } = request
  const userId = await idOf(deps, email)
  await deps.db.transaction(async trx => {
    await trx.updateTable('users').set({ role }).where('id', '=', userId).execute()
    await recordAudit(trx, userId, null, { action: 'role.changed', target: null, details: { role } })
  })
  await tellEnded(deps, userId, [null])
}

async function idOf({ db }: Pick<AccountDeps, 'db'>, email: string): Promise<UserId> {
  const row = await db.system
    .selectFrom('users')
    .select('id')
    .where(eb => eb(eb.fn('lower', ['users.email']), '=', email.toLowerCase()))
    .where('is_local', '=', false)
    .executeTakeFirst()
  if (!row) throw new AppError('NOT_FOUND', `${email} has no account here.`)
  return UserIdSchema.parse(row.id)
}

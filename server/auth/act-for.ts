import { AppError } from '../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { Db } from '../../core/db/port.ts'
import type { Principal } from './authenticator.ts'

/**
 * For whom a request acts that names a user: what follows runs under that user's row level security. A service key acts
 * for any account that is there; everybody else for themselves alone.
 *
 * @param named the `user_id` of the request
 * @throws AppError NOT_FOUND for anybody else, whether they exist or not
 */
export async function actingUser(deps: { db: Db }, principal: Principal, named: string): Promise<UserId> {
  const parsed = UserIdSchema.safeParse(named.toLowerCase())
  if (!parsed.success) throw nobody()
  if (!principal.isService) {
    if (parsed.data !== principal.userId) throw nobody()
    return principal.userId
  }
  const user = await deps.db.system.selectFrom('users').select('id').where('id', '=', parsed.data).executeTakeFirst()
  if (!user) throw nobody()
  return parsed.data
}

function nobody(): AppError {
  return new AppError('NOT_FOUND', 'There is no user of that id here: correct user_id.')
}

import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { Db } from './port.ts'

/**
 * The user that everything on a home without accounts belongs to. Made by the first call; every later call, from any
 * process, finds the same one.
 */
export async function ensureLocalOwner(db: Db): Promise<UserId> {
  await db.system
    .insertInto('users')
    .values({ email: null, role: 'owner', is_local: true })
    .onConflict(conflict => conflict.doNothing())
    .execute()
  const owner = await db.system
    .selectFrom('users')
    .select('id')
    .where('is_local', '=', true)
    .limit(1)
    .executeTakeFirstOrThrow()
  return UserIdSchema.parse(owner.id)
}

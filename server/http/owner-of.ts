import assert from 'node:assert/strict'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import type { Caller } from './caller.ts'

/**
 * Whose request it is. Only for routes that are not open.
 * @throws AppError FORBIDDEN for a service key, which has no data of its own and acts only for the users that it names
 */
export function ownerOf(caller: Caller): UserId {
  assert(caller.principal, 'the route is not open, so the app has authenticated the caller')
  if (caller.principal.isService) {
    throw new AppError('FORBIDDEN', "A service key opens nobody's data here: use a key or a session of the person.")
  }
  return caller.principal.userId
}

import assert from 'node:assert/strict'
import type { UserId } from '../../contracts/ids.ts'
import type { RouteContext } from './route.ts'

/** Whose request it is. Only for routes that are not open. */
export function ownerOf(context: RouteContext): UserId {
  assert(context.principal, 'the route is not open, so the app has authenticated the caller')
  return context.principal.userId
}

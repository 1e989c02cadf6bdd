import type { AnalyticsContext } from '../../analytics/context.ts'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import type { ServerDeps } from '../deps.ts'
import type { ClipperDesk } from './copies/own-clippers.ts'

/**
 * What a measure stands on at this moment: the world that is looked at now, with its clock, and the niches' rules.
 * @throws AppError UNAVAILABLE while one world goes and the next is not there yet
 */
export function measureContext(deps: Pick<ServerDeps, 'store' | 'world' | 'niches'>): AnalyticsContext {
  const world = deps.world.current()
  if (world.gone?.aborted) {
    throw new AppError('UNAVAILABLE', 'The numbers that are shown are being replaced: try again in a moment.')
  }
  return { store: deps.store, world, niches: deps.niches() }
}

/**
 * The same with the clipper counts of one user. Media of users are real: a replay that is looked at has no copies.
 * @param owner null: with nobody's
 * @throws AppError as `measureContext`
 */
export async function ownMeasureContext(
  deps: Pick<ServerDeps, 'store' | 'world' | 'niches'> & { readonly clippers: Pick<ClipperDesk, 'of'> },
  owner: UserId | null,
): Promise<AnalyticsContext> {
  const ctx = measureContext(deps)
  const clippers = owner === null || ctx.world.database === 'replay' ? null : await deps.clippers.of(owner)
  return clippers === null ? ctx : { ...ctx, clippers }
}

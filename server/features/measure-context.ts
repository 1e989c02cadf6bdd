import type { AnalyticsContext } from '../../analytics/context.ts'
import { AppError } from '../../contracts/errors.ts'
import type { ServerDeps } from '../deps.ts'

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

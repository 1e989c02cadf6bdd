import type { AnalyticsContext } from '../../analytics/context.ts'
import type { ServerDeps } from '../deps.ts'

/** What a measure stands on at this moment: the world that is looked at now, with its clock, and the niches' rules. */
export function measureContext(deps: Pick<ServerDeps, 'store' | 'world' | 'niches'>): AnalyticsContext {
  return { store: deps.store, world: deps.world.current(), niches: deps.niches() }
}

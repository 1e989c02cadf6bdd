import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import type { World } from '../core/world.ts'
import type { OwnClippers } from './copies/clippers.ts'
import type { NicheRules } from './niches/rules.ts'

/** What every measure stands on: where the numbers are, which world with which clock, and which niche rules. */
export interface AnalyticsContext {
  readonly store: AnalyticsStore
  readonly world: World
  readonly niches: NicheRules
  /** The clipper counts of the user who asks; left out of what users share, and where there are none. */
  readonly clippers?: OwnClippers
  /** As in `QueryTarget`. */
  readonly threadsMax?: number
}

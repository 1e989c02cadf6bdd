import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import type { World } from '../core/world.ts'
import type { NicheRules } from './niches/rules.ts'

/** What every measure stands on: where the numbers are, which world with which clock, and which niche rules. */
export interface AnalyticsContext {
  readonly store: AnalyticsStore
  readonly world: World
  readonly niches: NicheRules
  /** As in `QueryTarget`. */
  readonly threadsMax?: number
}

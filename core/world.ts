import type { Clock } from './clock.ts'

/** The ClickHouse databases that hold numbers: the real one, and the one of a replay. Both have the same tables. */
export const worldDatabases = ['cliptape', 'replay'] as const
export type WorldDatabase = (typeof worldDatabases)[number]

/** Numbers and the clock they are looked at with. A replay has both of its own, so it can never mix with real rows. */
export interface World {
  readonly database: WorldDatabase
  readonly clock: Clock
  /** Aborted when its tables are about to go: whoever reads them then may find none. Left out of a world that stays. */
  readonly gone?: AbortSignal
}

import type { UserId } from '../../contracts/ids.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { AnalyticsStore } from '../../core/clickhouse/port.ts'
import type { Config } from '../../core/config.ts'
import type { Db } from '../../core/db/port.ts'
import type { HomePaths } from '../../core/home.ts'
import type { KeyValue } from '../../core/key-value/port.ts'
import type { Scope } from '../../core/lifecycle.ts'
import type { Log } from '../../core/log.ts'

/** What every role stands on, whichever profile it came from. Migrations have run. */
export interface Stores {
  readonly db: Db
  readonly store: AnalyticsStore
  readonly bus: Bus
  readonly keyValue: KeyValue
  /** The local owner: whose imports, queries and dead letters these are. */
  readonly ownerId: UserId
  /** As configured, or made once in the home. */
  readonly secrets: { readonly jwt: string; readonly agentKey: string }
}

export interface OpenOptions {
  readonly config: Config
  readonly paths: HomePaths
  readonly scope: Scope
  readonly log: Log
}

/** Opens the stores of the configured profile; they are closed by the scope. */
export async function openStores(options: OpenOptions): Promise<Stores> {
  const { stores } = options.config
  if (stores.profile === 'embedded') {
    const { openEmbedded } = await import('./embedded.ts')
    return openEmbedded(options)
  }
  const { openCluster } = await import('./cluster.ts')
  return openCluster(options, stores)
}

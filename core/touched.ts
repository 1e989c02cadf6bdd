import type { Platform } from '../contracts/ids.ts'
import type { WorldDatabase } from './world.ts'

/**
 * What one durable batch of the writer touched: whoever keeps rollups right recomputes only this. Instants are epoch
 * milliseconds of the samples' `observedAtMs`, both ends included. `videos` holds each video once, is cut at
 * `touchedVideosMax`, and `isCut` says so: then only the time range is known.
 */
export interface Touched {
  readonly database: WorldDatabase
  readonly rowCount: number
  readonly minObservedAtMs: number
  readonly maxObservedAtMs: number
  readonly videos: readonly { readonly platform: Platform; readonly videoId: string }[]
  readonly isCut: boolean
}

/** The most videos that one `Touched` names; a `samples.written` message has the same limit. */
export const touchedVideosMax = 1000

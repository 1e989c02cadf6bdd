/** What `bench/live.ts` and its server process tell each other. */
export type Order =
  | { type: 'write'; perSecond: number }
  | { type: 'stats' }
  | { type: 'broadcast'; groups: number; frameBytes: number }
  | { type: 'stop' }

export type Report =
  | { type: 'ready'; url: string; rawUrl: string }
  | { type: 'acknowledged'; number: number; atMs: number }
  | {
      type: 'stats'
      rssBytes: number
      engineRssBytes: number
      cpuMs: number
      metrics: string
      writeMsMax: number
      failedWrites: number
    }

export const token = 'bench-token'
/** A video with far more views than any other: it is in every list, and its views count the writes. */
export const markerVideo = 'marker'
export const rowsPerWrite = 20

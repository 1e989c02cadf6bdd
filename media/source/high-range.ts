import type { InputVideoTrack } from 'mediabunny'
import type { HighRange } from '../engine/port.ts'

/** How a picture codes what is brighter than a usual screen, as its container or stream says it; nothing of a usual one. */
export async function highRangeOf(track: InputVideoTrack): Promise<{ readonly highRange?: HighRange }> {
  const { transfer } = await track.getColorSpace()
  return transfer === 'pq' || transfer === 'hlg' ? { highRange: transfer } : {}
}

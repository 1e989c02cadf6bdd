import type { EngineTask } from './port.ts'

/** A little more than 4K: 4096 × 2160. */
export const pixelsMaxDefault = 9_000_000
/** What an engine may write, in bytes. */
export const fileBytesMax = 4 * 1024 ** 3

/** Besides its estimate. What runs in the background gets what others leave, which may be nothing for minutes. */
const wallFloorsSec = { watched: 20, background: 300 }
const wallSharesMax = { watched: 4, background: 10 }
const cpuFloorSec = 40
const cpuSharesMax = 8
const memoryBytes = 1024 ** 3
const memoryBytesOfLargePictures = 3 * 1024 ** 3

/** How long a task may take, in ms of real time: some time, and a multiple of what it was estimated to need. */
export function wallMsMax({ cpuSecEstimate, isWatched }: Pick<EngineTask, 'cpuSecEstimate' | 'isWatched'>): number {
  const kind = isWatched ? 'watched' : 'background'
  return (wallFloorsSec[kind] + wallSharesMax[kind] * Math.max(0, cpuSecEstimate)) * 1000
}

/** How much processor time a task may take, in whole seconds: 40 s and eight times its estimate. */
export function cpuSecMax({ cpuSecEstimate }: Pick<EngineTask, 'cpuSecEstimate'>): number {
  return Math.ceil(cpuFloorSec + cpuSharesMax * Math.max(0, cpuSecEstimate))
}

/** How much memory decoding pictures of up to so many pixels may take, in bytes. */
export function memoryBytesMax(pixelsMax: number): number {
  return pixelsMax > pixelsMaxDefault ? memoryBytesOfLargePictures : memoryBytes
}

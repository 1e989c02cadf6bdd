/** A little more than 4K: 4096 × 2160. */
export const pixelsMaxDefault = 9_000_000
/** What an engine may write, in bytes. */
export const fileBytesMax = 4 * 1024 ** 3

const wallMsFloor = 20_000
const wallPerEstimate = 4
const memoryBytes = 1024 ** 3
const memoryBytesOfLargePictures = 3 * 1024 ** 3

/** How long a task may take, in ms of real time: 20 s and four times what it was estimated to need. */
export function wallMsMax(cpuSecEstimate: number): number {
  return wallMsFloor + wallPerEstimate * Math.max(0, cpuSecEstimate) * 1000
}

/** How much memory decoding pictures of up to so many pixels may take, in bytes. */
export function memoryBytesMax(pixelsMax: number): number {
  return pixelsMax > pixelsMaxDefault ? memoryBytesOfLargePictures : memoryBytes
}

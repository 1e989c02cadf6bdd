import type { EngineTask } from './port.ts'

/** A little more than 4K: 4096 × 2160. */
export const pixelsMaxDefault = 9_000_000
const wallMsFloor = 20_000
const wallPerEstimate = 4
const memoryBytes = 1024 ** 3
const memoryBytesOfLargePictures = 3 * 1024 ** 3
const fileBytesMax = 4 * 1024 ** 3

/** How long a task may take, in ms of real time: 20 s and four times what it was estimated to need. */
export function wallMsMax(cpuSecEstimate: number): number {
  return wallMsFloor + wallPerEstimate * Math.max(0, cpuSecEstimate) * 1000
}

/** How much memory a task may address and how large a file it may write, in bytes. */
export function bytesMaxOfEngine(task: EngineTask): { memory: number; file: number } {
  const isLarge = (task.pixelsMax ?? pixelsMaxDefault) > pixelsMaxDefault
  return { memory: isLarge ? memoryBytesOfLargePictures : memoryBytes, file: fileBytesMax }
}

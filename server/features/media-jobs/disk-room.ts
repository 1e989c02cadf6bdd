import { AppError } from '../../../contracts/errors.ts'

/** Below this share of free disk no new work begins. */
const freeMin = 0.1
const retryAfterMs = 60_000

/** @throws AppError UNAVAILABLE, with when to come back, while the disk is almost full */
export async function assertDiskHasRoom(media: { freeDiskShare(): Promise<number> }): Promise<void> {
  if ((await media.freeDiskShare()) >= freeMin) return
  throw new AppError('UNAVAILABLE', 'The disk is almost full: new work begins when there is room again.', {
    details: { retryAfterMs },
  })
}

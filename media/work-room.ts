import { AppError } from '../contracts/errors.ts'

/** Below this share of free disk copies stop growing: what is there must go on. */
const freeMin = 0.05
/** After so many bytes the disk is looked at again. */
const lookedAtBytes = 64 * 1024 ** 2

/** What one piece of work has taken of the room. */
export interface RoomShare {
  /**
   * Takes room for bytes that are about to be written.
   * @throws AppError UNAVAILABLE when there is no more
   */
  take(bytes: number): Promise<void>
  /** What was taken is free again. */
  giveBack(): void
}

/** The room on this machine's disk for copies of media that lies elsewhere: all work of a process shares it. */
export class WorkRoom {
  readonly #bytesMax: number
  readonly #freeDiskShare: () => Promise<number>
  #bytes = 0
  #unlookedBytes = Number.POSITIVE_INFINITY

  constructor(o: { readonly bytesMax: number; readonly freeDiskShare: () => Promise<number> }) {
    this.#bytesMax = o.bytesMax
    this.#freeDiskShare = o.freeDiskShare
  }

  share(): RoomShare {
    let taken = 0
    return {
      take: async bytes => {
        if (this.#bytes + bytes > this.#bytesMax) throw this.#full(bytes)
        this.#bytes += bytes
        taken += bytes
        this.#unlookedBytes += bytes
        if (this.#unlookedBytes < lookedAtBytes) return
        this.#unlookedBytes = 0
        if ((await this.#freeDiskShare()) < freeMin)
          throw new AppError('UNAVAILABLE', 'The disk is almost full: media that lies elsewhere cannot be copied here.')
      },
      giveBack: () => {
        this.#bytes -= taken
        taken = 0
      },
    }
  }

  /** Waiting helps where others have the room, not where there is too little of it. */
  #full(bytes: number): AppError {
    const gib = Math.floor(this.#bytesMax / 1024 ** 3)
    return bytes > this.#bytesMax
      ? new AppError(
          'BAD_REQUEST',
          `This media is larger than what may be copied to this machine (${gib} GiB, CLIPTAPE_WORK_GIB).`,
        )
      : new AppError('UNAVAILABLE', `Copies of media take all of the ${gib} GiB that they may: try again later.`)
  }
}

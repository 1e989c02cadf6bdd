import type { UserId } from '../../contracts/ids.ts'

/** Of one file: that of about four hours. */
const bytesOfFileMax = 24 * 1024 ** 2
const bytesMaxDefault = 96 * 1024 ** 2

/** What was read of a file to find its way about in it. */
export interface SourceIndex {
  /** How long the file was. */
  readonly bytes: number
  /** What told its content from another at the same place. */
  readonly version: string
  /** By their number. */
  readonly blocks: ReadonlyMap<number, Uint8Array>
}

/** Indexes of the files of one user, by where they lie. */
export interface OwnIndexes {
  find(place: string): SourceIndex | null
  keep(place: string, index: SourceIndex): void
}

/**
 * The indexes of files far away (where in them which frame lies), as they were read: in memory, so that the next cut or
 * strip of the same file does not fetch them again. What is no longer asked for goes first.
 */
export class SourceIndexes {
  readonly #bytesMax: number
  /** In the order of their last use. */
  readonly #kept = new Map<string, { readonly index: SourceIndex; readonly bytes: number }>()
  #bytes = 0

  /** @param o.bytesMax of all of them together, 96 MiB unless told */
  constructor(o: { readonly bytesMax?: number } = {}) {
    this.#bytesMax = o.bytesMax ?? bytesMaxDefault
  }

  /** Of one user's sources: an address may be a secret, so nobody finds what another has read. */
  of(ownerId: UserId): OwnIndexes {
    const keyOf = (place: string): string => `${ownerId} ${place}`
    return {
      find: place => this.#find(keyOf(place)),
      keep: (place, index) => this.#keep(keyOf(place), index),
    }
  }

  #find(key: string): SourceIndex | null {
    const found = this.#kept.get(key)
    if (found === undefined) return null
    this.#kept.delete(key)
    this.#kept.set(key, found)
    return found.index
  }

  #keep(key: string, index: SourceIndex): void {
    this.#drop(key)
    const bytes = [...index.blocks.values()].reduce((sum, block) => sum + block.length, 0)
    if (bytes > Math.min(bytesOfFileMax, this.#bytesMax)) return
    this.#kept.set(key, { index, bytes })
    this.#bytes += bytes
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#bytesMax) return
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0
    this.#kept.delete(key)
  }
}

import type { ByteFile } from './byte-file.ts'

/** What a file is fetched and kept in. */
const blockBytes = 128 * 1024
/** Of one request: a connection costs as much as some of this. */
const blocksOfRequestMax = 16
const requestsMax = 6
/** Fetched or on the way, of one file. */
const blocksHeldMax = 256
/** How far ahead of who reads is fetched: what waits longer might be given up before it is read. */
const blocksAheadMax = blocksOfRequestMax * requestsMax
/** Averages lie: what is announced is fetched ahead but for a little, which comes as it is asked for. */
const announcedShare = 0.97

/** A file that lies far away, fetched in blocks. */
export interface BlockFile extends ByteFile {
  /**
   * Says that about so many bytes in a row will be read, from the next read on, or the next one there where it is known
   * exactly where: they are fetched ahead, up to six requests of 2 MiB at a time. Nothing else is fetched that nobody
   * asked for.
   */
  willRead(span: { readonly bytes: number; readonly from?: number }): void
  /** What has been fetched so far and is still held, by the number of the block. */
  held(): Promise<ReadonlyMap<number, Uint8Array>>
}

/**
 * Reads a file in blocks, each of which is asked for once while it is held: 32 MiB of them.
 * @param known blocks that need not be fetched, by number: whole, but for the last of the file
 */
export function blockFile(file: ByteFile, known: ReadonlyMap<number, Uint8Array> = new Map()): BlockFile {
  /** In the order of their last use. */
  const blocks = new Map<number, Promise<Uint8Array>>()
  const blockCount = Math.ceil(file.bytes / blockBytes)
  /** What was announced and is not begun, in blocks. */
  let announced: { readonly first: number | null; readonly count: number } | null = null
  /** What is fetched ahead, in blocks. */
  let ahead = { next: 0, end: 0 }
  /** Where the last read ended. */
  let readEnd = 0
  let requestCount = 0

  const isHere = (index: number): boolean => known.has(index) || blocks.has(index)

  const fetchRun = (first: number, count: number): void => {
    requestCount += 1
    const run = file.read(first * blockBytes, Math.min(file.bytes, (first + count) * blockBytes))
    for (let index = first; index < first + count; index += 1) {
      const block = run.then(bytes => {
        const start = (index - first) * blockBytes
        // A copy, where one block would keep its neighbours in memory.
        return count === 1 ? bytes : bytes.slice(start, start + blockBytes)
      })
      block.catch(() => blocks.delete(index))
      blocks.set(index, block)
    }
    run.then(goOn, stopAhead)
    for (const index of blocks.keys()) {
      if (blocks.size <= blocksHeldMax) break
      blocks.delete(index)
    }
  }
  const goOn = (): void => {
    requestCount -= 1
    goAhead()
  }
  /** Whoever asks for what failed hears of it; what nobody asked for is not tried again. */
  const stopAhead = (): void => {
    requestCount -= 1
    ahead = { next: 0, end: 0 }
  }

  /** Fetches what is missing among some blocks, in as few requests as may be. */
  const fetchMissing = (first: number, end: number): void => {
    for (let index = first; index < end; index += 1) {
      if (isHere(index)) continue
      let count = 1
      while (index + count < end && count < blocksOfRequestMax && !isHere(index + count)) count += 1
      fetchRun(index, count)
      index += count - 1
    }
  }
  const goAhead = (): void => {
    while (requestCount < requestsMax) {
      while (ahead.next < ahead.end && isHere(ahead.next)) ahead.next += 1
      const end = Math.min(ahead.end, readEnd + blocksAheadMax)
      if (ahead.next >= end) return
      fetchMissing(ahead.next, Math.min(end, ahead.next + blocksOfRequestMax))
    }
  }

  const blockAt = async (index: number): Promise<Uint8Array> => {
    const here = known.get(index)
    if (here) return here
    if (!blocks.has(index)) fetchMissing(index, index + 1)
    const block = blocks.get(index)
    if (!block) throw new Error('A block is held from when it is asked for.')
    blocks.delete(index)
    blocks.set(index, block)
    return await block
  }

  return {
    bytes: file.bytes,
    async read(start, end) {
      const { first, count } = blocksOf(start, end)
      const last = first + count
      // What would not be held together is not cut into blocks.
      if (last - first > blocksHeldMax / 2) return await file.read(start, end)
      fetchMissing(first, last)
      if (announced && isWithin(first, announced)) {
        ahead = { next: last, end: Math.min(blockCount, (announced.first ?? first) + announced.count) }
        announced = null
      }
      readEnd = last
      goAhead()
      const target = new Uint8Array(end - start)
      for (let index = first; index < last; index += 1) {
        const block = await blockAt(index)
        const offset = index * blockBytes
        const part = block.subarray(Math.max(0, start - offset), Math.min(block.length, end - offset))
        target.set(part, Math.max(0, offset - start))
      }
      return target
    },
    willRead({ bytes, from }) {
      announced =
        from === undefined
          ? { first: null, count: Math.floor((bytes * announcedShare) / blockBytes) }
          : blocksOf(from, from + bytes)
    },
    async held() {
      const found = new Map(known)
      for (const [index, block] of blocks) {
        const bytes = await block.catch(() => null)
        if (bytes !== null) found.set(index, bytes)
      }
      return found
    },
    close: () => file.close(),
  }
}

/** The blocks that some bytes lie in. */
function blocksOf(start: number, end: number): { readonly first: number; readonly count: number } {
  const first = Math.floor(start / blockBytes)
  return { first, count: Math.ceil(end / blockBytes) - first }
}

function isWithin(index: number, { first, count }: { readonly first: number | null; readonly count: number }): boolean {
  return first === null || (index >= first && index < first + count)
}

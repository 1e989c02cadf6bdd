import { pictureHeadBytes, readPictureHead } from '../../contracts/pictures.ts'
import type { SetTimer } from '../keys/decoder.ts'
import type { HttpClient } from './http-client.ts'

// Raw pictures that the server decodes while it sends them. Screens say which they show, as they do with resources: what
// nobody looks at any more is cancelled, which ends the decoding. A question is sent when it has stood for a moment, so that a
// key held down does not start a decoder for every step, and answers are kept for the way back.

/** Pictures that a screen shows, all of one size. Equal path, query and size are one question. */
export interface PictureQuery {
  path: string
  query: Readonly<Record<string, string>>
  widthPx: number
  heightPx: number
}

/** Rows from the top; red, green and blue, a byte each. */
export interface Picture {
  atSec: number
  widthPx: number
  heightPx: number
  rgb: Uint8Array
}

/** What is known of a question: pictures by their number, as they come. Another object after every change. */
export interface Pictures {
  /** `error`: no more will come, and `message` says why. */
  status: 'loading' | 'ready' | 'error'
  cells: ReadonlyMap<number, Picture>
  message: string
}

export type ReadPictures = (query: PictureQuery) => Pictures

export interface PictureClientDeps {
  http: HttpClient
  setTimer: SetTimer
}

interface Entry {
  pictures: Pictures
  /** What it takes to stop; null once all has come. */
  stop: (() => void) | null
}

const settleMs = 80
/** Bytes of answers that nobody looks at, kept for the way back. */
const keptBytesMax = 24 * 1024 * 1024
const loading: Pictures = { status: 'loading', cells: new Map(), message: '' }

/** Fetches pictures. `onChange` is told after every one that came. */
export class PictureClient {
  readonly #deps: PictureClientDeps
  readonly #onChange: () => void
  /** In the order of use, the last used one last. */
  readonly #entries = new Map<string, Entry>()
  #wanted = new Set<string>()

  constructor(deps: PictureClientDeps, onChange: () => void) {
    this.#deps = deps
    this.#onChange = onChange
  }

  /** Asks for exactly these. */
  want(queries: readonly PictureQuery[]): void {
    this.#wanted = new Set(queries.map(keyOf))
    for (const [key, entry] of this.#entries) {
      if (this.#wanted.has(key)) continue
      // What was whole is kept; what failed may be asked for again.
      if (entry.stop === null && entry.pictures.status === 'ready') continue
      entry.stop?.()
      this.#entries.delete(key)
    }
    for (const query of queries) this.#open(query)
    this.#forgetOldest()
  }

  read(query: PictureQuery): Pictures {
    return this.#entries.get(keyOf(query))?.pictures ?? loading
  }

  close(): void {
    this.want([])
    this.#entries.clear()
  }

  #open(query: PictureQuery): void {
    const key = keyOf(query)
    const known = this.#entries.get(key)
    if (known !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return
    }
    const leaving = new AbortController()
    const entry: Entry = { pictures: loading, stop: null }
    const stopTimer = this.#deps.setTimer(settleMs, () => void this.#fetch(query, entry, leaving.signal))
    entry.stop = () => {
      stopTimer()
      leaving.abort()
    }
    this.#entries.set(key, entry)
  }

  async #fetch(query: PictureQuery, entry: Entry, signal: AbortSignal): Promise<void> {
    const { path, widthPx, heightPx } = query
    const size = { widthPx: String(widthPx), heightPx: String(heightPx) }
    const answer = await this.#deps.http.bytes(path, { ...query.query, ...size }, signal)
    if (signal.aborted) return
    let failed = answer.ok ? null : answer.message
    if (answer.ok) {
      try {
        for await (const { index, picture } of readPictures(answer.pieces, { widthPx, heightPx })) {
          if (signal.aborted) return
          const cells = new Map(entry.pictures.cells).set(index, picture)
          entry.pictures = { ...entry.pictures, cells }
          this.#onChange()
        }
      } catch {
        failed = 'The pictures broke off: the connection to the server was lost, or the file cannot be decoded there.'
      }
    }
    if (signal.aborted) return
    entry.stop = null
    entry.pictures = {
      ...entry.pictures,
      status: failed === null ? 'ready' : 'error',
      message: failed ?? '',
    }
    this.#onChange()
  }

  #forgetOldest(): void {
    let bytes = [...this.#entries.values()].reduce((sum, entry) => sum + bytesOf(entry), 0)
    for (const [key, entry] of this.#entries) {
      if (bytes <= keptBytesMax) return
      if (this.#wanted.has(key)) continue
      bytes -= bytesOf(entry)
      this.#entries.delete(key)
    }
  }
}

function bytesOf({ pictures }: Entry): number {
  return [...pictures.cells.values()].reduce((sum, { rgb }) => sum + rgb.length, 0)
}

/** Records as they are in the pieces of an answer, which break anywhere. */
async function* readPictures(
  pieces: AsyncIterable<Uint8Array>,
  size: { widthPx: number; heightPx: number },
): AsyncGenerator<{ index: number; picture: Picture }> {
  const recordBytes = pictureHeadBytes + size.widthPx * size.heightPx * 3
  let record = new Uint8Array(recordBytes)
  let filled = 0
  for await (const piece of pieces) {
    let at = 0
    while (at < piece.length) {
      const count = Math.min(recordBytes - filled, piece.length - at)
      record.set(piece.subarray(at, at + count), filled)
      filled += count
      at += count
      if (filled < recordBytes) continue
      const { index, atSec } = readPictureHead(record)
      yield { index, picture: { ...size, atSec, rgb: record.subarray(pictureHeadBytes) } }
      record = new Uint8Array(recordBytes)
      filled = 0
    }
  }
  if (filled > 0) throw new Error('The last picture was not whole.')
}

function keyOf({ path, query, widthPx, heightPx }: PictureQuery): string {
  return `${path}?${new URLSearchParams(query)} ${widthPx}x${heightPx}`
}

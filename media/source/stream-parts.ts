/**
 * The parts that a stream is made of, fetched before they are asked for.
 *
 * Whoever reads a stream asks for its parts one after the other and waits for each; on a line with a delay most of the
 * time is waiting. Here playlists are read beside the library that follows them, only to know which part comes next:
 * when one is asked for, those after it that lie in the span which was announced are asked for as well. A list that is
 * not understood is merely not fetched ahead. Renditions nobody plays are never touched, because only what follows a
 * part that was asked for is fetched.
 */
import { type BlockFile, blockFile } from './read-ahead.ts'
import type { RemoteFile } from './remote-file.ts'

/** The one that is asked for, and five more. */
const partsAheadMax = 5

interface TimeSpan {
  readonly startSec: number
  readonly endSec: number
}

/** A part as its list has it. */
interface StreamPart extends TimeSpan {
  readonly address: string
  /** Null: the whole file. */
  readonly range: { readonly start: number; readonly bytes: number } | null
}

/** @param isShared whether many parts lie in the file */
type OpenPart = (address: string, isShared: boolean) => Promise<RemoteFile>

/** The parts of one stream. */
export class StreamParts {
  readonly #open: OpenPart
  /** In which list a part is, and where. */
  readonly #places = new Map<string, { readonly list: readonly StreamPart[]; readonly index: number }>()
  readonly #ahead = new Map<string, Promise<RemoteFile>>()
  /** Files that hold many parts. */
  readonly #shared = new Map<string, BlockFile>()
  readonly #opening = new Set<Promise<RemoteFile>>()
  #announced: TimeSpan | null = null

  constructor(open: OpenPart) {
    this.#open = open
  }

  /** Learns what a playlist says; one that names other playlists has no parts. */
  learn(text: string, address: string): void {
    const list = partsOf(text, address)
    for (const [index, part] of list.entries())
      if (!this.#places.has(part.address)) this.#places.set(part.address, { list, index })
  }

  /** Says which span of the stream will be read, on its own clock. */
  willRead(span: TimeSpan): void {
    this.#announced = span
    for (const [address, file] of this.#shared) file.willRead(this.#announcedBytes(address))
  }

  /** The file at an address that the stream names, and what comes after it on its way. */
  async open(path: string): Promise<{ readonly file: RemoteFile; readonly blocks: BlockFile }> {
    const address = hrefOf(path)
    const opening = this.#ahead.get(address) ?? this.#begin(path)
    this.#ahead.delete(address)
    this.#goAhead(address)
    const file = await opening
    const blocks = blockFile(file)
    if (this.#isShared(address)) {
      this.#shared.set(address, blocks)
      blocks.willRead(this.#announcedBytes(address))
    } else if (this.#isAnnounced(address)) blocks.willRead({ from: 0, bytes: file.bytes })
    return { file, blocks }
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#opening)
  }

  #begin(address: string): Promise<RemoteFile> {
    const opening = this.#open(address, this.#isShared(hrefOf(address)))
    this.#opening.add(opening)
    // Whoever asks for it hears of a failure.
    const settle = (): unknown => this.#opening.delete(opening)
    opening.then(settle, settle)
    return opening
  }

  #goAhead(address: string): void {
    const place = this.#places.get(address)
    if (place === undefined) return
    const next = place.list.slice(place.index + 1, place.index + 1 + partsAheadMax)
    for (const part of next) {
      if (part.address === address || this.#ahead.has(part.address) || !this.#isAnnounced(part.address)) continue
      this.#ahead.set(part.address, this.#begin(part.address))
    }
  }

  #isAnnounced(address: string): boolean {
    const place = this.#places.get(address)
    const part = place?.list[place.index]
    return part !== undefined && this.#overlaps(part)
  }

  #isShared(address: string): boolean {
    const place = this.#places.get(address)
    return place?.list[place.index]?.range != null
  }

  /** Of a file that holds many parts: from the first that was announced to the last. */
  #announcedBytes(address: string): { readonly from: number; readonly bytes: number } {
    const ranges = (this.#places.get(address)?.list ?? []).flatMap(part =>
      part.address === address && part.range !== null && this.#overlaps(part) ? [part.range] : [],
    )
    const from = Math.min(...ranges.map(range => range.start))
    const end = Math.max(...ranges.map(range => range.start + range.bytes))
    return ranges.length === 0 ? { from: 0, bytes: 0 } : { from, bytes: end - from }
  }

  #overlaps(part: TimeSpan): boolean {
    const span = this.#announced
    return span !== null && part.startSec < span.endSec && part.endSec > span.startSec
  }
}

/** The parts that a media playlist names (RFC 8216, 4.3.2), on the clock that begins with the first of them. */
function partsOf(text: string, address: string): StreamPart[] {
  const found: StreamPart[] = []
  let atSec = 0
  let durationSec: number | null = null
  let range: StreamPart['range'] = null
  let lastEnd = 0
  for (const line of text.split(/\r?\n/).map(one => one.trim())) {
    const [, seconds] = /^#EXTINF:([\d.]+)/.exec(line) ?? []
    const [, bytes, start] = /^#EXT-X-BYTERANGE:(\d+)(?:@(\d+))?/.exec(line) ?? []
    if (seconds !== undefined) durationSec = Number(seconds)
    else if (bytes !== undefined) range = { start: start === undefined ? lastEnd : Number(start), bytes: Number(bytes) }
    else if (line !== '' && !line.startsWith('#') && durationSec !== null && URL.canParse(line, address)) {
      const endSec = atSec + durationSec
      found.push({ address: new URL(line, address).href, startSec: atSec, endSec, range })
      lastEnd = range === null ? 0 : range.start + range.bytes
      atSec = endSec
      durationSec = null
      range = null
    }
  }
  return found
}

function hrefOf(path: string): string {
  return URL.canParse(path) ? new URL(path).href : path
}

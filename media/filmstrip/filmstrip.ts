/**
 * A filmstrip: small pictures at even distances of a span, soon. A decoder that starts anew for each would take
 * seconds; one that reads the whole file, minutes. Keyframes need nothing before them: their packets are read from the
 * container and fed one after the other to a single decoder, coarse first, so that the strip is seen to fill between
 * the pictures that are there. Each cell shows the keyframe at or before its middle and says which instant that is.
 * Other codecs than H.264 start a decoder for each.
 */
import { EncodedPacketSink, type InputVideoTrack } from 'mediabunny'
import { keyPacketAt } from '../cut/span.ts'
import type { MediaEngine } from '../engine/port.ts'
import type { Picture } from '../picture.ts'
import { annexB, avcConfigOf } from '../source/h264.ts'
import { highRangeOf } from '../source/high-range.ts'
import type { OpenedMedia } from '../source/open-source.ts'
import { readingMedia } from '../source/reading-media.ts'
import { coarseFirst } from './coarse-first.ts'
import { turned } from './turned.ts'

/** Times on the media's timeline. */
export interface FilmstripRequest {
  readonly startSec: number
  readonly endSec: number
  /** At least 1; a few hundred at most, each of whose pictures is held until the end. */
  readonly cellCount: number
  /** The size of each cell's picture, as it is shown; proportions are for the caller to keep. */
  readonly widthPx: number
  readonly heightPx: number
}

export interface FilmstripCell {
  /** 0 to `cellCount` - 1, from the left. */
  readonly index: number
  /** The instant that the picture shows, at or before the middle of the cell. */
  readonly atSec: number
  readonly picture: Picture
}

interface FilmstripMedia {
  readonly opened: OpenedMedia
  /** The whole file in a private folder of ours; asked for only where keyframes cannot be fed to the decoder. */
  readonly localPath: () => Promise<string>
}

interface FilmstripTask {
  readonly signal?: AbortSignal
  /** Coarse first, each cell once or, where a damaged keyframe put pictures in doubt, twice: the later one holds. */
  readonly onCell: (cell: FilmstripCell) => void
}

/** Processor time of a cell, seconds: a 1080p keyframe takes about 12 ms, a decoder of its own 150. */
const cellCpuSec = { fed: 0.03, seeking: 0.5 }
/** Times of containers are rounded: a keyframe is looked for a little before its own. */
const seekSlackSec = 0.002

/**
 * Resolves when every cell has been given to `onCell`. A file without picture has no cells.
 * @throws AppError BAD_REQUEST when the file is damaged; as `MediaEngine.decode`; the signal's reason when it was
 *   aborted
 */
export async function makeFilmstrip(
  engine: MediaEngine,
  media: FilmstripMedia,
  request: FilmstripRequest,
  task: FilmstripTask,
): Promise<void> {
  const { video } = media.opened
  if (!video) return
  const board = cellBoard(media.opened.zeroSec, task.onCell)
  await readingMedia(task.signal, async () => {
    const isFed =
      (await video.getCodec()) === 'avc' && (await feedKeyframes(engine, { media, video, board }, request, task))
    if (!isFed) await seekKeyframes(engine, { media, video, board }, request, task)
  })
}

interface Work {
  readonly media: FilmstripMedia
  readonly video: InputVideoTrack
  readonly board: CellBoard
}

/**
 * One decoder for all keyframes, which come out as they went in.
 * @returns false when a keyframe did not come out: which picture is whose is then not known
 */
async function feedKeyframes(
  engine: MediaEngine,
  { media, video, board }: Work,
  request: FilmstripRequest,
  { signal }: FilmstripTask,
): Promise<boolean> {
  const config = await avcConfigOf(video)
  const sink = new EncodedPacketSink(video)
  async function* chunks() {
    for (const { index, middleSec } of cellsOf(request)) {
      const packet = await keyPacketAt(sink, media.opened.zeroSec + middleSec)
      // Streams made for broadcast hold start codes and parameter sets themselves.
      if (board.add(packet.timestamp, index)) yield config ? annexB(packet.data, config, true) : packet.data
    }
  }
  const range = await highRangeOf(video)
  // The bare stream does not say how the picture is turned.
  const rotationDeg = await video.getRotation()
  const isOnItsSide = rotationDeg === 90 || rotationDeg === 270
  const [widthPx, heightPx] = isOnItsSide ? [request.heightPx, request.widthPx] : [request.widthPx, request.heightPx]
  let shownCount = 0
  await engine.decode(
    {
      input: { kind: 'h264', chunks: chunks() },
      picture: { widthPx, heightPx, pixels: 'rgb24', which: 'all', framesMax: request.cellCount, ...range },
      sound: null,
    },
    { onFrame: ({ pixels }) => board.show(shownCount++, turned({ widthPx, heightPx, rgb: pixels }, rotationDeg)) },
    { cpuSecEstimate: cellCpuSec.fed * request.cellCount, isWatched: true, ...(signal && { signal }) },
  )
  return shownCount === board.keyframes.length
}

/** A decoder for each keyframe, two at a time. */
async function seekKeyframes(
  engine: MediaEngine,
  { media, video, board }: Work,
  request: FilmstripRequest,
  { signal }: FilmstripTask,
): Promise<void> {
  const sink = new EncodedPacketSink(video)
  for (const { index, middleSec } of cellsOf(request)) {
    signal?.throwIfAborted()
    if (board.has(index)) continue
    board.add((await keyPacketAt(sink, media.opened.zeroSec + middleSec)).timestamp, index)
  }
  const path = await media.localPath()
  const range = await highRangeOf(video)
  const { widthPx, heightPx } = request
  const left = board.keyframes.entries()
  const decodeNext = async () => {
    for (const [order, { fileSec }] of left) {
      await engine.decode(
        {
          input: { kind: 'file', path },
          picture: { widthPx, heightPx, pixels: 'rgb24', which: 'keyframes', framesMax: 1, ...range },
          sound: null,
          startSec: Math.max(0, fileSec - seekSlackSec),
        },
        { onFrame: ({ pixels }) => board.show(order, { widthPx, heightPx, rgb: pixels }) },
        { cpuSecEstimate: cellCpuSec.seeking, isWatched: true, ...(signal && { signal }) },
      )
    }
  }
  await Promise.all([decodeNext(), decodeNext()])
}

function* cellsOf({ startSec, endSec, cellCount }: FilmstripRequest) {
  for (const index of coarseFirst(cellCount)) {
    yield { index, middleSec: startSec + ((index + 0.5) * (endSec - startSec)) / cellCount }
  }
}

/** Which keyframe each cell shows, and its picture once there is one. */
interface CellBoard {
  /** In the order in which they were added; times on the clock of the file. */
  readonly keyframes: readonly { readonly fileSec: number }[]
  has(index: number): boolean
  /** @returns whether the keyframe is new */
  add(fileSec: number, index: number): boolean
  /** @param order of the keyframe among `keyframes` */
  show(order: number, picture: Picture): void
}

function cellBoard(zeroSec: number, onCell: FilmstripTask['onCell']): CellBoard {
  const keyframes: { fileSec: number; indexes: number[]; picture: Picture | null }[] = []
  const places = new Map<number, number>()
  const placed = new Set<number>()
  const tell = (index: number, { fileSec, picture }: { fileSec: number; picture: Picture | null }) => {
    if (picture) onCell({ index, atSec: Math.max(0, fileSec - zeroSec), picture })
  }
  return {
    keyframes,
    has: index => placed.has(index),
    add(fileSec, index) {
      placed.add(index)
      const keyframe = keyframes[places.get(fileSec) ?? -1]
      if (keyframe) {
        keyframe.indexes.push(index)
        tell(index, keyframe)
        return false
      }
      places.set(fileSec, keyframes.length)
      keyframes.push({ fileSec, indexes: [index], picture: null })
      return true
    },
    show(order, picture) {
      const keyframe = keyframes[order]
      if (!keyframe) return
      keyframe.picture = picture
      for (const index of keyframe.indexes) tell(index, keyframe)
    },
  }
}

import type { MediaInfo } from '../../contracts/media.ts'
import type { PictureQuery } from '../net/picture-client.ts'
import type { Style } from '../theme/style.ts'
import { type CutPlace, type CutWindow, type MediaShape, windowOf } from './cut-state.ts'
import { filmstripQuery, frameQuery } from './media-resources.ts'

// How many lines each part of CUT gets, and which pictures fit into them. A cell shows two pixels, one above the other; where
// the terminal takes images, many.

interface Room {
  width: number
  height: number
}

/** A picture's room, in cells. */
interface PictureRoom extends Room {
  /** Pixels of the picture for each cell of its width, and for half a cell of its height. */
  pixelsPerCell: number
}

export interface CutLayout {
  /** Frames of the in point, the playhead and the out point; null where there is no room or no picture. */
  frame: PictureRoom | null
  /** One cell of the strip, and how many stand side by side; null where there is no picture. */
  strip: (PictureRoom & { count: number }) | null
  waveHeight: number
}

const usualFrameSec = 1 / 30
/** Lines that are always there: head, marks, loudness, scenes, moments, ruler, two of words. */
const fixedHeight = 8
const frameGap = 2
const waveHeightMore = 8
/** Of an image: fine enough to see what it is, and not so large that a key held down would fill the line. */
const imagePixelsPerCell = 5
/** The server makes none smaller, nor a strip's larger. */
const pixelsMin = 4
const pixelsMax = 480

/** What moving in a video depends on. */
export function shapeOf({ durationSec, video }: MediaInfo): MediaShape {
  return { durationSec, frameSec: video?.framesPerSec ? 1 / video.framesPerSec : usualFrameSec }
}

export function layoutCut(
  { width, height, style }: Room & { style: Pick<Style, 'hasImages'> },
  { video }: MediaInfo,
): CutLayout {
  const pixelsPerCell = style.hasImages ? imagePixelsPerCell : 1
  const spare = Math.max(0, height - fixedHeight)
  const waveHeight = spare >= 12 ? 3 : spare >= 6 ? 2 : 1
  if (video === null) return { frame: null, strip: null, waveHeight: Math.max(1, Math.min(8, spare)) }
  const aspect = video.widthPx / video.heightPx
  const stripHeight = spare >= 24 ? 5 : spare >= 14 ? 4 : spare >= 8 ? 3 : 2
  const frameLines = spare - waveHeight - stripHeight - 1
  const frame =
    frameLines < 3 ? null : frameRoom({ width: Math.floor((width - 2 * frameGap) / 3), height: frameLines }, aspect)
  const left = frameLines - (frame?.height ?? 0)
  return {
    frame: frame && { ...frame, pixelsPerCell },
    strip: { ...stripOf({ width, height: stripHeight }, aspect), pixelsPerCell },
    // What frames leave in a high and narrow pane makes the sound easier to read.
    waveHeight: waveHeight + Math.max(0, Math.min(waveHeightMore, left)),
  }
}

/** The pictures that the screen shows of a video with a picture. */
export function picturesOf(
  vodId: string,
  place: CutPlace,
  { layout, shape }: { layout: CutLayout; shape: MediaShape },
): PictureQuery[] {
  const { strip, frame } = layout
  const frames = frame === null ? [] : framesOf(place).map(atSec => frameQuery(vodId, { atSec, ...pixelsOf(frame) }))
  return [
    ...frames,
    ...(strip === null
      ? []
      : [
          stripQuery(vodId, strip, { fromSec: 0, toSec: shape.durationSec }),
          stripQuery(vodId, strip, windowOf(place, shape)),
        ]),
  ]
}

/** The cells of a strip over a stretch of the video. */
export function stripQuery(vodId: string, strip: PictureRoom & { count: number }, window: CutWindow): PictureQuery {
  return filmstripQuery(vodId, { ...window, cells: strip.count, ...pixelsOf(strip) })
}

export function pixelsOf({ width, height, pixelsPerCell }: PictureRoom): { widthPx: number; heightPx: number } {
  const scale = Math.min(pixelsPerCell, pixelsMax / width, pixelsMax / (2 * height))
  return { widthPx: Math.round(scale * width), heightPx: Math.round(scale * 2 * height) }
}

/** Where frames are wanted; a playhead that runs is not followed by exact ones. */
function framesOf({ marks, speed, atSec }: CutPlace): number[] {
  const wanted = [marks.inSec, speed === 0 ? atSec : null, marks.outSec]
  return [...new Set(wanted.filter(sec => sec !== null))]
}

/** The largest picture of a shape in a room. */
function frameRoom(room: Room, aspect: number): Room | null {
  const height = Math.max(2, Math.min(room.height, Math.floor(room.width / (2 * aspect)), pixelsMax / 2))
  const width = Math.max(pixelsMin, Math.min(room.width, pixelsMax, Math.round(2 * height * aspect)))
  return room.width < pixelsMin ? null : { width, height }
}

function stripOf({ width, height }: Room, aspect: number): Room & { count: number } {
  const cell = Math.max(pixelsMin, Math.min(width, Math.round(2 * height * aspect)))
  return { width: cell, height, count: Math.max(1, Math.min(240, Math.floor(width / cell))) }
}

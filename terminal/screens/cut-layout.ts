import type { MediaInfo } from '../../contracts/media.ts'
import type { PictureQuery } from '../net/picture-client.ts'
import { type CutPlace, type CutWindow, type MediaShape, windowOf } from './cut-state.ts'
import { filmstripQuery, frameQuery } from './media-resources.ts'

// How many lines each part of CUT gets, and which pictures fit into them. A cell shows two pixels, one above the other.

/** A picture's room, in cells. */
interface Room {
  width: number
  height: number
}

export interface CutLayout {
  /** Frames of the in point, the playhead and the out point; null where there is no room or no picture. */
  frame: Room | null
  /** One cell of the strip, and how many stand side by side; null where there is no picture. */
  strip: (Room & { count: number }) | null
  waveHeight: number
}

const usualFrameSec = 1 / 30
/** Lines that are always there: head, marks, loudness, scenes, moments, ruler, two of words. */
const fixedHeight = 8
const frameGap = 2
const waveHeightMore = 8

/** What moving in a video depends on. */
export function shapeOf({ durationSec, video }: MediaInfo): MediaShape {
  return { durationSec, frameSec: video?.framesPerSec ? 1 / video.framesPerSec : usualFrameSec }
}

export function layoutCut({ width, height }: Room, { video }: MediaInfo): CutLayout {
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
    frame,
    strip: stripOf({ width, height: stripHeight }, aspect),
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
export function stripQuery(vodId: string, strip: Room & { count: number }, window: CutWindow): PictureQuery {
  return filmstripQuery(vodId, { ...window, cells: strip.count, ...pixelsOf(strip) })
}

export function pixelsOf({ width, height }: Room): { widthPx: number; heightPx: number } {
  return { widthPx: width, heightPx: 2 * height }
}

/** Where frames are wanted; a playhead that runs is not followed by exact ones. */
function framesOf({ marks, speed, atSec }: CutPlace): number[] {
  const wanted = [marks.inSec, speed === 0 ? atSec : null, marks.outSec]
  return [...new Set(wanted.filter(sec => sec !== null))]
}

/** The largest picture of a shape in a room; the server makes none smaller than 4 × 4 pixels, nor wider than 480. */
function frameRoom(room: Room, aspect: number): Room | null {
  const height = Math.max(2, Math.min(room.height, Math.floor(room.width / (2 * aspect)), 240))
  const width = Math.max(4, Math.min(room.width, 480, Math.round(2 * height * aspect)))
  return room.width < 4 ? null : { width, height }
}

function stripOf({ width, height }: Room, aspect: number): CutLayout['strip'] {
  const cell = Math.max(4, Math.min(width, Math.round(2 * height * aspect)))
  return { width: cell, height, count: Math.max(1, Math.min(240, Math.floor(width / cell))) }
}

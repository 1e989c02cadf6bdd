import type { Sheet } from '../../contracts/timeline.ts'
import type { Picture } from '../picture.ts'

/** Most pictures on a sheet. */
export const thumbnailsMax = 120
const columnsMax = 12

/** Keeps pictures at even distances of a stream of frames. */
export interface ThumbnailPicker {
  push(frame: Picture, atSec: number): void
  /** @returns null when no frame came */
  finish(): { sheet: Sheet; picture: Picture } | null
}

/** @param durationSec how long the stream will be: the sheet's pictures are spread over it */
export function thumbnailPicker(durationSec: number, countMax = thumbnailsMax): ThumbnailPicker {
  const kept: { frame: Picture; atSec: number }[] = []
  const stepSec = durationSec / countMax
  let nextSec = 0
  return {
    push(frame, atSec) {
      if (atSec < nextSec || kept.length >= countMax) return
      kept.push({ frame, atSec })
      // Frames that are further apart than the steps are each taken, without making up for the steps between.
      nextSec = (Math.floor(atSec / stepSec) + 1) * stepSec
    },
    finish() {
      const first = kept[0]
      if (!first) return null
      const { widthPx, heightPx } = first.frame
      const columns = Math.min(columnsMax, kept.length)
      const sheet = { widthPx, heightPx, columns, atSec: kept.map(({ atSec }) => atSec) }
      return {
        sheet,
        picture: laidOut(
          kept.map(({ frame }) => frame),
          sheet,
        ),
      }
    },
  }
}

function laidOut(frames: readonly Picture[], { widthPx, heightPx, columns }: Sheet): Picture {
  const rows = Math.ceil(frames.length / columns)
  const sheetRowBytes = columns * widthPx * 3
  const rgb = new Uint8Array(rows * heightPx * sheetRowBytes)
  for (const [index, frame] of frames.entries()) {
    const corner = Math.floor(index / columns) * heightPx * sheetRowBytes + (index % columns) * widthPx * 3
    for (let y = 0; y < heightPx; y += 1) {
      rgb.set(frame.rgb.subarray(y * widthPx * 3, (y + 1) * widthPx * 3), corner + y * sheetRowBytes)
    }
  }
  return { widthPx: columns * widthPx, heightPx: rows * heightPx, rgb }
}

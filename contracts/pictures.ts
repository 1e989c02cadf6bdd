import { z } from 'zod'

/**
 * Pictures out of the middle of a VOD, for whoever draws them: `/api/vods/{vodId}/filmstrip` and
 * `/api/vods/{vodId}/pictures` answer with records of raw pixels, one after the other as they are decoded. A record is
 * a head of 12 bytes (its number as uint32, the instant it shows in seconds as float64; the highest byte first) and
 * width × height × 3 bytes, rows from the top, red, green and blue. Going away ends the decoding.
 */

/** Length of a record's head. */
export const pictureHeadBytes = 12

/** The head of a record. */
export interface PictureHead {
  /** Which cell, or which of the instants that were asked for. */
  readonly index: number
  readonly atSec: number
}

export function writePictureHead({ index, atSec }: PictureHead): Uint8Array {
  const bytes = new Uint8Array(pictureHeadBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, index)
  view.setFloat64(4, atSec)
  return bytes
}

/** @param bytes at least the head */
export function readPictureHead(bytes: Uint8Array): PictureHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, pictureHeadBytes)
  return { index: view.getUint32(0), atSec: view.getFloat64(4) }
}

const seconds = z.coerce.number().min(0).max(43_200)

/**
 * Cells at even distances from `startSec` to `endSec`, coarse first, each with the keyframe at or before its middle.
 */
export const FilmstripParamsSchema = z
  .strictObject({
    startSec: seconds.default(0),
    endSec: seconds,
    cells: z.coerce.number().int().min(1).max(240),
    widthPx: z.coerce.number().int().min(4).max(480),
    heightPx: z.coerce.number().int().min(4).max(480),
  })
  .refine(strip => strip.endSec > strip.startSec, { path: ['endSec'], message: 'must be after startSec' })

/** The frames that are shown at up to eight instants, in their order: `at=12.5,30`. */
export const PicturesParamsSchema = z.strictObject({
  at: z
    .string()
    .regex(/^\d{1,5}(\.\d{1,9})?(,\d{1,5}(\.\d{1,9})?){0,7}$/, 'must be up to eight instants in seconds, e.g. 12.5,30')
    .transform(text => text.split(',').map(Number)),
  widthPx: z.coerce.number().int().min(4).max(1920),
  heightPx: z.coerce.number().int().min(4).max(1920),
})

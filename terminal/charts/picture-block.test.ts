import { describe, expect, it } from 'vitest'
import { drawPicture, scalePicture } from './picture-block.ts'

/** A picture of grey pixels, given row by row. */
function greys(...rows: readonly (readonly number[])[]) {
  const rgb = Uint8Array.from(rows.flat().flatMap(grey => [grey, grey, grey]))
  return { atSec: 0, widthPx: rows[0]?.length ?? 0, heightPx: rows.length, rgb }
}

describe('drawPicture', () => {
  it('shows two pixels a cell and says a colour once for as long as it holds', () => {
    const picture = {
      atSec: 0,
      widthPx: 2,
      heightPx: 2,
      rgb: Uint8Array.of(255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 255, 0),
    }
    expect(drawPicture(picture, { hasColor: true, isAscii: false })).toEqual([
      '\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀\x1b[48;2;0;255;0m▀\x1b[39m\x1b[49m',
    ])
  })

  it('is made of characters as light as the pixels where there is no colour', () => {
    const picture = greys([0, 120, 255], [0, 120, 255], [255, 0, 40], [0, 255, 40])
    for (const isAscii of [false, true])
      expect(drawPicture(picture, { hasColor: false, isAscii })).toEqual([' =@', '==.'])
  })

  it('has colours in ASCII without half blocks', () => {
    expect(drawPicture(greys([255, 0], [255, 0]), { hasColor: true, isAscii: true })).toEqual([
      '\x1b[38;2;255;255;255m@\x1b[38;2;0;0;0m \x1b[39m',
    ])
  })

  it('leaves out an odd last row of pixels', () => {
    expect(drawPicture(greys([255], [255], [0]), { hasColor: false, isAscii: true })).toEqual(['@'])
  })
})

describe('scalePicture', () => {
  const picture = greys([10, 20], [30, 40])

  it('takes the pixel that lies in the place, smaller or larger', () => {
    const greyOf = ({ rgb }: { rgb: Uint8Array }) => [...rgb].filter((_, i) => i % 3 === 0)
    expect(greyOf(scalePicture(picture, 4, 2))).toEqual([10, 10, 20, 20, 30, 30, 40, 40])
    expect(greyOf(scalePicture(picture, 1, 1))).toEqual([40])
  })

  it('is the same picture at its own size', () => {
    expect(scalePicture(picture, 2, 2)).toBe(picture)
  })
})

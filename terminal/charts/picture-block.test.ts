import { describe, expect, it } from 'vitest'
import { drawPicture } from './picture-block.ts'

const colored = { depth: 24, isAscii: false, hasImages: false } as const

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
    expect(drawPicture(picture, { width: 2, height: 1, style: colored })).toEqual([
      '\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀\x1b[48;2;0;255;0m▀\x1b[39m\x1b[49m',
    ])
  })

  it('is made of characters as light as the pixels where there is no colour', () => {
    const picture = greys([0, 120, 255], [0, 120, 255], [255, 0, 40], [0, 255, 40])
    for (const isAscii of [false, true])
      expect(drawPicture(picture, { width: 3, height: 2, style: { ...colored, depth: 0, isAscii } })).toEqual([
        ' =@',
        '==.',
      ])
  })

  it('has colours in ASCII without half blocks', () => {
    expect(
      drawPicture(greys([255, 0], [255, 0]), { width: 2, height: 1, style: { ...colored, isAscii: true } }),
    ).toEqual(['\x1b[38;2;255;255;255m@\x1b[38;2;0;0;0m \x1b[39m'])
  })

  it('takes the pixels that lie in the place, smaller or larger', () => {
    const picture = greys([255, 0], [0, 255])
    const style = { ...colored, depth: 0, isAscii: true } as const
    expect(drawPicture(picture, { width: 4, height: 2, style })).toEqual(['@@  ', '  @@'])
    expect(drawPicture(picture, { width: 1, height: 1, style })).toEqual(['='])
  })

  it('is drawn once for as long as it is there, at each size', () => {
    const picture = greys([255, 0], [0, 255])
    const o = { width: 2, height: 1, style: colored }
    const lines = drawPicture(picture, o)
    expect(drawPicture(picture, { ...o, width: 4 })).not.toEqual(lines)
    expect(drawPicture(picture, o)).toBe(lines)
    expect(drawPicture({ ...picture }, o)).not.toBe(lines)
  })
})

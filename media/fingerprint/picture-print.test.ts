import { describe, expect, it } from 'vitest'
import type { Picture } from '../picture.ts'
import { matchPictures } from './picture-match.ts'
import { queryPrint, storedPrint } from './picture-print.ts'

/** A moving scene, as brightness by place (0 to 1) and second. */
type Scene = (x: number, y: number, sec: number) => number

const cells = 7

/** Soft random patches, others every two seconds. */
const scene =
  (seed: number): Scene =>
  (x, y, sec) => {
    const shot = Math.floor(sec / 2) + seed * 1000
    const patch = (column: number, row: number) => {
      let mixed = shot * 7919 + row * 104_729 + column * 1_299_709
      for (let round = 0; round < 3; round += 1) {
        mixed = Math.imul(mixed, 0x9e37_79b1)
        mixed ^= mixed >>> 15
      }
      return 255 * ((mixed >>> 0) / 2 ** 32)
    }
    const [left, top] = [Math.floor(x * cells), Math.floor(y * cells)]
    const [right, down] = [x * cells - left, y * cells - top]
    const along = (row: number) => (1 - right) * patch(left, row) + right * patch(left + 1, row)
    return (1 - down) * along(top) + down * along(top + 1)
  }

function pictureOf(shown: Scene, sec: number, widthPx: number, heightPx: number): Picture {
  const rgb = new Uint8Array(widthPx * heightPx * 3)
  for (let at = 0; at < widthPx * heightPx; at += 1) {
    const level = shown(((at % widthPx) + 0.5) / widthPx, (Math.floor(at / widthPx) + 0.5) / heightPx, sec)
    rgb.fill(Math.max(0, Math.min(255, level)), at * 3, at * 3 + 3)
  }
  return { widthPx, heightPx, rgb }
}

const original = storedPrint()
for (let sec = 0; sec < 60; sec += 0.25) original.push(pictureOf(scene(1), sec, 160, 90), sec)
const stored = original.finish()

/** Of a clip of 12 s from second 20 on, upright unless told. */
function found(edit: Scene, [widthPx, heightPx] = [90, 160]) {
  const clip = queryPrint()
  for (let sec = 0; sec < 12; sec += 0.25) clip.push(pictureOf(edit, sec, widthPx ?? 0, heightPx ?? 0), sec)
  return matchPictures(clip.finish(), stored)
}

const clip: Scene = (x, y, sec) => scene(1)(x, y, sec + 20)

describe('the print of a video', () => {
  it('holds four views of it, twice a second; an upright one has no narrower middle', () => {
    expect(stored.map(({ view, atSec }) => [view, atSec.length])).toEqual([
      ['full', 120],
      ['upright', 120],
      ['half', 120],
      ['inner', 120],
    ])
    const upright = storedPrint()
    upright.push(pictureOf(scene(1), 0, 90, 160), 0)
    expect(upright.finish().map(({ view }) => view)).toEqual(['full', 'inner'])
  })

  it('finds a clip that shows all of the picture, its mirror, or its middle upright', () => {
    expect(found(clip, [160, 90])).toMatchObject({ view: 'full', part: 'full', isMirrored: false, speed: 1 })
    expect(found(clip, [160, 90])?.offsetSec).toBeCloseTo(20, 0)
    expect(found((x, y, sec) => clip(1 - x, y, sec), [160, 90])).toMatchObject({ view: 'full', isMirrored: true })
    const middle = 81 / 256
    expect(found((x, y, sec) => clip(0.5 + (x - 0.5) * middle, y, sec))).toMatchObject({ view: 'upright' })
  })

  it('finds it between bars, and beside another video on one screen', () => {
    const boxed: Scene = (x, y, sec) => (y > 0.34 && y < 0.66 ? clip(x, (y - 0.34) / 0.32, sec) : 0)
    expect(found(boxed)).toMatchObject({ view: 'full', part: 'part1' })
    const split: Scene = (x, y, sec) => {
      const half = ((9 / 8) * 90) / 160
      return y < 0.5 ? clip(0.5 + (x - 0.5) * half, y * 2, sec) : 60 + 0.3 * scene(5)(x, y * 2 - 1, sec)
    }
    expect(found(split)).toMatchObject({ view: 'half', part: expect.stringMatching(/^part/) })
  })

  it('does not find another video', () => {
    expect(found(scene(2))).toBeNull()
    expect(found((x, y, sec) => scene(1)(x, y, sec + 100))).toBeNull()
  })
})

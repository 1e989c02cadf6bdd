import { describe, expect, it } from 'vitest'
import { areaAt, greyAreas } from './grey-areas.ts'
import { bitsBetween, hashedGrid, hashPicture } from './picture-hash.ts'

const hashedSidePx = hashedGrid.columns

/** Soft shapes, different for every seed. */
function scene(seed: number): Float64Array {
  return Float64Array.from({ length: hashedSidePx * hashedSidePx }, (_, at) => {
    const [x, y] = [at % hashedSidePx, Math.floor(at / hashedSidePx)]
    const wave = (k: number) =>
      Math.sin(((seed * 7 + k * 13) % 17) * 0.03 * x + k) * Math.cos(((seed * 5 + k * 11) % 19) * 0.03 * y)
    return 128 + 30 * (wave(1) + wave(2) + wave(3) + wave(4))
  })
}

const difference = (a: Uint32Array, b: Uint32Array) =>
  a.reduce((sum, word, at) => sum + bitsBetween(word, b[at] ?? 0), 0)
const plainOf = (square: Float64Array) => hashPicture(square)?.plain ?? new Uint32Array(8)

describe('the hash of a picture', () => {
  it('has 128 of 256 bits set, and is that of the same picture brighter, flatter and with a caption', () => {
    const hash = plainOf(scene(1))
    expect(difference(hash, new Uint32Array(8))).toBe(128)
    expect(difference(hash, plainOf(scene(1).map(value => 20 + value * 0.6)))).toBe(0)
    const captioned = scene(1).map((value, at) =>
      at > 64 * 52 && at < 64 * 56 && at % 64 > 16 && at % 64 < 48 ? 255 : value,
    )
    expect(difference(hash, plainOf(captioned))).toBeLessThanOrEqual(76)
  })

  it('differs in about half of its bits from that of another picture', () => {
    expect(difference(plainOf(scene(1)), plainOf(scene(2)))).toBeGreaterThan(90)
  })

  it('comes with that of the picture in a mirror', () => {
    const picture = scene(3)
    const turned = picture.map((_, at) => picture[at - (at % 64) + 63 - (at % 64)] ?? 0)
    expect(difference(hashPicture(picture)?.mirrored ?? new Uint32Array(8), plainOf(turned))).toBe(0)
  })

  it('is not made of black, or of anything that shows nothing', () => {
    expect(hashPicture(new Float64Array(64 * 64).fill(16))).toBeNull()
    expect(hashPicture(scene(1).map(value => 100 + value / 20))).toBeNull()
  })

  it('is compared bit by bit', () => {
    expect(bitsBetween(0, 0xffff_ffff)).toBe(32)
    expect(bitsBetween(0b1010, 0b0110)).toBe(2)
  })
})

describe('a part of a picture at another size', () => {
  it('has the mean brightness of what each of its pixels covers', () => {
    const grey = greyAreas({
      widthPx: 4,
      heightPx: 2,
      rgb: Uint8Array.from([0, 10, 20, 30, 40, 50, 60, 70].flatMap(level => [level, level, level])),
    })
    const rounded = (square: Float64Array) => [...square].map(value => Math.round(value * 100) / 100)
    expect(rounded(areaAt(grey, { left: 0, top: 0, width: 1, height: 1 }, { columns: 1, rows: 1 }))).toEqual([35])
    expect(rounded(areaAt(grey, { left: 0.5, top: 0, width: 0.5, height: 1 }, { columns: 2, rows: 2 }))).toEqual([
      20, 30, 60, 70,
    ])
    expect(rounded(areaAt(grey, { left: 0.125, top: 0, width: 0.5, height: 0.5 }, { columns: 1, rows: 1 }))).toEqual([
      10,
    ])
  })
})

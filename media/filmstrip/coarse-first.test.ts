import { describe, expect, it } from 'vitest'
import { coarseFirst } from './coarse-first.ts'
import { turned } from './turned.ts'

describe('the order in which a strip is filled', () => {
  it('begins in the middle and halves what is left, with every place once', () => {
    expect([...coarseFirst(7)]).toEqual([3, 1, 5, 0, 2, 4, 6])
    expect([...coarseFirst(120)].sort((a, b) => a - b)).toEqual(Array.from({ length: 120 }, (_, index) => index))
    expect([...coarseFirst(0)]).toEqual([])
  })
})

describe('a picture that was filmed on its side', () => {
  it('is turned clockwise', () => {
    const picture = { widthPx: 2, heightPx: 1, rgb: Uint8Array.from([1, 1, 1, 2, 2, 2]) }
    expect(turned(picture, 0)).toEqual(picture)
    expect(turned(picture, 90)).toEqual({ widthPx: 1, heightPx: 2, rgb: Uint8Array.from([1, 1, 1, 2, 2, 2]) })
    expect(turned(picture, 180).rgb).toEqual(Uint8Array.from([2, 2, 2, 1, 1, 1]))
    expect(turned(picture, 270).rgb).toEqual(Uint8Array.from([2, 2, 2, 1, 1, 1]))
    const square = {
      widthPx: 2,
      heightPx: 2,
      rgb: Uint8Array.from([1, 2, 3, 4].flatMap(level => [level, level, level])),
    }
    expect([...turned(square, 90).rgb].filter((_, at) => at % 3 === 0)).toEqual([3, 1, 4, 2])
  })
})

import { expect, it } from 'vitest'
import { endOf, framesBetween, type PicturePacket, planSmartCut } from './frames.ts'

/** Decoded in the order given, shown at these tenths of a second; keyframes in capitals. */
function packets(...shown: (number | `K${number}`)[]): PicturePacket[] {
  return shown.map(one => {
    const isKey = typeof one === 'string'
    return { atSec: Number(isKey ? one.slice(1) : one) / 10, durationSec: 0.1, isKey }
  })
}
const times = (frames: readonly { atSec: number }[]) => frames.map(frame => Math.round(frame.atSec * 10))
/** Two groups in which the second of two frames is decoded first. */
const usual = packets('K0', 2, 1, 4, 3, 'K5', 7, 6, 9, 8)

it('takes the first frame at or after the start and the last before the end', () => {
  expect(times(framesBetween(usual, 0.15, 0.75))).toEqual([2, 3, 4, 5, 6, 7])
  expect(times(framesBetween(usual, 0.2, 0.7))).toEqual([2, 3, 4, 5, 6])
  // Rounded to milliseconds, either way.
  expect(times(framesBetween(usual, 0.2005, 0.7005))).toEqual([2, 3, 4, 5, 6])
})

it('begins in the middle of a frame that is shown for long, and ends in the middle of another', () => {
  const slides = [
    { atSec: 0, durationSec: 5, isKey: true },
    { atSec: 5, durationSec: 5, isKey: false },
    { atSec: 10, durationSec: 5, isKey: false },
  ]
  const frames = framesBetween(slides, 2, 8)
  expect(frames.map(({ atSec, shownAtSec, durationSec }) => [atSec, shownAtSec, durationSec])).toEqual([
    [0, 2, 3],
    [5, 5, 3],
  ])
  expect(endOf(frames)).toBe(8)
})

it('has no frame after the last one ended', () => {
  expect(() => framesBetween(usual, 3, 4)).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }))
})

it('copies up to the last place where all decoded frames are shown in one piece, and encodes what is left', () => {
  const frames = framesBetween(usual, 0.2, 0.8)
  const plan = planSmartCut(frames, 3)
  expect(times(plan.head)).toEqual([2, 3, 4])
  // K5, 7 and 6 are shown in one piece: 5, 6, 7. The next one decoded would be 9, after the end.
  expect(plan.copied).toEqual({ from: 5, until: 8 })
  expect(plan.tail).toEqual([])
  const earlier = planSmartCut(framesBetween(usual, 0.2, 0.7), 3)
  expect(earlier.copied).toEqual({ from: 5, until: 6 })
  expect(times(earlier.tail)).toEqual([6])
})

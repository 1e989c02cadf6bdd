import { describe, expect, it } from 'vitest'
import type { Timeline } from '../../contracts/timeline.ts'
import {
  type CutPlace,
  cutStart,
  mark,
  moveTo,
  nextEdge,
  pan,
  parseTimecode,
  playheadSec,
  shuttle,
  snap,
  timecode,
  undo,
  windowOf,
  withMarks,
  zoom,
} from './cut-state.ts'

const shape = { durationSec: 3600, frameSec: 0.04 }

/** A place after steps. */
const placeAfter = (...steps: ((place: CutPlace) => CutPlace)[]) => steps.reduce((place, step) => step(place), cutStart)
const at = (sec: number) => (place: CutPlace) => moveTo(place, shape, sec)
const zoomed = (factor: number) => (place: CutPlace) => zoom(place, shape, factor)

describe('marks', () => {
  it('take an end away that would lie on the wrong side of the other', () => {
    const both = mark(mark(cutStart, 'in', 10), 'out', 20)
    expect(both.marks).toEqual({ inSec: 10, outSec: 20 })
    expect(mark(both, 'in', 20).marks).toEqual({ inSec: 20, outSec: null })
    expect(mark(both, 'out', 10).marks).toEqual({ inSec: null, outSec: 10 })
  })

  it('are undone one change at a time, down to none', () => {
    const marked = mark(mark(mark(cutStart, 'in', 10), 'out', 20), 'in', 30)
    const undone = [1, 2, 3, 4].map(count => Array.from({ length: count }).reduce<CutPlace>(undo, marked).marks)
    expect(undone).toEqual([
      { inSec: 10, outSec: 20 },
      { inSec: 10, outSec: null },
      { inSec: null, outSec: null },
      { inSec: null, outSec: null },
    ])
  })

  it('that did not change are nothing to undo', () => {
    const marked = mark(cutStart, 'in', 10)
    expect(withMarks(marked, { inSec: 10, outSec: null })).toBe(marked)
  })

  it('are remembered a hundred times', () => {
    let place = cutStart
    for (let sec = 1; sec <= 150; sec++) place = mark(place, 'in', sec)
    expect(place.past).toHaveLength(100)
    expect(undo(place).marks.inSec).toBe(149)
  })
})

describe('the playhead', () => {
  it('stays in the video', () => {
    expect(moveTo(cutStart, shape, -1).atSec).toBe(0)
    expect(moveTo(cutStart, shape, 4000).atSec).toBe(3600)
  })

  it('runs with the clock, faster with each step the same way, and stops where it is', () => {
    const running = shuttle(cutStart, shape, 1, 1000)
    expect(playheadSec(running, shape, 3000)).toBe(2)
    const faster = shuttle(running, shape, 1, 3000)
    expect(faster).toMatchObject({ atSec: 2, speed: 2 })
    expect(playheadSec(faster, shape, 4000)).toBe(4)
    expect(shuttle(faster, shape, 0, 4000)).toMatchObject({ atSec: 4, speed: 0 })
    expect(shuttle(faster, shape, -1, 4000)).toMatchObject({ atSec: 4, speed: -1 })
  })

  it('runs at most 32 times as fast, and no further than the ends', () => {
    let place = cutStart
    for (let step = 0; step < 10; step++) place = shuttle(place, shape, 1, 0)
    expect(place.speed).toBe(32)
    expect(playheadSec(place, shape, 1_000_000)).toBe(3600)
    expect(playheadSec(shuttle(place, shape, -1, 0), shape, 1_000_000)).toBe(0)
  })
})

describe('the strip', () => {
  it('zooms from the whole video down to ten frames, and back', () => {
    const frames = placeAfter(at(1800), ...Array.from({ length: 40 }, () => zoomed(0.5)))
    const { fromSec, toSec } = windowOf(frames, shape)
    expect(toSec - fromSec).toBeCloseTo(0.4)
    const whole = Array.from({ length: 40 }).reduce<CutPlace>(place => zoom(place, shape, 2), frames)
    expect(whole.window).toBeNull()
    expect(windowOf(whole, shape)).toEqual({ fromSec: 0, toSec: 3600 })
  })

  it('keeps what is under the playhead where it is', () => {
    const place = placeAfter(at(900), zoomed(0.5))
    expect(place.window).toEqual({ fromSec: 450, toSec: 2250 })
  })

  it('stays in the video when it is zoomed at an end or panned over it', () => {
    expect(placeAfter(at(3600), zoomed(0.5)).window).toEqual({ fromSec: 1800, toSec: 3600 })
    expect(pan(placeAfter(at(3600), zoomed(0.5)), shape, 0.5).window).toEqual({ fromSec: 1800, toSec: 3600 })
    expect(pan(placeAfter(at(3600), zoomed(0.5)), shape, -2).window).toEqual({ fromSec: 0, toSec: 1800 })
    expect(pan(cutStart, shape, 0.5)).toBe(cutStart)
  })

  it('follows the playhead when that leaves it', () => {
    const place = placeAfter(at(0), zoomed(0.25))
    expect(place.window).toEqual({ fromSec: 0, toSec: 900 })
    expect(moveTo(place, shape, 900).window).toEqual({ fromSec: 0, toSec: 900 })
    expect(moveTo(place, shape, 2000).window).toEqual({ fromSec: 1550, toSec: 2450 })
  })
})

describe('snapping', () => {
  const timeline: Timeline = {
    version: 1,
    level: 'full',
    durationSec: 60,
    silences: [{ startSec: 10, endSec: 12 }],
    energy: null,
    speech: null,
    peaks: null,
    cuts: [{ atSec: 20, fromSec: 19.96, score: 0.5 }],
    keyframes: null,
    thumbnails: null,
    moments: [],
  }

  it('moves each mark to the nearest end of a silence or change of scene, if one is near', () => {
    const place = mark(mark(cutStart, 'in', 12.9), 'out', 19)
    expect(snap(place, timeline).marks).toEqual({ inSec: 12, outSec: 20 })
    expect(undo(snap(place, timeline)).marks).toEqual(place.marks)
    expect(snap(mark(mark(cutStart, 'in', 30), 'out', 40), timeline).marks).toEqual({ inSec: 30, outSec: 40 })
  })

  it('never leaves nothing between the marks', () => {
    const place = mark(mark(cutStart, 'in', 19.5), 'out', 20.5)
    expect(snap(place, timeline)).toBe(place)
  })

  it('goes on from the edge that one stands on', () => {
    expect(nextEdge([10, 12, 20], 12, 1)).toBe(20)
    expect(nextEdge([10, 12, 20], 12, -1)).toBe(10)
    expect(nextEdge([10, 12, 20], 20, 1)).toBeNull()
    expect(nextEdge([], 5, -1)).toBeNull()
  })
})

describe('timecodes', () => {
  it.each([
    ['1:02:03.5', 3723.5],
    ['2:03', 123],
    ['75.25', 75.25],
    [' 90:00 ', 5400],
    ['0', 0],
  ])('reads %j', (text, sec) => {
    expect(parseTimecode(text)).toBe(sec)
  })

  it.each(['', ':', '1:', '-1', '1:2:3:4', '1e3', '0x10', 'NaN', '1.', '1,5', '1:02:03.1234567'])(
    'refuses %j',
    text => {
      expect(parseTimecode(text)).toBeNull()
    },
  )

  it('are exact to the millisecond and read back as they were', () => {
    expect([0, 3723.5, 59.9996, 43_200].map(timecode)).toEqual([
      '00:00:00.000',
      '01:02:03.500',
      '00:01:00.000',
      '12:00:00.000',
    ])
    for (const sec of [0.001, 1.999, 3599.999]) expect(parseTimecode(timecode(sec))).toBe(sec)
  })
})

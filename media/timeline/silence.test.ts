import { describe, expect, it } from 'vitest'
import { findSilences, silentBelow } from './silence.ts'

const times = (count: number, level: number) => new Array<number>(count).fill(level)

describe('silence', () => {
  it('is what stays below the level for three steps or more', () => {
    const dbfs = [-20, -60, -60, -20, -60, -60, -60, -20, -50, -60, -60, -60]
    expect(findSilences({ dbfs, stepSec: 0.1, startSec: 10 }, -45)).toEqual([
      { startSec: 10.4, endSec: 10.7 },
      { startSec: 10.8, endSec: 11.2 },
    ])
    expect(findSilences({ dbfs: [], stepSec: 0.1, startSec: 0 }, -45)).toEqual([])
  })

  it('begins lower in a quiet recording, at 18 dB below its loud parts', () => {
    expect(silentBelow([...times(20, -20), ...times(80, -70)])).toBe(-45)
    expect(silentBelow([...times(20, -38), ...times(80, -70)])).toBe(-56)
  })

  it('begins higher in a noisy one, 6 dB above its noise, but never near its loud parts', () => {
    expect(silentBelow([...times(50, -40), ...times(50, -10)])).toBe(-34)
    expect(silentBelow(times(100, -21))).toBe(-33)
    expect(findSilences({ dbfs: times(100, -21), stepSec: 0.1, startSec: 0 }, -33)).toEqual([])
  })

  it('of a file without any sound is all of it', () => {
    const dbfs = times(50, -100)
    expect(findSilences({ dbfs, stepSec: 0.1, startSec: 0 }, silentBelow(dbfs))).toEqual([{ startSec: 0, endSec: 5 }])
  })
})

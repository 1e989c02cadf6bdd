import { describe, expect, it } from 'vitest'
import { clampWindow, nearestIndex, panWindow, stepCursor, windowMsMin, zoomWindow } from './chart-window.ts'

const hourMs = 3_600_000
const day = { fromMs: 0, toMs: 24 * hourMs }

describe('zoomWindow', () => {
  it('keeps the instant under the crosshair in its place', () => {
    const window = zoomWindow(day, day, 0.5, 6 * hourMs)
    expect(window).toEqual({ fromMs: 3 * hourMs, toMs: 15 * hourMs })
  })

  it('stops at the bounds and at the narrowest window', () => {
    expect(zoomWindow({ fromMs: 0, toMs: hourMs }, day, 100, 0)).toEqual(day)
    const narrow = zoomWindow(day, day, 1e-9, 12 * hourMs)
    expect(narrow.toMs - narrow.fromMs).toBe(windowMsMin)
    const tiny = { fromMs: 0, toMs: 60_000 }
    expect(zoomWindow(tiny, tiny, 0.5, 0)).toEqual(tiny)
  })
})

describe('panWindow', () => {
  it('moves by a share and stops at the bounds with its length kept', () => {
    const window = { fromMs: 4 * hourMs, toMs: 8 * hourMs }
    expect(panWindow(window, day, 0.25)).toEqual({ fromMs: 5 * hourMs, toMs: 9 * hourMs })
    expect(panWindow(window, day, -9)).toEqual({ fromMs: 0, toMs: 4 * hourMs })
    expect(panWindow(window, day, 9)).toEqual({ fromMs: 20 * hourMs, toMs: 24 * hourMs })
    expect(clampWindow({ fromMs: -1, toMs: 99 * hourMs }, day)).toEqual(day)
  })
})

describe('stepCursor', () => {
  it('starts at the newest reading and stops at the ends', () => {
    expect(stepCursor([10, 20, 40], null, -1)).toBe(40)
    expect(stepCursor([10, 20, 40], 40, -1)).toBe(20)
    expect(stepCursor([10, 20, 40], 40, 1)).toBe(40)
    expect(stepCursor([10, 20, 40], 10, -5)).toBe(10)
    expect(stepCursor([10, 20, 40], null, Number.NEGATIVE_INFINITY)).toBe(10)
    expect(stepCursor([10, 20, 40], 20, Number.POSITIVE_INFINITY)).toBe(40)
    expect(stepCursor([], null, 1)).toBeNull()
    expect(stepCursor([], 5, 1)).toBeNull()
  })

  it('finds the nearest reading', () => {
    expect([0, 14, 16, 31, 99].map(atMs => nearestIndex([10, 20, 40], atMs))).toEqual([0, 0, 1, 2, 2])
    expect(nearestIndex([], 5)).toBe(-1)
  })
})

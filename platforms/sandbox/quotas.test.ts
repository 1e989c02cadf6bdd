import { expect, it } from 'vitest'
import { pacificDay, Quotas } from './quotas.ts'

const hourMs = 3_600_000

it('empties daily buckets at midnight in California, on the days when the clocks change too', () => {
  // Clocks go back on 1 November 2026 and forward on 14 March 2027: the days have 25 and 23 hours.
  expect(pacificDay(Date.UTC(2026, 10, 1, 6, 59, 59))).toBe('2026-10-31')
  expect(pacificDay(Date.UTC(2026, 10, 1, 7))).toBe('2026-11-01')
  expect(pacificDay(Date.UTC(2026, 10, 2, 7, 59, 59))).toBe('2026-11-01')
  expect(pacificDay(Date.UTC(2026, 10, 2, 8))).toBe('2026-11-02')
  expect(pacificDay(Date.UTC(2027, 2, 14, 8))).toBe('2027-03-14')
  expect(pacificDay(Date.UTC(2027, 2, 15, 7))).toBe('2027-03-15')
  const quotas = new Quotas()
  const beforeMs = Date.UTC(2026, 10, 2, 7, 59)
  expect(quotas.spend('a', 2, 2, beforeMs)).toBe(true)
  expect(quotas.spend('a', 1, 2, beforeMs)).toBe(false)
  expect(quotas.usedToday('a', beforeMs)).toBe(3)
  expect(quotas.usedToday('a', beforeMs + 60_000)).toBe(0)
  expect(quotas.spend('a', 1, 2, beforeMs + 60_000)).toBe(true)
})

it('counts calls in a window that slides, and says when there is room again', () => {
  const quotas = new Quotas()
  for (let calls = 1; calls <= 3; calls += 1) expect(quotas.slide('a', hourMs, calls * 60_000)).toMatchObject({ calls })
  expect(quotas.inWindow('a', hourMs, 3 * 60_000)).toEqual({ calls: 3, freeInMs: hourMs - 120_000 })
  expect(quotas.inWindow('a', hourMs, hourMs + 60_000).calls).toBe(2)
  for (let calls = 0; calls < 3000; calls += 1) quotas.slide('b', 1000, calls)
  expect(quotas.inWindow('b', 1000, 2999).calls).toBe(1000)
  expect(quotas.inWindow('nobody', 1000, 0).calls).toBe(0)
})

import { expect, it } from 'vitest'
import { manualClock } from '../core/clock.ts'
import { createIngestStats } from './stats.ts'

const tally = (read: number) => ({ read, accepted: read, dropped: new Map(), deadLettered: new Map() })

function started() {
  const clock = manualClock(1_000_000)
  const stats = createIngestStats(clock)
  const counter = stats.source('a file')
  return {
    rate: () => stats.rows().find(row => row.name === 'a file')?.value,
    read(afterMs: number, total: number) {
      clock.set(clock.nowMs() + afterMs)
      counter.update(tally(total))
    },
    wait: (ms: number) => clock.set(clock.nowMs() + ms),
  }
}

it('calls two rows two rows, however fast they were read', () => {
  const source = started()
  source.read(0, 0)
  source.read(1, 2)
  expect(source.rate()).toBe('2 rows/s')
  source.wait(5_000)
  expect(source.rate()).toBe('0 rows/s')
})

it('shows the rate of the last ten seconds while a source is read', () => {
  const source = started()
  source.read(0, 0)
  for (let second = 1; second <= 30; second++) source.read(1_000, second * 500)
  expect(source.rate()).toBe('500 rows/s')
  for (let quarter = 1; quarter <= 40; quarter++) source.read(250, 15_000 + quarter * 25)
  expect(source.rate()).toBe('100 rows/s')
  source.wait(5_000)
  expect(source.rate()).toBe('50 rows/s')
})

it('begins anew when a source is read again', () => {
  const source = started()
  source.read(0, 0)
  source.read(2_000, 4_000)
  source.read(500, 100)
  source.read(1_000, 300)
  expect(source.rate()).toBe('300 rows/s')
})

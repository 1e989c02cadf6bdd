import { describe, expect, it } from 'vitest'
import { calendarMonth, minuteOf, monthFrom } from './period.ts'

const month = (anchor: string, at: string) => {
  const { startAt, endAt } = monthFrom(new Date(anchor), new Date(at))
  return [startAt.toISOString(), endAt.toISOString()]
}

describe('the month of a subscription', () => {
  it('begins on the day and at the time at which the subscription began', () => {
    expect(month('2026-01-15T10:30:00Z', '2026-03-15T10:29:59Z')).toEqual([
      '2026-02-15T10:30:00.000Z',
      '2026-03-15T10:30:00.000Z',
    ])
    expect(month('2026-01-15T10:30:00Z', '2026-03-15T10:30:00Z')[0]).toBe('2026-03-15T10:30:00.000Z')
  })

  it('renews on the last day of a month that is too short, and on its own day again after it', () => {
    expect(month('2025-10-31T00:00:00Z', '2026-02-28T00:00:00Z')).toEqual([
      '2026-02-28T00:00:00.000Z',
      '2026-03-31T00:00:00.000Z',
    ])
    expect(month('2024-02-29T00:00:00Z', '2025-03-01T00:00:00Z')).toEqual([
      '2025-02-28T00:00:00.000Z',
      '2025-03-29T00:00:00.000Z',
    ])
  })

  it('leaves no gap and no overlap, whatever the day', () => {
    for (let day = 1; day <= 31; day += 1) {
      const anchor = `2025-01-${String(day).padStart(2, '0')}T23:59:59Z`
      let [, end = ''] = month(anchor, anchor)
      for (let count = 0; count < 40; count += 1) {
        const [startOfNext, endOfNext = ''] = month(anchor, end)
        expect(startOfNext).toBe(end)
        end = endOfNext
      }
    }
  })

  it('is the calendar month without a subscription', () => {
    const { startAt, endAt } = calendarMonth(new Date('2026-02-10T12:00:00Z'))
    expect([startAt, endAt]).toEqual([new Date('2026-02-01T00:00:00Z'), new Date('2026-03-01T00:00:00Z')])
  })
})

it('counts a minute from its first millisecond to its last', () => {
  const { startAt, endAt } = minuteOf(new Date('2026-02-10T12:34:59.999Z'))
  expect([startAt, endAt]).toEqual([new Date('2026-02-10T12:34:00Z'), new Date('2026-02-10T12:35:00Z')])
})

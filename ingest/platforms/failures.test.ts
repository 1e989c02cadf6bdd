import { describe, expect, it } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import { PlatformError, type PlatformErrorClass } from '../../platforms/port.ts'
import { outcomeOfFailure } from './failures.ts'
import { NoRoom } from './poll-request.ts'

const nowMs = Date.parse('2026-11-21T12:00:00Z')
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const said = (kind: PlatformErrorClass, retryAfterMs: number | null = null) =>
  new PlatformError({ platform: 'youtube', class: kind, code: 'x', message: 'It said no.', retryAfterMs })
const failed = (error: unknown, poll: { failures?: number; cursor?: string } = {}) => {
  const { failures = 0, cursor = null } = poll
  const outcome = outcomeOfFailure({ failures, cursor }, error, { nowMs, random: () => 0 })
  return { ...outcome, afterMs: outcome.nextPollAtMs - nowMs }
}

describe('a poll that failed', () => {
  it('is tried within the hour where only a person can mend it, and within the day where a permission lacks', () => {
    for (const kind of ['token', 'grant', 'client'] as const) expect(failed(said(kind)).afterMs).toBe(hourMs)
    expect(failed(said('permission')).afterMs).toBe(dayMs)
    expect(failed(said('client'))).toMatchObject({ failures: 1, error: { class: 'client', message: 'It said no.' } })
  })

  it('waits ever longer where the platform fails, and as long as it was told', () => {
    expect([0, 1, 2, 40].map(failures => failed(said('server'), { failures }).afterMs)).toEqual([
      1_000,
      2_000,
      4_000,
      hourMs / 2,
    ])
    expect(failed(said('rate', 5 * minuteMs)).afterMs).toBe(5 * minuteMs)
    expect(failed(said('rate', 10), { failures: 3 }).afterMs).toBe(8_000)
  })

  it('looks daily for a creator that vanished, and weekly from the third time on', () => {
    expect([0, 1, 2, 9].map(failures => failed(said('not_found'), { failures }).afterMs / dayMs)).toEqual([1, 1, 7, 7])
  })

  it('begins a list anew whose cursor is not known any more, and asks no other wrong question twice a day', () => {
    expect(failed(said('bad_request'), { cursor: 'CDIQAA' })).toMatchObject({ afterMs: minuteMs, isCursorLost: true })
    expect(failed(said('bad_request')).afterMs).toBe(dayMs)
  })

  it('counts neither a full budget nor an account with too few viewers as a failure', () => {
    expect(failed(new NoRoom(nowMs + hourMs, 'Used up.'), { failures: 2 })).toMatchObject({
      afterMs: hourMs,
      failures: 2,
    })
    expect(failed(said('threshold'), { failures: 2 })).toMatchObject({ afterMs: dayMs, failures: 0 })
  })

  it('tells nobody what a fault of ours was, and comes back soon', () => {
    expect(failed(new TypeError('secret of the engine room')).error).toEqual({
      class: 'internal',
      message: 'A run failed here: the log says why.',
    })
    expect(failed(new AppError('UNAVAILABLE', 'The store restarts.'))).toMatchObject({
      afterMs: 1_000,
      error: { class: 'store' },
    })
  })
})

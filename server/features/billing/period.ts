/** A stretch of time in which monthly limits count: from its start on, before its end. */
export interface Period {
  readonly startAt: Date
  readonly endAt: Date
}

/**
 * The month in which `at` lies, counted from an anchor: a subscription that began on the 31st renews on the last day of
 * shorter months, at the same time of day (UTC).
 */
export function monthFrom(anchorAt: Date, at: Date): Period {
  const guess = (at.getUTCFullYear() - anchorAt.getUTCFullYear()) * 12 + at.getUTCMonth() - anchorAt.getUTCMonth()
  const index = addMonths(anchorAt, guess) > at ? guess - 1 : guess
  return { startAt: addMonths(anchorAt, index), endAt: addMonths(anchorAt, index + 1) }
}

/** The calendar month of UTC. */
export function calendarMonth(at: Date): Period {
  return monthFrom(new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1)), at)
}

/** The minute of the clock. */
export function minuteOf(at: Date): Period {
  const startAtMs = Math.floor(at.getTime() / 60_000) * 60_000
  return { startAt: new Date(startAtMs), endAt: new Date(startAtMs + 60_000) }
}

function addMonths(from: Date, count: number): Date {
  const moved = new Date(from)
  moved.setUTCDate(1)
  moved.setUTCMonth(from.getUTCMonth() + count)
  const lastDay = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate()
  moved.setUTCDate(Math.min(from.getUTCDate(), lastDay))
  return moved
}

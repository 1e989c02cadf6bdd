/** What each credential has used: daily buckets that are empty again at midnight in California, and sliding windows. */
export interface Limits {
  /** Units a day of everything that has no bucket of its own. */
  youtubeUnits: number
  youtubeSearch: number
  youtubeStats: number
  /** Calls a minute of one endpoint. */
  tiktokPerMinute: number
  /** Calls in 24 h of one app and one account. */
  instagramPerDay: number
  /** Calls in an hour of one app, for what is not one account's own. */
  metaPerHour: number
  /** Different hashtags in 7 days of one account. */
  hashtagsPerWeek: number
}

export const limitsDefault: Limits = {
  youtubeUnits: 10_000,
  youtubeSearch: 100,
  youtubeStats: 10_000,
  tiktokPerMinute: 600,
  instagramPerDay: 48_000,
  metaPerHour: 200,
  hashtagsPerWeek: 30,
}

export class Quotas {
  readonly #days = new Map<string, { day: string; used: number }>()
  readonly #windows = new Map<string, { calls: number[]; start: number }>()

  /** Takes units of today's bucket, also when they are no longer there. @returns whether they were */
  spend(key: string, units: number, max: number, nowMs: number): boolean {
    const day = pacificDay(nowMs)
    const bucket = this.#days.get(key)
    const used = (bucket?.day === day ? bucket.used : 0) + units
    this.#days.set(key, { day, used })
    return used <= max
  }

  usedToday(key: string, nowMs: number): number {
    const bucket = this.#days.get(key)
    return bucket?.day === pacificDay(nowMs) ? bucket.used : 0
  }

  /** Every daily bucket of today. */
  today(nowMs: number): Record<string, number> {
    return Object.fromEntries([...this.#days.keys()].map(key => [key, this.usedToday(key, nowMs)]))
  }

  /** Counts a call in a sliding window. @returns how many there are, this one included, and when the oldest leaves */
  slide(key: string, windowMs: number, nowMs: number): { calls: number; freeInMs: number } {
    const window = this.#windows.get(key) ?? { calls: [], start: 0 }
    this.#windows.set(key, window)
    window.calls.push(nowMs)
    return this.inWindow(key, windowMs, nowMs)
  }

  /** The same without a call. */
  inWindow(key: string, windowMs: number, nowMs: number): { calls: number; freeInMs: number } {
    const window = this.#windows.get(key)
    if (window === undefined) return { calls: 0, freeInMs: 0 }
    while ((window.calls[window.start] ?? Number.POSITIVE_INFINITY) <= nowMs - windowMs) window.start += 1
    if (window.start > 1000) {
      window.calls.splice(0, window.start)
      window.start = 0
    }
    const oldestMs = window.calls[window.start]
    return {
      calls: window.calls.length - window.start,
      freeInMs: oldestMs === undefined ? 0 : oldestMs + windowMs - nowMs,
    }
  }

  clear(): void {
    this.#days.clear()
    this.#windows.clear()
  }
}

const pacific = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/Los_Angeles',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
})
let lastHour = Number.NaN
let lastDay = ''

/** The day in California, e.g. `2026-11-21`. */
export function pacificDay(nowMs: number): string {
  // Zones change on the hour: within one the day is the same.
  const hour = Math.floor(nowMs / 3_600_000)
  if (hour !== lastHour) {
    lastDay = pacific.format(nowMs)
    lastHour = hour
  }
  return lastDay
}

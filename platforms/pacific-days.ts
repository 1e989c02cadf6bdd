const hourMs = 3_600_000
const calendar = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'America/Los_Angeles',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
})

/** The day in California, where YouTube and Instagram begin theirs, e.g. `2026-11-21`. */
export function pacificDayOf(atMs: number): string {
  return calendar.format(atMs)
}

/** When a day begins in California, in epoch ms: at 7 or 8 o'clock UTC. @param day e.g. `2026-11-21` */
export function pacificDayStartMs(day: string): number {
  const summerMs = Date.parse(`${day}T07:00:00Z`)
  return pacificDayOf(summerMs) === day ? summerMs : summerMs + hourMs
}

/** The day after a day. */
export function dayAfter(day: string): string {
  return dayBack(day, -1)
}

/** The day so many days before a day; after it for a negative count. */
export function dayBack(day: string, dayCount: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) - dayCount * 24 * hourMs).toISOString().slice(0, 10)
}

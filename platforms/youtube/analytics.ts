import { ask, bearerOf, type ClientDeps } from '../http.ts'
import { at, countAt, listAt, textAt } from '../json.ts'
import type { AccountReading, DataAccess, DayRange, DayReading } from '../port.ts'
import { analyticsScope } from './auth.ts'
import { youtubeSpeech } from './errors.ts'

export interface ReportQuestion {
  readonly days: DayRange
  /** Of one family of reports: mixing families is refused as a whole. */
  readonly metrics: readonly string[]
  readonly dimensions?: readonly string[]
  /** e.g. `video==A,B`. */
  readonly filters?: string
  /** e.g. `-views`. */
  readonly sort?: string
  /** At most 200 for lists of videos. */
  readonly maxResults?: number
}

/**
 * A report of the YouTube Analytics API about the token's own channel, by rows; each value under its column's name. Days
 * are California's; the last two or three are missing until they are ready.
 */
export async function youtubeReport(
  deps: ClientDeps,
  access: DataAccess,
  question: ReportQuestion,
): Promise<Record<string, unknown>[]> {
  const { days, metrics, dimensions, filters, sort, maxResults } = question
  const { json } = await ask(deps, youtubeSpeech, {
    url: `${deps.urls.youtubeAnalytics}/v2/reports`,
    bearer: bearerOf(youtubeSpeech, access, analyticsScope),
    query: {
      ids: 'channel==MINE',
      startDate: days.from,
      endDate: days.to,
      metrics: metrics.join(','),
      dimensions: dimensions?.join(',') ?? null,
      filters: filters ?? null,
      sort: sort ?? null,
      maxResults: maxResults === undefined ? null : String(maxResults),
    },
  })
  const names = listAt(json, 'columnHeaders').map(header => textAt(header, 'name'))
  // Without rows the field itself is left out.
  return listAt(json, 'rows').map(row =>
    Object.fromEntries(names.map((name, index) => [name, Array.isArray(row) ? row[index] : undefined])),
  )
}

/** Metrics by the report that they belong to: reports cannot be mixed, so each is asked for by itself. */
const dayReports = [
  ['views', 'estimatedMinutesWatched'],
  ['likes', 'comments', 'shares', 'subscribersGained', 'subscribersLost'],
] as const

/** What the own channel gained by day: a request for each report. Net likes may be below zero: then they are not given. */
export async function youtubeDays(
  deps: ClientDeps,
  access: DataAccess,
  account: AccountReading,
  days: DayRange,
): Promise<DayReading[]> {
  const byDay = new Map<string, Record<string, unknown>>()
  for (const [place, metrics] of dayReports.entries()) {
    if (place > 0) await access.payMore?.(1)
    for (const row of await youtubeReport(deps, access, { days, metrics, dimensions: ['day'], sort: 'day' })) {
      const day = at(row, 'day')
      if (typeof day === 'string' && isDayIn(day, days)) byDay.set(day, { ...byDay.get(day), ...row })
    }
  }
  const observedAtMs = deps.clock.nowMs()
  return [...byDay].map(([day, row]) => ({
    platform: 'youtube',
    creatorId: account.creatorId,
    day,
    views: countAt(row, 'views'),
    likes: countAt(row, 'likes'),
    comments: countAt(row, 'comments'),
    shares: countAt(row, 'shares'),
    saves: null,
    watchMinutes: countAt(row, 'estimatedMinutesWatched'),
    followersGained: countAt(row, 'subscribersGained'),
    followersLost: countAt(row, 'subscribersLost'),
    observedAtMs,
    endpoint: 'reports.query',
  }))
}

function isDayIn(text: string, { from, to }: DayRange): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && text >= from && text <= to
}

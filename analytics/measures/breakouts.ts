import type { Platform } from '../../contracts/ids.ts'
import type { TrendRow } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { trends } from './trends.ts'

/** What makes a breakout, over the last 24 hours; `docs/metrics.md` has the sentence. */
export const breakoutRule = {
  outlierMin: 5,
  viewsMin: 10_000,
  /** Views per hour. */
  velocityMin: 500,
  ageMsMax: 7 * 86_400_000,
} as const

const rowsMax = 50

/**
 * The clips of one platform that break out now, the largest outlier multiple first, at most 50. One platform at a time:
 * numbers of different platforms need not be allowed beside each other.
 */
export async function breakouts(ctx: AnalyticsContext, platform: Platform): Promise<{ rows: TrendRow[]; asOf: Date }> {
  const found = await trends(ctx, { type: 'clips', platform, period: '24h', sort: 'outlier', limit: rowsMax })
  return { rows: found.rows.filter(row => isBreakout(row, found.asOf.getTime())), asOf: found.asOf }
}

/** @param nowMs the end of the row's window, epoch ms */
export function isBreakout(row: TrendRow, nowMs: number): boolean {
  const { outlierMin, viewsMin, velocityMin, ageMsMax } = breakoutRule
  if (row.outlier === null || row.views === null || row.velocity === null || row.publishedAt === null) return false
  const isYoung = nowMs - Date.parse(row.publishedAt) <= ageMsMax
  return isYoung && row.outlier >= outlierMin && row.views >= viewsMin && row.velocity >= velocityMin
}

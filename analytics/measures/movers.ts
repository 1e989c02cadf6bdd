import type { TrendRow, TrendsParams } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { type Trends, trends } from './trends.ts'

/** The leaders among which movement is looked for: a leap at the far end of the list moves nobody. */
const leadersMax = 100

/**
 * The largest changes of rank and the fastest accelerations among the first 100 of the list: ordered by the larger of
 * places climbed or fallen per hundred and the acceleration's distance from 1; newcomers count as having climbed from
 * below the hundred. Who gained nothing did not move: ranks among equal zeros say nothing. One page.
 *
 * @param list computes the list
 */
export async function movers(
  ctx: AnalyticsContext,
  params: TrendsParams,
  list: (ctx: AnalyticsContext, params: TrendsParams) => Promise<Trends> = trends,
): Promise<Trends> {
  const { cursor: _cursor, ...asked } = params
  const found = await list(ctx, { ...asked, sort: 'gain', limit: leadersMax })
  const rows = found.rows
    .filter(row => row.gain !== 0)
    .sort((a, b) => movement(b) - movement(a) || a.rank - b.rank)
    .slice(0, params.limit)
  return { ...found, rows, nextCursor: null }
}

function movement(row: TrendRow): number {
  const places = row.rankChange ?? leadersMax + 1 - row.rank
  const acceleration = row.acceleration === null ? 0 : Math.abs(row.acceleration - 1)
  return Math.max(Math.abs(places) / leadersMax, Math.min(acceleration, 10) / 10)
}

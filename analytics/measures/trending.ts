import type { TrendRow } from '../../contracts/measures.ts'
import type { Trending } from '../../contracts/trending.ts'
import { breakoutRule, isBreakout } from './breakouts.ts'

/** From when on a number stands out; `docs/metrics.md` has the sentences. */
const signs = { accelerationMin: 1.5, climbMin: 10, engagementMin: 0.1, outlierMin: 3 } as const

/**
 * Whether a row of a ranked list stands out now, and by what: only what is known counts.
 * @param asOf the end of the row's window
 * @returns null when nothing about it stands out
 */
export function trendingOf(row: TrendRow, asOf: Date): Trending | null {
  const why = [
    ...(row.outlier !== null && row.outlier >= signs.outlierMin
      ? [`Views are ${times(row.outlier)} those of the creator's usual video at this age.`]
      : []),
    ...(row.acceleration !== null && row.acceleration >= signs.accelerationMin
      ? [`Views come ${times(row.acceleration)} as fast at the end of the window as over all of it.`]
      : []),
    ...(row.rankChange !== null && row.rankChange >= signs.climbMin
      ? [`It climbed ${row.rankChange} places since the window before.`]
      : []),
    ...(row.engagement !== null && row.engagement >= signs.engagementMin
      ? [`${Math.round(row.engagement * 100)} of 100 viewers reacted (${row.engagementOver.join(', ')}).`]
      : []),
  ]
  if (isBreakout(row, asOf.getTime())) {
    const isLarge = `It has ${breakoutRule.viewsMin.toLocaleString('en-US')} views or more and is at most a week old.`
    return { level: 'breakout', why: [...why, isLarge] }
  }
  return why.length === 0 ? null : { level: why.length === 1 ? 'rising' : 'hot', why }
}

function times(factor: number): string {
  return `${factor.toFixed(1)} times`
}

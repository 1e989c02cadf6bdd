import { z } from 'zod'
import { platforms } from '../../contracts/ids.ts'
import { type IndexParams, type IndexRow, periodMs } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { compose, maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { chainIndex } from '../scores.ts'

/** Constituents of a niche on one day: its videos with the largest velocity. */
const constituentsMax = 50
const dayMs = 86_400_000

const DayRow = z.object({
  niche: z.string(),
  day_ms: wholeNumber,
  constituents: wholeNumber,
  velocity: maybeNumber,
  velocity_before: maybeNumber,
})

/**
 * The clip index of every niche, or of one: base 100 at the first day of the period, chain-linked day by day over the 50
 * videos of the niche that were fastest that day and have a velocity on the day before too. Days are UTC; a day without
 * such videos leaves the level where it was.
 *
 * @returns one row per niche of the rules, in their order; `level` is null where no day could be compared
 */
export async function clipIndex(
  ctx: AnalyticsContext,
  params: IndexParams,
): Promise<{ rows: IndexRow[]; asOf: Date; generatedAt: Date }> {
  const nowMs = ctx.world.clock.nowMs()
  const dayCount = Math.max(2, Math.ceil(periodMs[params.period] / dayMs))
  const toMs = Math.floor(nowMs / dayMs) * dayMs
  const fromMs = toMs - dayCount * dayMs
  const values = {
    platforms: params.platform === 'all' ? platforms : [params.platform],
    rulesHash: ctx.niches.hash,
    niche: params.niche ?? '',
    fromMs: Math.max(0, fromMs - 2 * dayMs),
    firstMs: Math.max(0, fromMs),
    toMs,
    constituentsMax,
  }
  const slots = { only: params.niche === undefined ? '' : 'AND niche = {niche:String}' }
  const days = await runQuery(ctx, compose(sqlPart('clip-index'), slots), values, DayRow, { tag: 'analytics:index' })
  const niches = ctx.niches.niches.filter(({ name }) => params.niche === undefined || name === params.niche)
  return {
    rows: niches.map(niche =>
      rowOf(
        niche,
        days.filter(day => day.niche === niche.name),
        fromMs,
        dayCount,
      ),
    ),
    asOf: new Date(nowMs),
    generatedAt: new Date(),
  }
}

function rowOf(
  niche: { name: string; label: string },
  found: readonly z.infer<typeof DayRow>[],
  fromMs: number,
  dayCount: number,
): IndexRow {
  const byDay = new Map(found.map(day => [day.day_ms, day]))
  const days = Array.from({ length: dayCount }, (_, index) => {
    const atMs = fromMs + (index + 1) * dayMs
    const day = byDay.get(atMs)
    return { atMs, velocity: day?.velocity ?? null, velocityBefore: day?.velocity_before ?? null }
  })
  const levels = chainIndex(days)
  const isComparable = days.some(day => day.velocity !== null && day.velocityBefore !== null && day.velocityBefore > 0)
  const last = levels.at(-1) ?? 100
  const previous = levels.at(-2) ?? 100
  const latest = [...found].sort((a, b) => b.day_ms - a.day_ms)[0]
  return {
    key: niche.name,
    niche: niche.name,
    label: niche.label,
    level: isComparable ? last : null,
    changePct: isComparable && previous > 0 ? (last / previous - 1) * 100 : null,
    baseAt: isComparable ? new Date(fromMs).toISOString() : null,
    constituents: latest?.constituents ?? 0,
    velocity: latest?.velocity ?? null,
    spark: isComparable ? levels : [],
  }
}

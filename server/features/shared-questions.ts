import type { AnalyticsContext } from '../../analytics/context.ts'
import { readsOf } from '../../analytics/live.ts'
import { searchCreators } from '../../analytics/measures/library.ts'
import { series } from '../../analytics/measures/series.ts'
import { trends } from '../../analytics/measures/trends.ts'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import type { CreatorSearchParams, SeriesParams, TrendsParams } from '../../contracts/measures.ts'
import type { ServerDeps } from '../deps.ts'
import type { Sight } from '../http/shared-route.ts'
import { canonical, ofOwner, touching } from '../live/public-question.ts'
import { ownMeasureContext } from './measure-context.ts'
import type { SharedQuestion } from './shared-answers.ts'
import { withTrending } from './trending.ts'

/** What questions about public numbers stand on. */
export type QuestionDeps = Pick<ServerDeps, 'store' | 'world' | 'niches' | 'clock' | 'clippers'>

/**
 * `GET /api/analytics/trends` and `/ext-api/v1/trends`; with what trends for plans that have it, and the clipper counts of
 * the one who asks.
 */
export function trendsQuestion(
  deps: QuestionDeps,
  params: TrendsParams,
  { hasIndicators, clippersOf }: Sight,
): SharedQuestion {
  const reads = readsOf('trends', params)
  const owner = reads.countsClippers ? clippersOf : null
  return {
    key: `trends${hasIndicators ? ' indicated' : ''}${ofOwner(owner)} ${canonical(params)}`,
    isTouchedBy: touching(deps, event => reads.isTouchedBy(event), owner),
    async compute() {
      const found = await inWorld(deps, ctx => trends(ctx, params), owner)
      return {
        data: hasIndicators ? withTrending(found.rows, found.asOf) : found.rows,
        // A later page keeps the window of the first; its cursor holds that window's end, and says nothing else.
        version: found.nextCursor === null ? 'last' : 'more',
        rest: {
          ...(found.rankedAmong === null ? {} : { rankedAmong: found.rankedAmong }),
          generatedAt: found.generatedAt.toISOString(),
          asOf: found.asOf.toISOString(),
          ...(found.nextCursor === null ? {} : { nextCursor: found.nextCursor }),
        },
      }
    },
  }
}

/** `GET /api/analytics/series` and `/ext-api/v1/series`. */
export function seriesQuestion(
  deps: QuestionDeps,
  params: SeriesParams,
  { clippersOf }: Pick<Sight, 'clippersOf'>,
): SharedQuestion {
  const reads = readsOf('series', params)
  const owner = reads.countsClippers ? clippersOf : null
  return {
    key: `series${ofOwner(owner)} ${canonical(params)}`,
    isTouchedBy: touching(deps, event => reads.isTouchedBy(event), owner),
    async compute() {
      const found = await inWorld(deps, ctx => series(ctx, params), owner)
      return {
        data: found.points,
        version: found.bucket,
        rest: { bucket: found.bucket, generatedAt: generatedAt(deps), asOf: found.asOf.toISOString() },
      }
    },
  }
}

/** `/ext-api/v1/creators`, and `GET /api/creators` without the instants. */
export function creatorsQuestion(deps: QuestionDeps, params: CreatorSearchParams): SharedQuestion {
  return {
    key: `creators ${canonical(params)}`,
    isTouchedBy: touching(deps, () => true),
    async compute() {
      const asOf = new Date(deps.world.current().clock.nowMs())
      const page = await inWorld(deps, ctx => searchCreators(ctx, params))
      return {
        data: page.rows,
        version: page.nextCursor ?? '',
        rest: {
          generatedAt: generatedAt(deps),
          asOf: asOf.toISOString(),
          ...(page.nextCursor === null ? {} : { nextCursor: page.nextCursor }),
        },
      }
    },
  }
}

/**
 * Computes in the world that is looked at, with the clipper counts of `owner`. When that went away meanwhile, its numbers are nobody's any more.
 * @throws AppError UNAVAILABLE then
 */
export async function inWorld<T>(
  deps: QuestionDeps,
  compute: (ctx: AnalyticsContext) => Promise<T>,
  owner: UserId | null = null,
): Promise<T> {
  const ctx = await ownMeasureContext(deps, owner)
  try {
    return await compute(ctx)
  } catch (cause) {
    if (!ctx.world.gone?.aborted) throw cause
    throw new AppError('UNAVAILABLE', 'Other numbers are shown from now on: ask again.', { cause })
  }
}

/** When an answer was made, in real time. */
export function generatedAt(deps: Pick<ServerDeps, 'clock'>): string {
  return new Date(deps.clock.nowMs()).toISOString()
}

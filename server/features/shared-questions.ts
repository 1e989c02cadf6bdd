import { readsOf } from '../../analytics/live.ts'
import { searchCreators } from '../../analytics/measures/library.ts'
import { series } from '../../analytics/measures/series.ts'
import { trends } from '../../analytics/measures/trends.ts'
import type { BusEvents } from '../../contracts/bus.ts'
import { assertNever } from '../../contracts/errors.ts'
import type { CreatorSearchParams, SeriesParams, TrendsParams } from '../../contracts/measures.ts'
import type { ServerDeps } from '../deps.ts'
import type { Change } from '../live/source.ts'
import { measureContext } from './measure-context.ts'
import { canonical, type SharedQuestion } from './shared-answers.ts'

/** What questions about public numbers stand on. */
export type QuestionDeps = Pick<ServerDeps, 'store' | 'world' | 'niches' | 'clock'>

/** `GET /api/analytics/trends` and `/ext-api/v1/trends`. */
export function trendsQuestion(deps: QuestionDeps, params: TrendsParams): SharedQuestion {
  const reads = readsOf('trends', params)
  return {
    key: `trends ${canonical(params)}`,
    isTouchedBy: touching(deps, reads.isTouchedBy),
    async compute() {
      const found = await trends(measureContext(deps), params)
      return {
        data: found.rows,
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
export function seriesQuestion(deps: QuestionDeps, params: SeriesParams): SharedQuestion {
  const reads = readsOf('series', params)
  return {
    key: `series ${canonical(params)}`,
    isTouchedBy: touching(deps, reads.isTouchedBy),
    async compute() {
      const found = await series(measureContext(deps), params)
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
      const page = await searchCreators(measureContext(deps), params)
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

/** Whether a change is about the numbers of the world that is looked at, and of those that a question reads. */
export function touching(
  deps: Pick<ServerDeps, 'world'>,
  isTouchedBy: (event: BusEvents['samples.written']) => boolean,
): (change: Change) => boolean {
  return change => {
    switch (change.kind) {
      case 'samples':
        return change.event.world === deps.world.current().database && isTouchedBy(change.event)
      case 'metadata':
        return change.world === deps.world.current().database
      case 'niches':
      case 'world':
        return true
      case 'deadLetters':
        return false
      default:
        return assertNever(change)
    }
  }
}

/** When an answer was made, in real time. */
export function generatedAt(deps: Pick<ServerDeps, 'clock'>): string {
  return new Date(deps.clock.nowMs()).toISOString()
}

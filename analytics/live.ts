import type { BusEvents } from '../contracts/bus.ts'
import { assertNever } from '../contracts/errors.ts'
import { CreatorIdSchema, type Platform, platforms, splitId, VideoIdSchema } from '../contracts/ids.ts'
import {
  DescribeParamsSchema,
  FactSchema,
  IndexParamsSchema,
  IndexRowSchema,
  SeriesParamsSchema,
  SeriesPointSchema,
  TrendRowSchema,
  TrendsParamsSchema,
} from '../contracts/measures.ts'
import type { KeyedRow } from '../contracts/ws.ts'
import type { AnalyticsContext } from './context.ts'
import { canKeep, type LiveLists } from './live-lists.ts'
import { clipIndex } from './measures/clip-index.ts'
import { describe } from './measures/describe.ts'
import { movers } from './measures/movers.ts'
import { series } from './measures/series.ts'
import { trends } from './measures/trends.ts'

/** Live queries that are about numbers of a world. */
export type LiveMeasure = 'trends' | 'movers' | 'index' | 'series' | 'describe'

/** What a live query shows: rows with unique keys, in a fixed order for fixed data. */
export interface LiveResult {
  readonly columns: string[]
  readonly rows: KeyedRow[]
  readonly asOf: Date
}

/** What trends is added for those who may see it. */
const trendColumns = Object.keys(TrendRowSchema.omit({ trending: true }).shape)

const columns = {
  trends: trendColumns,
  movers: trendColumns,
  index: Object.keys(IndexRowSchema.shape),
  series: ['key', ...Object.keys(SeriesPointSchema.shape)],
  describe: Object.keys(FactSchema.shape),
} as const satisfies Record<LiveMeasure, string[]>

/**
 * Computes one live query.
 * @param params checked by the query's schema already; read again here, so defaults are in
 * @param lists what is kept of ranked lists from one computation to the next; `null` keeps nothing
 * @throws AppError NOT_FOUND (describe), BAD_REQUEST, and what the store throws
 */
export async function computeLive(
  ctx: AnalyticsContext,
  name: LiveMeasure,
  params: unknown,
  lists: LiveLists | null = null,
): Promise<LiveResult> {
  switch (name) {
    case 'trends':
    case 'movers': {
      const asked = TrendsParamsSchema.parse(params)
      const list: typeof trends = (on, of) => (lists && canKeep(on, of) ? lists.trends(on, of) : trends(on, of))
      const { rows, asOf } = await (name === 'trends' ? list(ctx, asked) : movers(ctx, asked, list))
      return { columns: columns[name], rows, asOf }
    }
    case 'index': {
      const { rows, asOf } = await clipIndex(ctx, IndexParamsSchema.parse(params))
      return { columns: columns.index, rows, asOf }
    }
    case 'series': {
      const { points, asOf } = await series(ctx, SeriesParamsSchema.parse(params))
      return { columns: columns.series, rows: points.map(point => ({ key: point.at, ...point })), asOf }
    }
    case 'describe': {
      const rows = await describe(ctx, DescribeParamsSchema.parse(params))
      return { columns: columns.describe, rows, asOf: new Date(ctx.world.clock.nowMs()) }
    }
    default:
      return assertNever(name)
  }
}

/** What a live query depends on. */
export interface LiveReads {
  /** Its window ends now: the answer changes as time passes, without any write. */
  readonly movesWithTime: boolean
  /** It holds clipper counts that are the asking user's own. */
  readonly countsClippers: boolean
  /** Whether rows that were written can change it; when in doubt, yes. */
  isTouchedBy(event: BusEvents['samples.written']): boolean
}

type ReadsKind = Pick<LiveReads, 'movesWithTime' | 'countsClippers'>

/** @param params checked by the query's schema already */
export function readsOf(name: LiveMeasure, params: unknown): LiveReads {
  switch (name) {
    case 'trends':
    case 'movers': {
      const asked = TrendsParamsSchema.parse(params)
      const own = asked.creator === undefined ? null : splitId(asked.creator).platform
      return readsPlatforms(own === null ? platformsFor(asked.platform) : [own], {
        movesWithTime: asked.to === undefined,
        countsClippers: asked.type !== 'topics',
      })
    }
    case 'index':
      return readsPlatforms(platformsFor(IndexParamsSchema.parse(params).platform), {
        movesWithTime: true,
        countsClippers: false,
      })
    case 'series': {
      const asked = SeriesParamsSchema.parse(params)
      const countsClippers = asked.metric === 'clippers' && asked.type !== 'topics'
      return readsSubject(asked, { movesWithTime: asked.to === undefined, countsClippers })
    }
    case 'describe': {
      const asked = DescribeParamsSchema.parse(params)
      return readsSubject(
        { ...asked, platform: 'all' },
        { movesWithTime: true, countsClippers: asked.type !== 'topics' },
      )
    }
    default:
      return assertNever(name)
  }
}

function readsSubject(
  asked: { type: 'clips' | 'creators' | 'topics'; id: string; platform: Platform | 'all' },
  kind: ReadsKind,
): LiveReads {
  if (asked.type === 'topics') return readsPlatforms(platformsFor(asked.platform), kind)
  if (asked.type === 'creators') {
    const id = CreatorIdSchema.safeParse(asked.id)
    return readsPlatforms(id.success ? [splitId(id.data).platform] : [], kind)
  }
  const id = VideoIdSchema.safeParse(asked.id)
  return {
    ...kind,
    isTouchedBy: event => id.success && (event.isCut || event.videos.includes(id.data)),
  }
}

function readsPlatforms(read: readonly Platform[], kind: ReadsKind): LiveReads {
  return { ...kind, isTouchedBy: event => event.platforms.some(platform => read.includes(platform)) }
}

function platformsFor(platform: Platform | 'all'): readonly Platform[] {
  return platform === 'all' ? platforms : [platform]
}

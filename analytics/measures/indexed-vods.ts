/**
 * Videos in the order in which they were indexed, for programs that ask again and again what is new.
 *
 * The trap: a row bears the instant at which its insert ran, and is seen when that insert has ended. Somebody who has
 * seen the rows of 12:00:01 and goes on from there would never see one that was begun at 12:00:00 and ended at 12:00:02.
 * So a page ends at a horizon, before which no insert that runs can still write: the start of the oldest one, read
 * before the rows are. Behind it nothing ever appears.
 *
 * The engine lists what runs on one server. Where several share the tables a margin stands for the other ones' inserts
 * and clocks. A clock that is set back by more than the margin is not made up for.
 */
import { z } from 'zod'
import { type CreatorId, creatorId, PlatformSchema, splitId, videoId } from '../../contracts/ids.ts'
import type { IndexedVodRow } from '../../contracts/library.ts'
import type { AnalyticsContext } from '../context.ts'
import { runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { readListCursor, writeCursor } from './cursor.ts'
import { refKey, videoDescriptions } from './details.ts'
import { sourceState } from './library.ts'

/** How far the horizon stays behind now, for servers that share their tables. */
const marginMs = { embedded: 0, server: 2_000 } as const

/** Thousands of creators, each named in up to 280 characters, are more than the engine's 256 KiB. */
const queryBytesMax = 16 * 1024 * 1024

export interface IndexedVods {
  readonly rows: IndexedVodRow[]
  /** Whatever was indexed before it and after the page's beginning is in the list, when there is no further page. */
  readonly horizon: Date
  readonly nextCursor: string | null
}

const HorizonRow = z.object({ now_ms: wholeNumber, running_ms: wholeNumber })
const PageRow = z.object({
  platform: PlatformSchema,
  creator_id: z.string(),
  video_id: z.string(),
  indexed_ms: wholeNumber,
})

/**
 * @param params.sinceMs the first instant of indexing, epoch ms; rows of that very instant are in
 * @throws AppError BAD_REQUEST for a cursor that is not ours
 */
export async function indexedVods(
  ctx: AnalyticsContext,
  params: {
    readonly creators: readonly CreatorId[]
    readonly sinceMs: number
    readonly limit: number
    readonly cursor?: string | undefined
  },
): Promise<IndexedVods> {
  const after = params.cursor === undefined ? null : readListCursor(params.cursor)
  const horizonMs = await readHorizon(ctx)
  const creators = params.creators.map(splitId)
  const found = await runQuery(
    ctx,
    sqlPart('indexed-vods', 'page'),
    {
      platforms: creators.map(({ platform }) => platform),
      creators: creators.map(({ nativeId }) => nativeId),
      sinceMs: params.sinceMs,
      beforeMs: horizonMs,
      afterMs: wholeOf(after?.[0]),
      afterPlatform: String(after?.[1] ?? ''),
      afterCreator: String(after?.[2] ?? ''),
      afterId: String(after?.[3] ?? ''),
      limit: params.limit + 1,
    },
    PageRow,
    { tag: 'analytics:indexed-vods', settings: { max_query_size: queryBytesMax } },
  )
  const page = found.slice(0, params.limit)
  const descriptions = await videoDescriptions(
    ctx,
    page.map(row => ({ platform: row.platform, id: row.video_id })),
  )
  const last = page.at(-1)
  return {
    rows: page.map(row => {
      const said = descriptions.get(refKey({ platform: row.platform, id: row.video_id }))
      return {
        vodId: videoId(row.platform, row.video_id),
        title: said?.title ?? '',
        publishedAt: said?.published_ms === null || !said ? null : new Date(said.published_ms).toISOString(),
        duration: said?.duration_seconds ?? null,
        thumbnailUrl: said?.thumbnail_url ?? '',
        kind: said?.kind ?? 'clip',
        source: sourceState({ kind: said?.kind ?? 'clip', ended_ms: said?.ended_ms ?? null }),
        creatorId: creatorId(row.platform, row.creator_id),
        indexedAt: new Date(row.indexed_ms).toISOString(),
      }
    }),
    horizon: new Date(horizonMs),
    nextCursor:
      last && found.length > params.limit
        ? writeCursor({ after: [last.indexed_ms, last.platform, last.creator_id, last.video_id] })
        : null,
  }
}

/** Inserts that begin after this was read write later instants; those that ended before it was read are seen. */
async function readHorizon(ctx: AnalyticsContext): Promise<number> {
  const [row] = await runQuery(ctx, sqlPart('indexed-vods', 'horizon'), {}, HorizonRow, {
    tag: 'analytics:indexed-vods',
  })
  if (!row) throw new Error('The engine did not say what runs.')
  return row.now_ms - row.running_ms - marginMs[ctx.store.status().kind]
}

/** A whole number of a cursor, which anybody may have written. */
function wholeOf(value: string | number | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0
}

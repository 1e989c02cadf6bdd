import { sql } from 'kysely'
import type { AnalyticsContext } from '../../../analytics/context.ts'
import { breakouts } from '../../../analytics/measures/breakouts.ts'
import { platforms, VideoIdSchema } from '../../../contracts/ids.ts'
import type { TrendRow } from '../../../contracts/measures.ts'
import type { Breakout } from '../../../contracts/webhooks.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Log } from '../../../core/log.ts'
import { type Happening, tellWebhooks, wakeSender } from './outbox.ts'

/**
 * Looks for videos that break out and tells the webhooks that want to know, each video once to each. A webhook that is
 * new is told of those that break out already. Nothing is computed while nobody wants to know.
 *
 * @param analytics the world of real readings: a replay tells nobody
 * @returns how many deliveries are new
 */
export async function tellBreakouts(
  deps: { db: Db; bus: Bus; clock: Clock; log: Log },
  analytics: AnalyticsContext,
): Promise<number> {
  if (!(await isWanted(deps.db))) return 0
  const happenings: Happening[] = []
  for (const platform of platforms) {
    const found = await breakouts(analytics, platform)
    for (const row of found.rows) happenings.push(...happeningOf(row, found.asOf))
  }
  if (happenings.length === 0) return 0
  const now = new Date(deps.clock.nowMs())
  const count = await deps.db.transaction(trx => tellWebhooks(trx, happenings, { now }))
  if (count > 0) await wakeSender(deps)
  return count
}

async function isWanted(db: Db): Promise<boolean> {
  const some = await db.system
    .selectFrom('webhooks')
    .select('id')
    .where('status', '=', 'active')
    .where(sql<boolean>`'video.breakout' = any (events)`)
    .limit(1)
    .executeTakeFirst()
  return some !== undefined
}

function happeningOf(row: TrendRow, asOf: Date): Happening[] {
  const { views, velocity, outlier, publishedAt } = row
  if (views === null || velocity === null || outlier === null || publishedAt === null) return []
  const data: Breakout = {
    videoId: VideoIdSchema.parse(row.key),
    url: row.url,
    title: row.title,
    creatorId: row.creatorId,
    creatorName: row.creatorName,
    publishedAt: new Date(publishedAt).toISOString(),
    views,
    gain: row.gain,
    velocity,
    outlier,
    asOf: asOf.toISOString(),
  }
  // The day is that of its publication: it never changes, so a video that goes on breaking out is told once.
  return [{ event: 'video.breakout', dedupeKey: `video.breakout ${row.key} ${data.publishedAt.slice(0, 10)}`, data }]
}

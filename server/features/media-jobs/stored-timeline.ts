import type { UserId } from '../../../contracts/ids.ts'
import { type TimelineLevel, timelineLevels } from '../../../contracts/timeline.ts'
import type { Db } from '../../../core/db/port.ts'

/** The file of a job in which its timeline lies. */
export const timelineFile = 'timeline.json'

/** A timeline that some job of the user's has made, of which of their VODs. */
export interface StoredTimeline {
  readonly jobId: string
  readonly vodId: string
  readonly level: TimelineLevel
}

/** What each type of work needs of a timeline; null for work of another kind. */
export function levelNeeded(type: string, params: object): TimelineLevel | null {
  if (type === 'audio/silence' || type === 'audio/energy') return 'audio'
  if (type !== 'video/scenes' && type !== 'timeline/analyze') return null
  return levelOf(params) ?? null
}

/**
 * A timeline of the same media that says at least as much as one of a level would, whichever of the user's VODs it was
 * made of; null when nobody has made one, or it has expired.
 */
export async function storedTimeline(
  db: Db,
  userId: UserId,
  wanted: { readonly contentId: string; readonly level: TimelineLevel; readonly now: Date },
): Promise<StoredTimeline | null> {
  const levels = timelineLevels.slice(timelineLevels.indexOf(wanted.level))
  const rows = await db.asUser(userId, trx =>
    trx
      .selectFrom('media_jobs')
      .innerJoin('media_outputs', 'media_outputs.job_id', 'media_jobs.id')
      .innerJoin('vods', join =>
        join.onRef('vods.vod_id', '=', 'media_jobs.vod_id').onRef('vods.owner_id', '=', 'media_jobs.owner_id'),
      )
      .select(['media_jobs.id', 'media_jobs.vod_id', 'media_jobs.result'])
      .where('media_jobs.owner_id', '=', userId)
      .where('media_outputs.name', '=', timelineFile)
      .where('vods.content_id', '=', wanted.contentId)
      .where('media_jobs.status', '=', 'done')
      .where(eb => eb.or([eb('media_jobs.expires_at', 'is', null), eb('media_jobs.expires_at', '>', wanted.now)]))
      .orderBy('media_jobs.finished_at', 'desc')
      .limit(100)
      .execute(),
  )
  const found = rows.map(row => ({ jobId: row.id, vodId: row.vod_id, level: levelOf(row.result) }))
  // The least that is enough: the shortest to read.
  for (const level of levels) {
    const one = found.find(row => row.level === level)
    if (one) return { jobId: one.jobId, vodId: one.vodId, level }
  }
  return null
}

/** Of the parameters of an analysis, or of its result. */
function levelOf(analysis: unknown): TimelineLevel | undefined {
  if (typeof analysis !== 'object' || analysis === null || !('level' in analysis)) return undefined
  return timelineLevels.find(level => level === analysis.level)
}

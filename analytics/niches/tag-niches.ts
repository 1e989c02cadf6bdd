import { z } from 'zod'
import { PlatformSchema } from '../../contracts/ids.ts'
import type { AnalyticsStore } from '../../core/clickhouse/port.ts'
import type { World } from '../../core/world.ts'
import { runCommand, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import type { NicheRules } from './rules.ts'

/** Videos looked at in one step. */
const videosPerStep = 1000
/** Descriptions written this long before the last look are looked at again: an insert takes a moment to become visible. */
const overlapMs = 10_000

const ProgressRow = z.object({ tagged_ms: wholeNumber, now_ms: wholeNumber })
const VideoRow = z.object({
  platform: PlatformSchema,
  video_id: z.string(),
  title: z.string(),
  category: z.string(),
  tags: z.array(z.string()),
  duration_seconds: z.number().nullable(),
})
const TaggedRow = z.object({ platform: PlatformSchema, video_id: z.string(), niche: z.string() })
const HashRow = z.object({ rules_hash: z.string() })

interface Tag {
  niche: string
  platform: string
  videoId: string
  /** Empty: an earlier match is withdrawn. */
  rule: string
}

/**
 * Tags every video whose description was written since the last call with these rules; all of them after the rules
 * have changed. Tags of older rules are dropped at the end. Safe to stop and call again.
 *
 * @returns how many videos were looked at
 */
export async function tagNiches(store: AnalyticsStore, world: World, rules: NicheRules): Promise<number> {
  const target = { store, world }
  const rulesHash = rules.hash
  const [progress] = await runQuery(target, sqlPart('niche-tagging', 'progress'), { rulesHash }, ProgressRow)
  const nowMs = progress?.now_ms ?? 0
  const sinceMs = Math.max(0, (progress?.tagged_ms ?? 0) - overlapMs)
  let videoCount = 0
  let after = { platform: '', videoId: '' }
  for (;;) {
    const page = { sinceMs, afterPlatform: after.platform, afterId: after.videoId, limit: videosPerStep }
    const videos = await runQuery(target, sqlPart('niche-tagging', 'changed'), page, VideoRow, { tag: 'niches:tag' })
    const last = videos.at(-1)
    if (!last) break
    await writeTags({ store, world }, rules, videos, nowMs)
    videoCount += videos.length
    after = { platform: last.platform, videoId: last.video_id }
  }
  if (videoCount > 0 || progress?.tagged_ms === 0) {
    const row = { rules_hash: rulesHash, tagged_through: engineInstant(nowMs) }
    await store.insert(`${world.database}.niche_progress_v1`, [row], { tag: 'niches:progress' })
  }
  for (const old of await runQuery(target, sqlPart('niche-tagging', 'old_hashes'), { rulesHash }, HashRow)) {
    await runCommand(target, sqlPart('niche-tagging', 'forget'), { rulesHash: old.rules_hash }, 'niches:forget')
  }
  return videoCount
}

async function writeTags(
  target: { store: AnalyticsStore; world: World },
  rules: NicheRules,
  videos: readonly z.infer<typeof VideoRow>[],
  taggedMs: number,
): Promise<void> {
  const page = { pagePlatforms: videos.map(video => video.platform), pageIds: videos.map(video => video.video_id) }
  const rulesHash = rules.hash
  const standing = await runQuery(target, sqlPart('niche-tagging', 'tagged'), { ...page, rulesHash }, TaggedRow)
  const tags: Tag[] = []
  const matched = new Set<string>()
  for (const video of videos) {
    const subject = { ...video, durationSeconds: video.duration_seconds }
    for (const { niche, rule } of rules.match(subject)) {
      matched.add(`${niche} ${video.platform} ${video.video_id}`)
      tags.push({ niche, platform: video.platform, videoId: video.video_id, rule })
    }
  }
  for (const { niche, platform, video_id: videoId } of standing) {
    if (!matched.has(`${niche} ${platform} ${videoId}`)) tags.push({ niche, platform, videoId, rule: '' })
  }
  if (tags.length === 0) return
  const rows = tags.map(tag => ({
    rules_hash: rulesHash,
    niche: tag.niche,
    platform: tag.platform,
    video_id: tag.videoId,
    rule: tag.rule,
    tagged_at: engineInstant(taggedMs),
    is_match: tag.rule === '' ? 0 : 1,
  }))
  await target.store.insert(`${target.world.database}.video_niches_v1`, rows, { tag: 'niches:write' })
}

/** As the engine reads a DateTime64(3) from text. */
function engineInstant(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
}

import { velocityBetween } from '../scores.ts'
import type { WindowDetail } from './details.ts'
import type { RankedRow } from './ranking.ts'

/**
 * The numbers of one video over one window, as ranking would give them, from its readings alone.
 * @param publishedMs epoch ms; null where no source has said so
 */
export function windowRow(detail: WindowDetail, publishedMs: number | null): RankedRow {
  const isNew = publishedMs !== null && publishedMs > detail.window.fromMs && publishedMs <= detail.sampleAtMs
  const published = isNew ? { atMs: publishedMs, views: 0 } : null
  const start = detail.start ?? published ?? detail.first
  const end = detail.views === null ? null : { atMs: detail.sampleAtMs, views: detail.views }
  const hasGain = start !== null && end !== null
  return {
    key: detail.key,
    platform: detail.platform,
    low: detail.views ?? detail.likes ?? 0,
    endMs: detail.sampleAtMs,
    state: end === null ? 'viewless' : detail.start ? 'value' : isNew ? 'new' : 'partial',
    gain: hasGain ? end.views - start.views : null,
    velocity: hasGain ? velocityBetween(start, end) : null,
    sortValue: null,
    videos: 1,
    clippers: null,
    isOwn: false,
    recentVelocity: null,
    engagement: null,
  }
}

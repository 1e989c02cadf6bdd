import type { Platform } from '../../contracts/ids.ts'
import type { CreatorSample, Item, Sample, VideoRecord } from '../../contracts/samples.ts'
import type { AccountReading, PostReading } from '../../platforms/port.ts'
import { topicsOf } from '../topics.ts'
import { cutText } from '../values.ts'
import type { Poll } from './poll-rows.ts'

/** What platforms say, as rows. Texts that are too long are cut: a title is never a reason to lose its numbers. */

/**
 * Version of what a platform's counters mean. YouTube counts a view at the first frame since 24 August 2026: what was read
 * before is another series.
 */
const definitionVersions: Readonly<Record<Platform, number>> = { youtube: 2, tiktok: 1, instagram: 1 }

/** The source of what a poll reads: its class says how long it may be kept, and whether measures may be made of it. */
export function sourceOf({ platform, path, isAmended }: Pick<Poll, 'platform' | 'path' | 'isAmended'>): string {
  return `${path === 'own' ? 'own:' : ''}${platform}-api${isAmended ? ':amendment' : ''}`
}

/** @returns null when the reading holds no counter at all */
export function sampleOf(post: PostReading, source: string): Sample | null {
  const { platform, videoId, creatorId, observedAtMs, views, likes, comments, shares, saves } = post
  if (views === null && likes === null && comments === null && shares === null && saves === null) return null
  return {
    platform,
    videoId,
    creatorId,
    observedAtMs,
    views,
    likes,
    comments,
    shares,
    saves,
    source,
    endpoint: post.endpoint,
    definitionVersion: definitionVersions[platform],
    expiresAtMs: null,
  }
}

/** @returns null when the reading holds no counter at all */
export function creatorSampleOf(account: AccountReading, source: string): CreatorSample | null {
  const { platform, creatorId, observedAtMs, followers, views, videos, likes } = account
  if (followers === null && views === null && videos === null && likes === null) return null
  return {
    platform,
    creatorId,
    observedAtMs,
    followers,
    views,
    videos,
    likes,
    source,
    endpoint: account.endpoint,
    definitionVersion: definitionVersions[platform],
    expiresAtMs: null,
  }
}

/** Public items of a post: its numbers and what is known of it. */
export function postItems(post: PostReading, source: string): Item[] {
  const sample = sampleOf(post, source)
  const items: Item[] = [{ kind: 'video', row: videoRecord(post, source) }]
  if (sample) items.push({ kind: 'sample', row: sample })
  return items
}

/** The numbers alone: for readings that say nothing else. */
export function numberItems(post: PostReading, source: string): Item[] {
  const sample = sampleOf(post, source)
  return sample ? [{ kind: 'sample', row: sample }] : []
}

/** Public items of a creator. */
export function creatorItems(account: AccountReading, source: string): Item[] {
  const { platform, creatorId, observedAtMs } = account
  const name = cutText(account.name, 500)
  const handle = cutText(account.handle, 300)
  const sample = creatorSampleOf(account, source)
  const items: Item[] = [{ kind: 'creator', row: { platform, creatorId, name, handle, observedAtMs, source } }]
  if (sample) items.push({ kind: 'creatorSample', row: sample })
  return items
}

function videoRecord(post: PostReading, source: string): VideoRecord {
  const title = cutText(post.title, 2000)
  const tags = post.tags.slice(0, 500).map(tag => cutText(tag, 300))
  return {
    platform: post.platform,
    videoId: post.videoId,
    creatorId: post.creatorId,
    kind: post.kind,
    title,
    url: webAddress(post.url),
    thumbnailUrl: webAddress(post.thumbnailUrl),
    publishedAtMs: post.publishedAtMs,
    endedAtMs: post.endedAtMs,
    durationSeconds: post.durationSeconds,
    category: cutText(post.category, 200),
    tags,
    regions: [],
    topics: topicsOf({ title, description: '', tags }),
    observedAtMs: post.observedAtMs,
    source,
  }
}

/** An address that is too long would lead nowhere when cut. */
export function webAddress(url: string): string {
  return url.length <= 2000 ? url : ''
}

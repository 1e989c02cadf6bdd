import { platforms } from '../contracts/ids.ts'
import type { CreatorRecord, CreatorSample, Item, Sample, TopicSample, VideoRecord } from '../contracts/samples.ts'

/**
 * The same rules as the schemas of `contracts/samples.ts`, by hand: the engine's insert takes loose values silently, so
 * every row is checked, and the schemas are too slow for that. A property test holds the two equal.
 */

const instantMaxMs = 4_102_444_800_000
const countMax = 9223372036854775807n
const kinds = new Set(['clip', 'vod', 'stream'])
const knownPlatforms = new Set<string>(platforms)

/** The first field that is out of its range, or null when all items may be written. */
export function checkItems(items: readonly Item[]): string | null {
  for (const item of items) {
    const bad = checkItem(item)
    if (bad !== null) return bad
  }
  return null
}

function checkItem(item: Item): string | null {
  switch (item.kind) {
    case 'sample':
      return checkSample(item.row)
    case 'video':
      return checkVideo(item.row)
    case 'creator':
      return checkCreator(item.row)
    case 'creatorSample':
      return checkCreatorSample(item.row)
    case 'topicSample':
      return checkTopicSample(item.row)
  }
}

function checkSample(row: Sample): string | null {
  if (!knownPlatforms.has(row.platform)) return 'platform'
  if (!isText(row.videoId, 280) || row.videoId === '') return 'videoId'
  if (!isText(row.creatorId, 280)) return 'creatorId'
  if (!isInstant(row.observedAtMs)) return 'observedAtMs'
  if (!isCount(row.views)) return 'views'
  if (!isCount(row.likes)) return 'likes'
  if (!isCount(row.comments)) return 'comments'
  if (!isCount(row.shares)) return 'shares'
  if (!isCount(row.saves)) return 'saves'
  return checkOrigin(row)
}

function checkCreatorSample(row: CreatorSample): string | null {
  if (!knownPlatforms.has(row.platform)) return 'platform'
  if (!isText(row.creatorId, 280) || row.creatorId === '') return 'creatorId'
  if (!isInstant(row.observedAtMs)) return 'observedAtMs'
  if (!isCount(row.followers)) return 'followers'
  if (!isCount(row.views)) return 'views'
  if (!isCount(row.videos)) return 'videos'
  if (!isCount(row.likes)) return 'likes'
  return checkOrigin(row)
}

function checkTopicSample(row: TopicSample): string | null {
  if (!knownPlatforms.has(row.platform)) return 'platform'
  if (!isText(row.topic, 100) || row.topic === '') return 'topic'
  if (!isInstant(row.observedAtMs)) return 'observedAtMs'
  if (!isCount(row.views)) return 'views'
  if (!isCount(row.videos)) return 'videos'
  return checkOrigin(row)
}

function checkOrigin(row: Pick<Sample, 'source' | 'endpoint' | 'definitionVersion' | 'expiresAtMs'>): string | null {
  if (!isText(row.source, 100) || row.source === '') return 'source'
  if (!isText(row.endpoint, 100)) return 'endpoint'
  const version = row.definitionVersion
  if (!Number.isInteger(version) || version < 1 || version > 65535) return 'definitionVersion'
  return row.expiresAtMs === null || isInstant(row.expiresAtMs) ? null : 'expiresAtMs'
}

function checkVideo(row: VideoRecord): string | null {
  if (!knownPlatforms.has(row.platform)) return 'platform'
  if (!isText(row.videoId, 280) || row.videoId === '') return 'videoId'
  if (!isText(row.creatorId, 280)) return 'creatorId'
  if (!kinds.has(row.kind)) return 'kind'
  if (!isText(row.title, 2000)) return 'title'
  if (!isText(row.url, 2000)) return 'url'
  if (!isText(row.thumbnailUrl, 2000)) return 'thumbnailUrl'
  if (row.publishedAtMs !== null && !isInstant(row.publishedAtMs)) return 'publishedAtMs'
  if (row.endedAtMs !== null && !isInstant(row.endedAtMs)) return 'endedAtMs'
  if (row.durationSeconds !== null && !isSeconds(row.durationSeconds)) return 'durationSeconds'
  if (!isText(row.category, 200)) return 'category'
  if (!isList(row.tags, 500, 300)) return 'tags'
  if (!isList(row.regions, 250, 8)) return 'regions'
  if (!isList(row.topics, 100, 100)) return 'topics'
  if (!isInstant(row.observedAtMs)) return 'observedAtMs'
  return isText(row.source, 100) && row.source !== '' ? null : 'source'
}

function checkCreator(row: CreatorRecord): string | null {
  if (!knownPlatforms.has(row.platform)) return 'platform'
  if (!isText(row.creatorId, 280) || row.creatorId === '') return 'creatorId'
  if (!isText(row.name, 500)) return 'name'
  if (!isText(row.handle, 300)) return 'handle'
  if (!isInstant(row.observedAtMs)) return 'observedAtMs'
  return isText(row.source, 100) && row.source !== '' ? null : 'source'
}

function isText(value: unknown, max: number): boolean {
  return typeof value === 'string' && value.length <= max
}

function isInstant(value: unknown): boolean {
  return Number.isSafeInteger(value) && typeof value === 'number' && value >= 0 && value <= instantMaxMs
}

function isSeconds(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1e7
}

function isCount(value: unknown): boolean {
  if (value === null) return true
  if (typeof value === 'number') return Number.isSafeInteger(value) && value >= 0
  return typeof value === 'bigint' && value >= 0n && value <= countMax
}

function isList(value: unknown, lengthMax: number, textMax: number): boolean {
  return Array.isArray(value) && value.length <= lengthMax && value.every(text => isText(text, textMax))
}

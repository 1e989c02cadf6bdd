import { amountAt, at, countAt, idAt, instantMsAt, listAt, oddCountsIn, textAt, urlAt } from '../json.ts'
import type { AccountReading, Category, PostReading } from '../port.ts'
import { unknownPost } from '../unknown-post.ts'
import { youtubeCategories } from './categories.ts'

/** What Google's answers become. Any counter may be absent: hidden likes, comments that are off. */

export interface Seen {
  readonly observedAtMs: number
  readonly endpoint: string
}

/** Of `channels.list`; null when it has no id. Followers are rounded down to three digits, for everybody. */
export function channelReading(item: unknown, seen: Seen): AccountReading | null {
  const creatorId = idAt(item, 'id')
  if (creatorId === null) return null
  const isHidden = at(item, 'statistics', 'hiddenSubscriberCount') === true
  return {
    platform: 'youtube',
    creatorId,
    name: textAt(item, 'snippet', 'title'),
    handle: textAt(item, 'snippet', 'customUrl').replace(/^@/, ''),
    avatarUrl: thumbnailIn(at(item, 'snippet', 'thumbnails')),
    followers: isHidden ? null : countAt(item, 'statistics', 'subscriberCount'),
    views: countAt(item, 'statistics', 'viewCount'),
    videos: countAt(item, 'statistics', 'videoCount'),
    likes: null,
    uploadsId: idAt(item, 'contentDetails', 'relatedPlaylists', 'uploads'),
    odd: oddCountsIn(item, channelCounters),
    ...seen,
  }
}

/** Of `videos.list`. */
export function videoReading(item: unknown, seen: Seen): PostReading | null {
  const id = idAt(item, 'id')
  if (id === null) return null
  const endedAtMs = instantMsAt(item, 'liveStreamingDetails', 'actualEndTime')
  const live = textAt(item, 'snippet', 'liveBroadcastContent')
  return {
    ...emptyVideo(id, seen),
    creatorId: textAt(item, 'snippet', 'channelId'),
    creatorName: textAt(item, 'snippet', 'channelTitle'),
    isPublic: isPublic(item),
    kind: endedAtMs !== null ? 'vod' : live === 'live' || live === 'upcoming' ? 'stream' : 'clip',
    title: textAt(item, 'snippet', 'title'),
    thumbnailUrl: thumbnailIn(at(item, 'snippet', 'thumbnails')),
    publishedAtMs: instantMsAt(item, 'snippet', 'publishedAt'),
    endedAtMs,
    durationSeconds: isoSeconds(textAt(item, 'contentDetails', 'duration')),
    category: youtubeCategories[textAt(item, 'snippet', 'categoryId')] ?? '',
    tags: listAt(item, 'snippet', 'tags').filter(tag => typeof tag === 'string'),
    ...countersIn(item),
  }
}

/** Of `videos:batchGetStats`, whose times and durations are named and written in another way. */
export function statsReading(item: unknown, creatorId: string, seen: Seen): PostReading | null {
  const id = idAt(item, 'id')
  if (id === null) return null
  return {
    ...emptyVideo(id, seen),
    creatorId,
    publishedAtMs: instantMsAt(item, 'snippet', 'publishTime') ?? instantMsAt(item, 'snippet', 'publishedAt'),
    durationSeconds: durationIn(at(item, 'contentDetails')),
    ...countersIn(item),
  }
}

/** Of `playlistItems.list`: which video, and when it came out. */
export function uploadReading(item: unknown, creatorId: string, seen: Seen): PostReading | null {
  const id = idAt(item, 'contentDetails', 'videoId') ?? idAt(item, 'snippet', 'resourceId', 'videoId')
  if (id === null) return null
  return {
    ...emptyVideo(id, seen),
    creatorId,
    isPublic: isPublic(item),
    title: textAt(item, 'snippet', 'title'),
    thumbnailUrl: thumbnailIn(at(item, 'snippet', 'thumbnails')),
    publishedAtMs: instantMsAt(item, 'contentDetails', 'videoPublishedAt'),
  }
}

/** Of `liveBroadcasts.list`: a stream until it has ended, then its recording. */
export function broadcastReading(item: unknown, seen: Seen): PostReading | null {
  const id = idAt(item, 'id')
  if (id === null) return null
  const startedAtMs = instantMsAt(item, 'snippet', 'actualStartTime')
  const endedAtMs = instantMsAt(item, 'snippet', 'actualEndTime')
  return {
    ...emptyVideo(id, seen),
    creatorId: textAt(item, 'snippet', 'channelId'),
    isPublic: isPublic(item),
    kind: endedAtMs === null ? 'stream' : 'vod',
    title: textAt(item, 'snippet', 'title'),
    thumbnailUrl: thumbnailIn(at(item, 'snippet', 'thumbnails')),
    publishedAtMs: startedAtMs ?? instantMsAt(item, 'snippet', 'publishedAt'),
    endedAtMs,
    durationSeconds: startedAtMs === null || endedAtMs === null ? null : Math.max(0, (endedAtMs - startedAtMs) / 1000),
  }
}

/** Of `videoCategories.list`. */
export function categoryReading(item: unknown): Category | null {
  const id = idAt(item, 'id')
  if (id === null || !/^\d{1,6}$/.test(id)) return null
  return { id, name: textAt(item, 'snippet', 'title'), isAssignable: at(item, 'snippet', 'assignable') === true }
}

function emptyVideo(videoId: string, seen: Seen): PostReading {
  return {
    ...unknownPost,
    platform: 'youtube',
    videoId,
    creatorId: '',
    url: `https://www.youtube.com/watch?v=${encodeURIComponent(videoId)}`,
    ...seen,
  }
}

/** Its owner is also told of what is private or unlisted. */
function isPublic(item: unknown): boolean {
  const privacy = textAt(item, 'status', 'privacyStatus')
  return privacy === '' || privacy === 'public'
}

const videoCounters = {
  views: ['statistics', 'viewCount'],
  likes: ['statistics', 'likeCount'],
  comments: ['statistics', 'commentCount'],
} as const
const channelCounters = {
  followers: ['statistics', 'subscriberCount'],
  views: ['statistics', 'viewCount'],
  videos: ['statistics', 'videoCount'],
} as const

function countersIn(item: unknown): Pick<PostReading, 'views' | 'likes' | 'comments' | 'odd'> {
  return {
    odd: oddCountsIn(item, videoCounters),
    views: countAt(item, 'statistics', 'viewCount'),
    likes: countAt(item, 'statistics', 'likeCount'),
    comments: countAt(item, 'statistics', 'commentCount'),
  }
}

/** About 320 pixels wide; any of the sizes may be missing. */
function thumbnailIn(thumbnails: unknown): string {
  for (const size of ['medium', 'high', 'default', 'standard', 'maxres', 'fhd', 'qhd', 'uhd']) {
    const url = urlAt(thumbnails, size, 'url')
    if (url !== '') return url
  }
  return ''
}

/** ISO 8601, e.g. `P1DT2H3M4S`; null for `P0D`, which a video has while it is live. */
function isoSeconds(text: string): number | null {
  const parts = /^P(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,7}(?:\.\d+)?)S)?)?$/.exec(
    text,
  )
  if (parts === null) return null
  const [weeks, days, hours, minutes, seconds] = parts.slice(1).map(part => Number(part ?? 0))
  const total =
    (weeks ?? 0) * 604_800 + (days ?? 0) * 86_400 + (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)
  return total === 0 ? null : total
}

/** A protobuf duration (`58s`); some clients see `durationMillis`. */
function durationIn(details: unknown): number | null {
  const text = textAt(details, 'duration')
  const seconds = /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(text)?.[1]
  const millis = amountAt(details, 'durationMillis')
  const total = seconds !== undefined ? Number(seconds) : millis !== null ? millis / 1000 : isoSeconds(text)
  return total === 0 ? null : total
}

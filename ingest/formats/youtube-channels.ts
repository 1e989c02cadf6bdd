import { z } from 'zod'
import { youtubeCategories } from '../../platforms/youtube/categories.ts'
import { dlq, ok } from '../pipeline.ts'
import { topicsOf } from '../topics.ts'
import { cutText, ownText, parseCount, parseInstant, parseIsoDuration } from '../values.ts'
import {
  badCount,
  badInstant,
  type CsvFormat,
  checkYoutubeId,
  columnReader,
  emptySample,
  emptyVideo,
  Memo,
  type ObjectFormat,
} from './format.ts'

const source = 'import:youtube-channels'
const channelIdPattern = /^UC[A-Za-z0-9_-]{22}$/
const badChannel = dlq(
  'invalid_id',
  'The channel id does not look like UC and 22 letters, digits, hyphens or underscores.',
)
/** A Short by length: YouTube counted videos of up to a minute as Shorts when these tables were made. */
const clipSecondsMax = 60

/** One row per channel and day: subscribers (rounded by YouTube to three figures), views, videos. */
export const youtubeChannelDays: CsvFormat = {
  id: 'youtube-channel-days',
  title: 'YouTube channels, daily snapshots (date_utc, channel_id, subscribers, views, videos)',
  source,
  container: 'csv',
  fixedColumns: null,
  matches: columns =>
    ['date_utc', 'channel_id', 'subscribers', 'views', 'videos'].every(name => columns.includes(name)),
  open(columns) {
    const at = columnReader(columns)
    const [day, id, title] = [at('date_utc'), at('channel_id'), at('channel_title')]
    const [subscribers, views, videos] = [at('subscribers'), at('views'), at('videos')]
    const names = new Memo<string>()
    return fields => {
      if (!channelIdPattern.test(id(fields))) return badChannel
      const creatorId = ownText(id(fields))
      const observedAtMs = parseInstant(day(fields))
      if (observedAtMs === undefined || observedAtMs === null) return badInstant('date_utc')
      const counts = [subscribers, views, videos].map(read => parseCount(read(fields)))
      const [followers, viewCount, videoCount] = counts
      if (followers === undefined) return badCount('subscribers')
      if (viewCount === undefined) return badCount('views')
      if (videoCount === undefined) return badCount('videos')
      const name = names.get(creatorId) ?? cutText(ownText(title(fields)), 500)
      names.set(creatorId, name)
      const common = { platform: 'youtube' as const, creatorId, observedAtMs, source }
      return ok([
        {
          kind: 'creatorSample',
          row: {
            ...common,
            followers,
            views: viewCount,
            videos: videoCount,
            likes: null,
            endpoint: 'channel-days',
            definitionVersion: 1,
            expiresAtMs: null,
          },
        },
        { kind: 'creator', row: { ...common, name, handle: '' } },
      ])
    }
  },
}

/** Names and handles of channels, without counters. */
export const youtubeChannelList: CsvFormat = {
  id: 'youtube-channel-list',
  title: 'YouTube channels, their names and handles (channel_id, custom_url, last_seen_utc)',
  source,
  container: 'csv',
  fixedColumns: null,
  matches: columns =>
    ['channel_id', 'channel_title', 'custom_url', 'last_seen_utc'].every(name => columns.includes(name)),
  open(columns) {
    const at = columnReader(columns)
    const [id, title, handle, seen] = [at('channel_id'), at('channel_title'), at('custom_url'), at('last_seen_utc')]
    return fields => {
      if (!channelIdPattern.test(id(fields))) return badChannel
      const observedAtMs = parseInstant(seen(fields))
      if (observedAtMs === undefined || observedAtMs === null) return badInstant('last_seen_utc')
      const name = cutText(ownText(title(fields)), 500)
      const row = {
        platform: 'youtube' as const,
        creatorId: ownText(id(fields)),
        name,
        handle: cutText(ownText(handle(fields)).replace(/^@/, ''), 300),
        observedAtMs,
        source,
      }
      return ok([{ kind: 'creator', row }])
    }
  },
}

/** The videos of channels, once a month. */
export const youtubeChannelVideos: CsvFormat = {
  id: 'youtube-channel-videos',
  title: 'YouTube channels, their videos at one instant (snapshot_utc, video_id, view_count)',
  source,
  container: 'csv',
  fixedColumns: null,
  matches: columns => ['snapshot_utc', 'channel_id', 'video_id', 'view_count'].every(name => columns.includes(name)),
  open(columns) {
    const at = columnReader(columns)
    const [snapshot, channelId, channel, id] = [
      at('snapshot_utc'),
      at('channel_id'),
      at('channel_title'),
      at('video_id'),
    ]
    const [published, titleOf, duration, category] = [
      at('published_at'),
      at('title'),
      at('duration_iso8601'),
      at('category_id'),
    ]
    const [viewsOf, likesOf, commentsOf] = [at('view_count'), at('like_count'), at('comment_count')]
    return fields => {
      const refusal = checkYoutubeId(id(fields))
      if (refusal) return refusal
      if (!channelIdPattern.test(channelId(fields))) return badChannel
      const observedAtMs = parseInstant(snapshot(fields))
      if (observedAtMs === undefined || observedAtMs === null) return badInstant('snapshot_utc')
      const views = parseCount(viewsOf(fields))
      if (views === undefined) return badCount('views')
      const likes = parseCount(likesOf(fields))
      if (likes === undefined) return badCount('likes')
      const comments = parseCount(commentsOf(fields))
      if (comments === undefined) return badCount('comments')
      const title = cutText(ownText(titleOf(fields)), 2000)
      const durationSeconds = parseIsoDuration(duration(fields)) ?? null
      const creatorId = ownText(channelId(fields))
      const videoId = ownText(id(fields))
      const platform = 'youtube' as const
      const common = { platform, videoId, creatorId, observedAtMs, source }
      return ok([
        { kind: 'sample', row: { ...emptySample, ...common, views, likes, comments, endpoint: 'channel-videos' } },
        {
          kind: 'video',
          row: {
            ...emptyVideo,
            ...common,
            kind: durationSeconds !== null && durationSeconds <= clipSecondsMax ? 'clip' : 'vod',
            title,
            url: `https://www.youtube.com/watch?v=${videoId}`,
            publishedAtMs: parseInstant(published(fields)) ?? null,
            durationSeconds,
            category: youtubeCategories[category(fields)] ?? '',
            tags: [],
            regions: [],
            topics: topicsOf({ title, description: '', tags: [] }),
          },
        },
        {
          kind: 'creator',
          row: {
            platform,
            creatorId,
            name: cutText(ownText(channel(fields)), 500),
            handle: '',
            observedAtMs,
            source,
          },
        },
      ])
    }
  },
}

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish()
const LineSchema = z.object({
  channel: z.string(),
  channel_id: z.string(),
  video_id: z.string(),
  title: z.string().default(''),
  thumbnail: z.string().default(''),
  published: z.string(),
  tags: z.array(z.string()).nullish(),
  views: count,
  likes: count,
  comments: count,
})

/** The videos of channels as JSON lines, one snapshot without a time: it is taken at the latest `published` of the file. */
export const youtubeVideoLines: ObjectFormat = {
  id: 'youtube-video-lines',
  title: 'YouTube channels, their videos as JSON lines (channel, channel_id, video_id, published, views)',
  source,
  container: 'jsonl',
  matches: sample => ['channel', 'channel_id', 'video_id', 'published', 'views'].every(name => name in sample),
  instantOf(record) {
    return typeof record.published === 'string' ? (parseInstant(record.published) ?? null) : null
  },
  open(context) {
    const observedAtMs = context.snapshotAtMs
    return record => {
      const parsed = LineSchema.safeParse(record)
      if (!parsed.success) return dlq('schema_mismatch', `The record does not fit: ${z.prettifyError(parsed.error)}.`)
      const line = parsed.data
      const refusal = checkYoutubeId(line.video_id)
      if (refusal) return refusal
      const tags = (line.tags ?? []).map(tag => cutText(tag, 300)).slice(0, 500)
      const platform = 'youtube' as const
      const common = { platform, videoId: line.video_id, creatorId: line.channel_id, observedAtMs, source }
      return ok([
        {
          kind: 'sample',
          row: {
            ...emptySample,
            ...common,
            views: line.views ?? null,
            likes: line.likes ?? null,
            comments: line.comments ?? null,
            endpoint: 'video-lines',
          },
        },
        {
          kind: 'video',
          row: {
            ...emptyVideo,
            ...common,
            kind: 'vod',
            title: cutText(line.title, 2000),
            url: `https://www.youtube.com/watch?v=${line.video_id}`,
            thumbnailUrl: cutText(line.thumbnail, 2000),
            publishedAtMs: parseInstant(line.published) ?? null,
            tags,
            regions: [],
            topics: topicsOf({ title: line.title, description: '', tags }),
          },
        },
        {
          kind: 'creator',
          row: {
            platform,
            creatorId: line.channel_id,
            name: cutText(line.channel, 500),
            handle: '',
            observedAtMs,
            source,
          },
        },
      ])
    }
  },
}

import { z } from 'zod'
import { dlq, ok } from '../pipeline.ts'
import { topicsOf } from '../topics.ts'
import { cutText, parseInstant } from '../values.ts'
import { badInstant, checkYoutubeId, emptySample, emptyVideo, type ObjectFormat, sourceName } from './format.ts'

const source = 'import:youtube-trending'

/** Keys of the snapshots' lists and YouTube's name for them; `all` says nothing about the video. */
const categories: Readonly<Record<string, string>> = {
  all: '',
  film: 'Film & Animation',
  autos: 'Autos & Vehicles',
  music: 'Music',
  pets: 'Pets & Animals',
  sports: 'Sports',
  travel: 'Travel & Events',
  gaming: 'Gaming',
  people: 'People & Blogs',
  comedy: 'Comedy',
  entertainment: 'Entertainment',
  news: 'News & Politics',
  howto: 'Howto & Style',
  education: 'Education',
  science: 'Science & Technology',
}

const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish()
const RecordSchema = z.object({
  timestamp: z.string(),
  item: z.object({
    videoId: z.string(),
    title: z.string().default(''),
    channelName: z.string().default(''),
    channelId: z.string().default(''),
    thumbnailUrl: z.string().default(''),
    viewCount: count,
    likeCount: count,
    commentCount: count,
    publishedAt: z.string().default(''),
    categoryKey: z.string().default(''),
  }),
})
const DocumentSchema = z.object({
  timestamp: z.string(),
  region: z.string().optional(),
  categories: z.record(z.string(), z.array(z.unknown())),
})

/**
 * Daily snapshots of "most popular per category", 2025: `timestamp` is when the counters were read; `date` and the
 * file name are the Korean day and are not used. One video can stand in several categories with counts a few seconds
 * apart: it is one observation, and the larger counts win.
 */
export const youtubeSnapshots2025: ObjectFormat = {
  id: 'youtube-snapshots-2025',
  title: 'YouTube most popular per category, JSON snapshots of 2025',
  source,
  isPerCountry: true,
  container: 'json',
  matches: document => DocumentSchema.safeParse(document).success,
  unpack(document) {
    const { timestamp, region, categories: lists } = DocumentSchema.parse(document)
    const records = Object.values(lists).flatMap(list => list.map(item => ({ timestamp, item })))
    // The first files of the set were written before it knew regions; all of them are of Korea.
    if (region === undefined) {
      const note = 'The snapshot names no region: those of the first format are of Korea, so KR is used.'
      return { records, region: 'KR', note }
    }
    return { records, region: region.toUpperCase() }
  },
  open(context) {
    const source_ = sourceName(source, context.region)
    const regions = context.region === '' ? [] : [context.region]
    return record => {
      const parsed = RecordSchema.safeParse(record)
      if (!parsed.success) return dlq('schema_mismatch', `The record does not fit: ${z.prettifyError(parsed.error)}.`)
      const { item, timestamp } = parsed.data
      const refusal = checkYoutubeId(item.videoId)
      if (refusal) return refusal
      const observedAtMs = parseInstant(timestamp)
      if (observedAtMs === undefined || observedAtMs === null) return badInstant('timestamp')
      const { videoId, channelId, channelName, title } = item
      const creatorId = channelId === '' && channelName !== '' ? cutText(`name:${channelName}`, 280) : channelId
      const platform = 'youtube' as const
      const common = { platform, videoId, creatorId, observedAtMs, source: source_ }
      return ok([
        {
          kind: 'sample',
          row: {
            ...emptySample,
            ...common,
            views: item.viewCount ?? null,
            likes: item.likeCount ?? null,
            comments: item.commentCount ?? null,
            endpoint: '2025',
          },
        },
        {
          kind: 'video',
          row: {
            ...emptyVideo,
            ...common,
            kind: /#shorts?\b/i.test(title) ? 'clip' : 'vod',
            title: cutText(title, 2000),
            url: `https://www.youtube.com/watch?v=${videoId}`,
            thumbnailUrl: cutText(item.thumbnailUrl, 2000),
            publishedAtMs: parseInstant(item.publishedAt) ?? null,
            category: categories[item.categoryKey] ?? '',
            tags: [],
            regions,
            topics: topicsOf({ title, description: '', tags: [] }),
          },
        },
        ...(creatorId === ''
          ? []
          : [
              {
                kind: 'creator' as const,
                row: {
                  platform,
                  creatorId,
                  name: cutText(channelName, 500),
                  handle: '',
                  observedAtMs,
                  source: source_,
                },
              },
            ]),
      ])
    }
  },
}

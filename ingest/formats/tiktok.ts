import { z } from 'zod'
import type { Item } from '../../contracts/samples.ts'
import { dlq, drop, ok } from '../pipeline.ts'
import { normaliseTopic, topicsOf } from '../topics.ts'
import { cutText, ownText, parseCount, parseInstant } from '../values.ts'
import {
  badCount,
  badInstant,
  type CsvFormat,
  columnReader,
  emptySample,
  emptyVideo,
  Memo,
  type ObjectFormat,
} from './format.ts'

const platform = 'tiktok' as const
const postIdPattern = /^\d{1,20}$/
const badPost = dlq('invalid_id', 'The post id is not a number of up to 20 digits.')
const postUrl = (handle: string, id: string) => `https://www.tiktok.com/@${encodeURIComponent(handle)}/video/${id}`

/** Ids beyond 2^53 come as text; a number would have lost digits already, so it is refused. */
const count = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).nullish()
const PostSchema = z.object({
  id: z.string().regex(postIdPattern),
  text: z.string().default(''),
  createTime: z.number().int().min(0).max(4_102_444_800),
  authorMeta: z.object({ id: z.string().min(1).max(280), name: z.string(), nickName: z.string().default('') }),
  videoMeta: z.object({ duration: z.number().min(0).max(1e7).nullish() }).nullish(),
  covers: z.object({ default: z.string().default('') }).nullish(),
  webVideoUrl: z.string().default(''),
  diggCount: count,
  shareCount: count,
  playCount: count,
  commentCount: count,
  hashtags: z.array(z.object({ name: z.string() })).default([]),
})

/**
 * The output of the unofficial scraper: `{"collector": [posts]}`. It gives no time of reading: the latest `createTime` of the
 * file stands for it, because the counters cannot have been read before.
 */
export const tiktokTrending: ObjectFormat = {
  id: 'tiktok-trending',
  title: 'TikTok trending posts, scraper JSON ({"collector": [...]})',
  source: 'import:tiktok-trending',
  container: 'json',
  matches: document => Array.isArray(document.collector),
  unpack(document) {
    const posts = z.object({ collector: z.array(z.looseObject({})) }).parse(document).collector
    return { records: posts, region: '' }
  },
  instantOf: record => (typeof record.createTime === 'number' ? record.createTime * 1000 : null),
  open(context) {
    const source = this.source
    const observedAtMs = context.snapshotAtMs
    return record => {
      const parsed = PostSchema.safeParse(record)
      if (!parsed.success) return dlq('schema_mismatch', `The record does not fit: ${z.prettifyError(parsed.error)}.`)
      const post = parsed.data
      const creatorId = post.authorMeta.id
      const common = { platform, videoId: post.id, creatorId, observedAtMs, source }
      return ok([
        {
          kind: 'sample',
          row: {
            ...emptySample,
            ...common,
            views: post.playCount ?? null,
            likes: post.diggCount ?? null,
            comments: post.commentCount ?? null,
            shares: post.shareCount ?? null,
            endpoint: 'trending',
          },
        },
        {
          kind: 'video',
          row: {
            ...emptyVideo,
            ...common,
            kind: 'clip',
            title: cutText(post.text, 2000),
            url: cutText(post.webVideoUrl || postUrl(post.authorMeta.name, post.id), 2000),
            thumbnailUrl: '',
            publishedAtMs: post.createTime * 1000,
            durationSeconds: post.videoMeta?.duration ?? null,
            tags: post.hashtags.map(tag => cutText(tag.name, 300)).slice(0, 500),
            regions: [],
            topics: topicsOf({
              title: '',
              description: post.text,
              tags: [],
              hashtags: post.hashtags.map(tag => tag.name),
            }),
          },
        },
        {
          kind: 'creator',
          row: {
            platform,
            creatorId,
            name: cutText(post.authorMeta.nickName || post.authorMeta.name, 500),
            handle: cutText(post.authorMeta.name, 300),
            observedAtMs,
            source,
          },
        },
      ])
    }
  },
}

/** The latest posts of accounts, with the accounts' own counters on every row; one snapshot, timed like the one above. */
export const tiktokUserVideos: CsvFormat = {
  id: 'tiktok-user-videos',
  title: 'TikTok posts of accounts (id, create_time, user_name, n_plays, n_followers)',
  source: 'import:tiktok-user-videos',
  container: 'csv',
  fixedColumns: null,
  matches: columns => ['id', 'create_time', 'user_name', 'n_plays', 'n_likes'].every(name => columns.includes(name)),
  instantOf(columns) {
    const created = columnReader(columns)('create_time')
    return fields => parseInstant(created(fields)) ?? null
  },
  open(columns, context) {
    const source = this.source
    const observedAtMs = context.snapshotAtMs
    const at = columnReader(columns)
    const [id, created, user, hashtagsOf, length] = [
      at('id'),
      at('create_time'),
      at('user_name'),
      at('hashtags'),
      at('video_length'),
    ]
    const counters = {
      plays: at('n_plays'),
      likes: at('n_likes'),
      comments: at('n_comments'),
      shares: at('n_shares'),
      followers: at('n_followers'),
      totalLikes: at('n_total_likes'),
      totalVideos: at('n_total_vids'),
    }
    const accounts = new Memo<true>()
    return fields => {
      if (!postIdPattern.test(id(fields))) return badPost
      const handle = ownText(user(fields))
      if (handle === '' || handle.length > 270) return dlq('invalid_id', 'The record names no account.')
      const publishedAtMs = parseInstant(created(fields))
      if (publishedAtMs === undefined || publishedAtMs === null) return badInstant('create_time')
      const counts = new Map<string, number | bigint | null>()
      for (const [name, read] of Object.entries(counters)) {
        const value = parseCount(read(fields))
        if (value === undefined) return badCount(name)
        counts.set(name, value)
      }
      const of = (name: keyof typeof counters) => counts.get(name) ?? null
      const videoId = ownText(id(fields))
      const creatorId = `@${handle}`
      const hashtags = [...hashtagsOf(fields).matchAll(/'([^']+)'|"([^"]+)"/g)].map(match =>
        ownText(match[1] ?? match[2] ?? ''),
      )
      const seconds = parseCount(length(fields))
      const common = { platform, creatorId, observedAtMs, source }
      const items: Item[] = [
        {
          kind: 'sample',
          row: {
            ...emptySample,
            ...common,
            videoId,
            views: of('plays'),
            likes: of('likes'),
            comments: of('comments'),
            shares: of('shares'),
            endpoint: 'user-videos',
          },
        },
        {
          kind: 'video',
          row: {
            ...emptyVideo,
            ...common,
            videoId,
            kind: 'clip',
            url: postUrl(handle, videoId),
            publishedAtMs,
            durationSeconds: typeof seconds === 'number' && seconds <= 1e7 ? seconds : null,
            tags: hashtags.map(tag => cutText(tag, 300)).slice(0, 500),
            regions: [],
            topics: topicsOf({ title: '', description: '', tags: [], hashtags }),
          },
        },
      ]
      if (!accounts.get(creatorId)) {
        accounts.set(creatorId, true)
        items.push(
          { kind: 'creator', row: { ...common, name: handle, handle } },
          {
            kind: 'creatorSample',
            row: {
              ...common,
              followers: of('followers'),
              likes: of('totalLikes'),
              videos: of('totalVideos'),
              views: null,
              endpoint: 'user-videos',
              definitionVersion: 1,
              expiresAtMs: null,
            },
          },
        )
      }
      return ok(items)
    }
  },
}

/**
 * TikTok's own "discover" lists over time: accounts become creator samples; hashtags and sounds become topic samples.
 * A hashtag's count is views, a sound's is posts. Sounds are named `sound: title – author`.
 */
export const tiktokDiscover: CsvFormat = {
  id: 'tiktok-discover',
  title: 'TikTok discover lists over time (observed_at, kind, id, handle, name, count)',
  source: 'import:tiktok-discover',
  container: 'csv',
  fixedColumns: null,
  matches: columns => ['observed_at', 'kind', 'id', 'handle', 'count'].every(name => columns.includes(name)),
  open(columns) {
    const source = this.source
    const at = columnReader(columns)
    const [observed, kindOf, idOf, handleOf, nameOf] = [
      at('observed_at'),
      at('kind'),
      at('id'),
      at('handle'),
      at('name'),
    ]
    const [countOf, likesOf] = [at('count'), at('likes')]
    const rest = { source, definitionVersion: 1, expiresAtMs: null }
    return fields => {
      const kind = kindOf(fields)
      const id = idOf(fields)
      if (!postIdPattern.test(id)) return dlq('invalid_id', 'The id is not a number of up to 20 digits.')
      const observedAtMs = parseInstant(observed(fields))
      if (observedAtMs === undefined || observedAtMs === null) return badInstant('observed_at')
      const counted = parseCount(countOf(fields))
      if (counted === undefined) return badCount('count')
      const endpoint = `discover/${kind}/${id}`
      if (kind === 'user') {
        const likes = parseCount(likesOf(fields))
        if (likes === undefined) return badCount('likes')
        const creatorId = ownText(id)
        const handle = cutText(ownText(handleOf(fields)).replace(/^@/, ''), 300)
        const name = cutText(ownText(nameOf(fields)), 500)
        const common = { platform, creatorId, observedAtMs }
        return ok([
          {
            kind: 'creatorSample',
            row: {
              ...rest,
              ...common,
              followers: counted,
              likes,
              views: null,
              videos: null,
              endpoint: 'discover/user',
            },
          },
          { kind: 'creator', row: { ...common, name, handle, source } },
        ])
      }
      if (kind !== 'hashtag' && kind !== 'music') return drop('unknown_kind')
      const text = kind === 'hashtag' ? handleOf(fields) : soundName(handleOf(fields), nameOf(fields))
      const topic = kind === 'hashtag' ? normaliseTopic(text) : cutText(text.toLowerCase(), 100)
      if (topic === '') return dlq('invalid_topic', 'The hashtag of this record is empty or has no letter.')
      const common = { ...rest, platform, topic, observedAtMs, endpoint }
      return kind === 'hashtag'
        ? ok([{ kind: 'topicSample', row: { ...common, views: counted, videos: null } }])
        : ok([{ kind: 'topicSample', row: { ...common, views: null, videos: counted } }])
    }
  },
}

function soundName(title: string, author: string): string {
  return author === '' ? `sound: ${title}` : `sound: ${title} – ${author}`
}

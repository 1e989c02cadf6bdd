import { ask, bearerOf, type ClientDeps, type Reply, refusedAhead, unexpected } from '../http.ts'
import { amountAt, at, countAt, idAt, listAt, oddCountsIn, secondsAt, textAt, urlAt } from '../json.ts'
import type { AccountReading, DataAccess, DataCall, Page, PlatformData, PostReading } from '../port.ts'
import { unknownPost } from '../unknown-post.ts'
import { scopeOf } from './auth.ts'
import { parseTiktokCreator } from './creator.ts'
import { tiktokSpeech } from './errors.ts'

const idsMax = 20

/** 600 requests in a sliding minute for each address and client. */
const buckets: Readonly<Partial<Record<DataCall, string>>> = {
  account: 'tiktok:user.info',
  posts: 'tiktok:video.list',
  metrics: 'tiktok:video.query',
}

const userFields: readonly (readonly [scope: string, fields: readonly string[]])[] = [
  [scopeOf.basic, ['open_id', 'avatar_url', 'display_name']],
  [scopeOf.profile, ['username']],
  [scopeOf.stats, ['follower_count', 'likes_count', 'video_count']],
]
const videoFields = [
  'id',
  'create_time',
  'cover_image_url',
  'share_url',
  'video_description',
  'title',
  'duration',
  'like_count',
  'comment_count',
  'share_count',
  'view_count',
].join(',')

/**
 * TikTok's Display API v2: the own account and its public videos, nobody else's. Covers' addresses live for six hours.
 * Pages want about a second between them.
 */
export function tiktokData(deps: ClientDeps): PlatformData {
  const account = async (access: DataAccess, creatorId: string | null = null): Promise<AccountReading> => {
    const bearer = bearerOf(tiktokSpeech, access, scopeOf.basic)
    const { json } = await ask(deps, tiktokSpeech, {
      url: `${deps.urls.tiktokApi}/v2/user/info/`,
      query: { fields: userFieldsFor(access) },
      bearer,
    })
    const reading = accountReading(at(json, 'data', 'user'), deps.clock.nowMs())
    if (reading === null) throw unexpected(tiktokSpeech, 'The open id')
    if (creatorId === null || reading.creatorId === creatorId) return reading
    throw refusedAhead(tiktokSpeech, {
      class: 'not_found',
      code: 'other_account',
      advice: 'The token belongs to another account.',
    })
  }

  const videos = async (access: DataAccess, path: 'list' | 'query', body: string): Promise<Reply> => {
    const reply = await ask(deps, tiktokSpeech, {
      method: 'POST',
      url: `${deps.urls.tiktokApi}/v2/video/${path}/`,
      query: { fields: videoFields },
      body,
      bearer: bearerOf(tiktokSpeech, access, scopeOf.videos),
    })
    if (!Array.isArray(at(reply.json, 'data', 'videos'))) throw unexpected(tiktokSpeech, 'The list of videos')
    return reply
  }
  const readingsIn = (json: unknown, owner: AccountReading, endpoint: string): PostReading[] => {
    const seen = { observedAtMs: deps.clock.nowMs(), endpoint }
    return listAt(json, 'data', 'videos').flatMap(video => videoReading(video, owner, seen) ?? [])
  }

  return {
    platform: 'tiktok',
    cost(call) {
      const bucket = buckets[call]
      return bucket === undefined ? null : { bucket, units: 1 }
    },
    accounts: async access => page([await account(access)]),
    account,
    async posts(access, owner, cursor) {
      if (cursor !== null && !/^-?\d{1,19}$/.test(cursor))
        throw refusedAhead(tiktokSpeech, { class: 'bad_request', code: 'invalid_cursor' })
      // The cursor is a number of 64 bits: as text it stays exact.
      const body = `{"max_count":${idsMax}${cursor === null ? '' : `,"cursor":${cursor}`}}`
      const { json } = await videos(access, 'list', body)
      const hasMore = at(json, 'data', 'has_more') === true
      return { ...page(readingsIn(json, owner, 'video.list')), next: hasMore ? idAt(json, 'data', 'cursor') : null }
    },
    async metrics(access, owner, videoIds) {
      if (videoIds.length === 0) return page([])
      if (videoIds.length > idsMax)
        throw refusedAhead(tiktokSpeech, {
          class: 'bad_request',
          code: 'too_many_ids',
          advice: `At most ${idsMax} at once.`,
        })
      const { json } = await videos(access, 'query', JSON.stringify({ filters: { video_ids: videoIds } }))
      const items = readingsIn(json, owner, 'video.query')
      // Deleted, hidden and others' videos are left out in silence.
      const came = new Set(items.map(item => item.videoId))
      return { ...page(items), missing: videoIds.filter(id => !came.has(id)) }
    },
    metricsMax: idsMax,
    details: null,
    broadcasts: null,
    creator: null,
    chart: null,
    ownVideo: null,
    categories: null,
    daily: null,
    dailyMax: 0,
    parseCreator: parseTiktokCreator,
  }
}

/** A field of a scope that was not granted fails the whole question, or is dropped: so only what is allowed is asked. */
function userFieldsFor(access: DataAccess): string {
  const granted = 'scopes' in access && access.scopes ? access.scopes : userFields.map(([scope]) => scope)
  return userFields.flatMap(([scope, fields]) => (granted.includes(scope) ? fields : [])).join(',')
}

function page<T>(items: readonly T[]): Page<T> {
  return { items, next: null, missing: [], usagePercent: null }
}

function accountReading(user: unknown, observedAtMs: number): AccountReading | null {
  const creatorId = idAt(user, 'open_id')
  if (creatorId === null) return null
  return {
    platform: 'tiktok',
    creatorId,
    name: textAt(user, 'display_name'),
    handle: textAt(user, 'username'),
    avatarUrl: urlAt(user, 'avatar_url'),
    followers: countAt(user, 'follower_count'),
    views: null,
    videos: countAt(user, 'video_count'),
    likes: countAt(user, 'likes_count'),
    odd: oddCountsIn(user, userCounters),
    observedAtMs,
    endpoint: 'user.info',
    uploadsId: null,
  }
}

const userCounters = {
  followers: ['follower_count'],
  videos: ['video_count'],
  likes: ['likes_count'],
} as const
const videoCounters = {
  views: ['view_count'],
  likes: ['like_count'],
  comments: ['comment_count'],
  shares: ['share_count'],
} as const

function videoReading(
  video: unknown,
  owner: AccountReading,
  seen: { observedAtMs: number; endpoint: string },
): PostReading | null {
  const videoId = idAt(video, 'id')
  if (videoId === null) return null
  return {
    ...unknownPost,
    platform: 'tiktok',
    videoId,
    creatorId: owner.creatorId,
    title: textAt(video, 'title') || textAt(video, 'video_description'),
    url: urlAt(video, 'share_url'),
    thumbnailUrl: urlAt(video, 'cover_image_url'),
    publishedAtMs: secondsAt(video, 'create_time'),
    durationSeconds: amountAt(video, 'duration'),
    views: countAt(video, 'view_count'),
    likes: countAt(video, 'like_count'),
    comments: countAt(video, 'comment_count'),
    shares: countAt(video, 'share_count'),
    odd: oddCountsIn(video, videoCounters),
    ...seen,
  }
}

import { createHash } from 'node:crypto'
import { unit } from './chance.ts'
import { escaped } from './consent.ts'
import { type Answer, type Ask, type Endpoint, listOf, Refusal } from './exchange.ts'
import { type GoogleCaller, googleCaller, googleScopes, requireScope } from './google.ts'
import { masked } from './masks.ts'
import { refusalOf } from './refusals.ts'
import type { SandboxState } from './state.ts'
import type { Creator, Post } from './world.ts'

/** The YouTube Data API, as far as Cliptape and its neighbours use it. */
export function youtubeDataEndpoints(state: SandboxState): Endpoint[] {
  const list = (
    name: string,
    path: string,
    bucket: 'units' | 'search' | 'stats',
    handle: (call: Call) => Record<string, unknown>,
  ) =>
    // The interface answers at two hosts.
    ['youtube.googleapis.com', 'www.googleapis.com'].map(
      (host): Endpoint => ({
        name: `youtube.${name}`,
        shape: 'google',
        host,
        method: 'get',
        path: `/youtube/v3/${path}`,
        admit: ask => spend(state, ask, bucket),
        handle: ask => {
          const call: Call = { state, ask, caller: googleCaller(state, ask, 'data'), parts: listOf(ask.query, 'part') }
          if (call.parts.length === 0) throw refused('missingRequiredParameter', 'Required parameter: part')
          return tagged(ask, handle(call))
        },
      }),
    )
  return [
    ...list('channels.list', 'channels', 'units', channels),
    ...list('playlistItems.list', 'playlistItems', 'units', playlistItems),
    ...list('videos.list', 'videos', 'units', videos),
    ...list('videos.batchGetStats', 'videos\\:batchGetStats', 'stats', batchGetStats),
    ...list('videoCategories.list', 'videoCategories', 'units', videoCategories),
    ...list('search.list', 'search', 'search', search),
    ...list('commentThreads.list', 'commentThreads', 'units', commentThreads),
    ...list('comments.list', 'comments', 'units', comments),
    ...list('liveBroadcasts.list', 'liveBroadcasts', 'units', liveBroadcasts),
    ...list('liveChatMessages.list', 'liveChat/messages', 'units', liveChatMessages),
  ]
}

interface Call {
  readonly state: SandboxState
  readonly ask: Ask
  readonly caller: GoogleCaller
  readonly parts: readonly string[]
}

type Item = Record<string, unknown>

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const chartMax = 200
const searchMax = 500
const commentCount = 45
export const youtubeCategories: Readonly<Record<string, string>> = {
  '10': 'Music',
  '17': 'Sports',
  '20': 'Gaming',
  '22': 'People & Blogs',
  '23': 'Comedy',
  '24': 'Entertainment',
  '26': 'Howto & Style',
  '28': 'Science & Technology',
}
const regions: readonly string[] = ['US', 'GB', 'DE', 'FR', 'JP', 'BR', 'IN', 'CA', 'MX', 'KR']

/** Whoever asks pays, also for nonsense: only who is unknown has no bucket. */
function spend(state: SandboxState, ask: Ask, bucket: 'units' | 'search' | 'stats'): void {
  const { app } = googleCaller(state, ask, 'data')
  const max = {
    units: state.limits.youtubeUnits,
    search: state.limits.youtubeSearch,
    stats: state.limits.youtubeStats,
  }[bucket]
  if (!state.quotas.spend(`${app.clientId} youtube:${bucket}`, 1, max, ask.nowMs)) throw refused('quotaExceeded')
}

function refused(name: string, message?: string): Refusal {
  return new Refusal(refusalOf('google', name, message))
}

/** With its etags; empty with 304 when the caller has it; without what the mask leaves out. */
function tagged({ query, header }: Ask, body: Record<string, unknown>): Answer {
  const etag = tagOf(JSON.stringify(body))
  if (header('if-none-match')?.includes(etag)) return { status: 304, headers: { etag } }
  const { kind, ...rest } = body
  const whole = { kind, etag, ...rest }
  const fields = query.get('fields')
  const json = fields === null ? whole : masked(whole, fields)
  if (json === undefined) throw refused('invalidParameter', `Invalid field selection ${fields}`)
  return { status: 200, json, headers: { etag } }
}

function tagOf(text: string): string {
  return createHash('sha1').update(text).digest('base64url')
}

/** An item with the groups that were asked for. */
function partsOf(call: Call, kind: string, id: unknown, groups: Record<string, Item | undefined>): Item {
  for (const part of call.parts) if (part !== 'id' && !(part in groups)) throw refused('unknownPart', `'${part}'`)
  const chosen = Object.fromEntries(
    Object.entries(groups).filter(([name, group]) => call.parts.includes(name) && group !== undefined),
  )
  return { kind, etag: tagOf(JSON.stringify(chosen)), id, ...chosen }
}

/** @param max the documented most */
function pageSize({ query }: Ask, usual: number, max: number): number {
  const text = query.get('maxResults')
  if (text === null) return usual
  const size = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!(size <= max))
    throw refused('invalidParameter', `Invalid value '${text}'. Values must be within the range: [0, ${max}]`)
  return size
}

/** Where a page begins, as it was written into the token; null for the first. */
function pageStart({ query }: Ask): number | null {
  const token = query.get('pageToken')
  if (token === null) return null
  const found = /^at:(\d+)$/.exec(Buffer.from(token.replace(/^C/, ''), 'base64url').toString('latin1'))
  if (found === null || !token.startsWith('C')) throw refused('invalidPageToken')
  return Number(found[1])
}

function pageToken(at: number): string {
  return `C${Buffer.from(`at:${at}`).toString('base64url')}`
}

/** The filters that were given, of which there must be one. */
function oneFilter(ask: Ask, names: readonly string[]): string {
  const given = names.filter(name => ask.query.has(name))
  if (given.length > 1) throw refused('incompatibleParameters')
  if (given[0] === undefined) throw refused('missingRequiredParameter')
  return given[0]
}

function ownChannel({ state, caller, ask }: Call): Creator {
  const grant = requireScope(caller, ...googleScopes.slice(0, 2), 'https://www.googleapis.com/auth/youtube')
  if (grant.accountId === 'none') throw refused('youtubeSignupRequired')
  const creator = state.world.creatorById('youtube', grant.accountId)
  if (creator === null) throw refused('channelNotFound')
  if (state.world.isGone(creator, ask.nowMs)) throw refused('channelClosed')
  return creator
}

function channels(call: Call): Item {
  const { state, ask } = call
  const filter = oneFilter(ask, ['mine', 'id', 'forHandle', 'forUsername'])
  const found = ((): (Creator | null)[] => {
    switch (filter) {
      case 'mine':
        return [ownChannel(call)]
      case 'id': {
        const ids = listOf(ask.query, 'id')
        if (ids.length > 50) throw refused('invalidParameter', 'Too many ids.')
        return [...new Set(ids)].map(id => state.world.creatorById('youtube', id))
      }
      case 'forHandle':
        return [state.world.creatorByHandle('youtube', (ask.query.get('forHandle') ?? '').replace(/^@/, ''))]
      default:
        return [state.world.creatorByHandle('youtube', ask.query.get('forUsername') ?? '')]
    }
  })()
  const items = found.flatMap(creator =>
    creator === null || state.world.isGone(creator, ask.nowMs) ? [] : [channelItem(call, creator)],
  )
  return {
    kind: 'youtube#channelListResponse',
    pageInfo: { totalResults: items.length, resultsPerPage: pageSize(ask, 5, 50) },
    // Nobody found is no list at all.
    ...(items.length > 0 ? { items } : {}),
  }
}

function channelItem(call: Call, creator: Creator): Item {
  const counters = call.parts.includes('statistics')
    ? call.state.world.creatorCounters(creator, call.ask.nowMs)
    : { views: 0, followers: 0, posts: 0 }
  return partsOf(call, 'youtube#channel', creator.id, {
    snippet: {
      title: creator.name,
      description: creator.description,
      customUrl: `@${creator.handle}`,
      publishedAt: timeText(creator.joinedAtMs),
      thumbnails: thumbnails(`https://yt3.ggpht.com/sandbox-${creator.id}=s`, 88),
      localized: { title: creator.name, description: creator.description },
      country: creator.country,
    },
    contentDetails: { relatedPlaylists: { likes: '', uploads: creator.id.replace(/^UC/, 'UU') } },
    statistics: {
      viewCount: String(counters.views),
      ...(creator.hidesFollowers ? {} : { subscriberCount: String(threeDigits(counters.followers)) }),
      hiddenSubscriberCount: creator.hidesFollowers,
      videoCount: String(counters.posts),
    },
    status: { privacyStatus: 'public', isLinked: true, longUploadsStatus: 'allowed', madeForKids: false },
    brandingSettings: { channel: { title: creator.name } },
    topicDetails: undefined,
  })
}

function playlistItems(call: Call): Item {
  const { state, ask } = call
  const filter = oneFilter(ask, ['playlistId', 'id'])
  const playlistId = ask.query.get('playlistId') ?? ''
  const creator = filter === 'playlistId' ? state.world.creatorById('youtube', playlistId.replace(/^UU/, 'UC')) : null
  if (creator === null || !playlistId.startsWith('UU') || state.world.isGone(creator, ask.nowMs))
    throw refused('playlistNotFound')
  const size = pageSize(ask, 5, 50)
  const start = pageStart(ask)
  const items: Item[] = []
  let next: number | null = null
  for (const post of state.world.posts(creator, ask.nowMs, start)) {
    if (!isShownTo(call, post)) continue
    if (items.length === size) {
      next = post.index + 1
      break
    }
    const id = Buffer.from(`${playlistId}.${post.id}`).toString('base64url')
    const publishedAt = timeText(post.publishedAtMs)
    items.push(
      partsOf(call, 'youtube#playlistItem', id, {
        snippet: {
          publishedAt,
          channelId: creator.id,
          title: post.title,
          description: descriptionOf(post),
          thumbnails: thumbnails(`https://i.ytimg.com/vi/${post.id}/`, 120),
          channelTitle: creator.name,
          playlistId,
          position: items.length,
          resourceId: { kind: 'youtube#video', videoId: post.id },
          videoOwnerChannelTitle: creator.name,
          videoOwnerChannelId: creator.id,
        },
        contentDetails: { videoId: post.id, videoPublishedAt: publishedAt },
        status: { privacyStatus: state.world.privacyOf(post) },
      }),
    )
  }
  return {
    kind: 'youtube#playlistItemListResponse',
    ...(next === null ? {} : { nextPageToken: pageToken(next) }),
    items,
    pageInfo: {
      totalResults: state.world.creatorCounters(creator, ask.nowMs).posts,
      resultsPerPage: size,
    },
  }
}

function videos(call: Call): Item {
  const { state, ask } = call
  const filter = oneFilter(ask, ['id', 'chart', 'myRating'])
  const kind = 'youtube#videoListResponse'
  if (filter === 'id') {
    if (ask.query.has('pageToken')) throw refused('invalidParameter', 'Pages and ids do not go together.')
    const ids = listOf(ask.query, 'id')
    if (ids.length > 50) throw refused('invalidParameter', 'Too many ids.')
    const items = [...new Set(ids)].flatMap(id => {
      const post = state.world.postById('youtube', id, ask.nowMs)
      return post === null || !isFoundBy(call, post) ? [] : [videoItem(call, post)]
    })
    return { kind, items, pageInfo: { totalResults: items.length, resultsPerPage: items.length } }
  }
  if (filter !== 'chart' || ask.query.get('chart') !== 'mostPopular') throw refused('videoChartNotFound')
  const region = ask.query.get('regionCode') ?? 'US'
  if (!regions.includes(region)) throw refused('invalidRegionCode', `'${region}'`)
  const category = ask.query.get('videoCategoryId')
  if (category !== null && category !== '0' && !(category in youtubeCategories)) throw refused('videoChartNotFound')
  const posts = chart(state, region, category === '0' ? null : category, ask.nowMs)
  return pageOf(ask, { kind, total: posts.length, usual: 5, posts, item: post => videoItem(call, post) })
}

function pageOf(
  ask: Ask,
  {
    kind,
    posts,
    total,
    usual,
    item,
  }: { kind: string; posts: readonly Post[]; total: number; usual: number; item: (post: Post) => Item },
): Item {
  const size = pageSize(ask, usual, 50)
  const start = pageStart(ask) ?? 0
  const end = start + size
  return {
    kind,
    ...(end < posts.length ? { nextPageToken: pageToken(end) } : {}),
    ...(start > 0 ? { prevPageToken: pageToken(Math.max(0, start - size)) } : {}),
    pageInfo: { totalResults: total, resultsPerPage: size },
    items: posts.slice(start, end).map(item),
  }
}

/** Lists of what is not public are for its creator alone. */
function isShownTo({ state, caller }: Call, post: Post): boolean {
  return state.world.privacyOf(post) === 'public' || caller.grant?.accountId === post.creator.id
}

/** Whoever has the id finds what is unlisted as well. */
function isFoundBy(call: Call, post: Post): boolean {
  return isShownTo(call, post) || call.state.world.privacyOf(post) === 'unlisted'
}

/** What most see of the last week, in a region that knows two creators of three. */
function chart(state: SandboxState, region: string, category: string | null, nowMs: number): Post[] {
  // It moves by the quarter of an hour, so that pages of one reading fit together.
  const asOfMs = Math.floor(nowMs / 900_000) * 900_000
  const regionNumber = regions.indexOf(region)
  return candidates(state, nowMs, 7 * dayMs)
    .filter(post => post.creator.index % 3 !== regionNumber % 3 && state.world.privacyOf(post) === 'public')
    .filter(post => category === null || post.categoryId === category)
    .map(post => ({ post, views: state.world.counters(post, asOfMs).views }))
    .sort((a, b) => b.views - a.views || a.post.id.localeCompare(b.post.id))
    .slice(0, chartMax)
    .map(({ post }) => post)
}

/** Posts of the first creators that are not older than a span. */
function candidates(state: SandboxState, nowMs: number, ageMsMax: number): Post[] {
  const posts: Post[] = []
  for (let index = 0; index < Math.min(200, state.world.creatorCount); index += 1) {
    const creator = state.world.creatorAt('youtube', index)
    if (creator === null) break
    for (const post of state.world.posts(creator, nowMs)) {
      if (post.publishedAtMs < nowMs - ageMsMax) break
      posts.push(post)
    }
  }
  return posts
}

function videoItem(call: Call, post: Post): Item {
  const { state, ask } = call
  const { creator } = post
  const isLive = isLiveAt(post, ask.nowMs)
  const description = descriptionOf(post)
  const counters = state.world.counters(post, ask.nowMs)
  return partsOf(call, 'youtube#video', post.id, {
    snippet: {
      publishedAt: timeText(post.publishedAtMs),
      channelId: creator.id,
      title: post.title,
      description,
      thumbnails: thumbnails(`https://i.ytimg.com/vi/${post.id}/`, 120),
      channelTitle: creator.name,
      ...(post.tags.length > 0 ? { tags: post.tags } : {}),
      categoryId: post.categoryId,
      liveBroadcastContent: isLive ? 'live' : 'none',
      localized: { title: post.title, description },
      defaultAudioLanguage: 'en',
    },
    contentDetails: {
      duration: isLive ? 'P0D' : isoDuration(post.durationSeconds),
      dimension: '2d',
      definition: 'hd',
      caption: 'false',
      licensedContent: true,
      contentRating: {},
      projection: 'rectangular',
    },
    status: {
      uploadStatus: isLive ? 'uploaded' : 'processed',
      privacyStatus: state.world.privacyOf(post),
      license: 'youtube',
      embeddable: true,
      publicStatsViewable: true,
      madeForKids: false,
      containsSyntheticMedia: false,
    },
    statistics: {
      viewCount: String(counters.views),
      ...(post.hasLikes ? { likeCount: String(counters.likes) } : {}),
      favoriteCount: '0',
      ...(post.hasComments ? { commentCount: String(counters.comments) } : {}),
    },
    liveStreamingDetails: post.kind === 'stream' ? liveDetails(state, post, ask.nowMs) : undefined,
    player: { embedHtml: `<iframe src="//www.youtube.com/embed/${post.id}"></iframe>` },
    topicDetails: undefined,
  })
}

function isLiveAt(post: Post, nowMs: number): boolean {
  return post.endsAtMs !== null && nowMs >= post.publishedAtMs && nowMs < post.endsAtMs
}

function liveDetails(state: SandboxState, post: Post, nowMs: number): Item {
  const started = nowMs >= post.publishedAtMs ? { actualStartTime: timeText(post.publishedAtMs) } : {}
  const isLive = isLiveAt(post, nowMs)
  return {
    ...started,
    ...(post.endsAtMs !== null && nowMs >= post.endsAtMs ? { actualEndTime: timeText(post.endsAtMs) } : {}),
    scheduledStartTime: timeText(post.publishedAtMs - 300_000),
    ...(isLive
      ? {
          concurrentViewers: String(viewersAt(state, post, nowMs)),
          activeLiveChatId: chatIdOf(post),
        }
      : {}),
  }
}

/** Who watches a stream at a moment: many in the middle, moving by the minute. */
export function viewersAt(state: SandboxState, post: Post, nowMs: number): number {
  const endsAtMs = post.endsAtMs ?? post.publishedAtMs
  const part = (nowMs - post.publishedAtMs) / Math.max(1, endsAtMs - post.publishedAtMs)
  const minute = Math.floor(nowMs / 60_000)
  const wave = 0.2 + Math.sin(Math.PI * Math.min(1, Math.max(0, part)))
  return Math.floor(post.creator.size * 0.05 * wave * (0.8 + 0.4 * unit(state.seed, post.index, minute))) + 1
}

function chatIdOf(post: Post): string {
  return `Cg0KC${Buffer.from(post.id).toString('base64url')}`
}

function batchGetStats(call: Call): Item {
  const { state, ask } = call
  const ids = [...new Set(listOf(ask.query, 'id'))]
  if (ids.length === 0) throw refused('missingRequiredParameter')
  if (ids.length > 50) throw refused('invalidParameter', 'Too many ids.')
  const items = ids.flatMap(id => {
    const post = state.world.postById('youtube', id, ask.nowMs)
    if (post === null || !isFoundBy(call, post)) return []
    const counters = state.world.counters(post, ask.nowMs)
    return [
      partsOf(call, 'youtube#videoStats', id, {
        snippet: { publishTime: timeText(post.publishedAtMs) },
        contentDetails: { duration: `${post.durationSeconds}s` },
        statistics: {
          viewCount: String(counters.views),
          ...(post.hasLikes ? { likeCount: String(counters.likes) } : {}),
          ...(post.hasComments ? { commentCount: String(counters.comments) } : {}),
        },
      }),
    ]
  })
  const came = new Set(items.map(item => item.id))
  const failed = ids.filter(id => !came.has(id))
  return {
    kind: 'youtube#batchGetStatsResponse',
    items,
    ...(state.quirks.youtubeSummary
      ? {
          summary: {
            requestedVideoCount: ids.length,
            succeededVideoCount: items.length,
            failedVideoCount: failed.length,
            ...(failed.length > 0 ? { failedVideoIds: failed } : {}),
          },
        }
      : {}),
  }
}

function videoCategories(call: Call): Item {
  const filter = oneFilter(call.ask, ['regionCode', 'id'])
  const region = call.ask.query.get('regionCode') ?? 'US'
  if (!regions.includes(region)) throw refused('invalidRegionCode', `'${region}'`)
  const ids = filter === 'id' ? listOf(call.ask.query, 'id') : Object.keys(youtubeCategories)
  return {
    kind: 'youtube#videoCategoryListResponse',
    items: ids
      .filter(id => id in youtubeCategories)
      .map(id =>
        partsOf(call, 'youtube#videoCategory', id, {
          snippet: { title: youtubeCategories[id], assignable: true, channelId: 'UCBR8-60-B28hp2BmDPdntcQ' },
        }),
      ),
  }
}

const searchOrders = ['date', 'rating', 'relevance', 'title', 'videoCount', 'viewCount'] as const

function search(call: Call): Item {
  const { state, ask } = call
  const { query, nowMs } = ask
  const type = listOf(query, 'type')
  const forVideos = ['eventType', 'videoDuration'].filter(name => query.has(name))
  if (forVideos.length > 0 && !type.includes('video')) throw refused('badRequest', 'The video filters need type=video.')
  const order = query.get('order') ?? 'relevance'
  if (!searchOrders.some(one => one === order)) throw refused('invalidParameter', `Invalid value '${order}'.`)
  const words = (query.get('q') ?? '')
    .toLowerCase()
    .split(/\s+/)
    .filter(word => word !== '')
  const channelId = query.get('channelId')
  const afterMs = Date.parse(query.get('publishedAfter') ?? '1970-01-01T00:00:00Z')
  const beforeMs = Date.parse(query.get('publishedBefore') ?? '9999-01-01T00:00:00Z')
  if (Number.isNaN(afterMs) || Number.isNaN(beforeMs)) throw refused('invalidParameter', 'Invalid time.')
  const creator = channelId === null ? null : state.world.creatorById('youtube', channelId)
  const among =
    channelId === null ? candidates(state, nowMs, 60 * dayMs) : creator ? [...state.world.posts(creator, nowMs)] : []
  const posts = among
    .filter(post => words.every(word => post.title.toLowerCase().includes(word)))
    .filter(post => post.publishedAtMs >= afterMs && post.publishedAtMs < beforeMs)
    .filter(post => isOfEvent(post, query.get('eventType'), nowMs))
    .filter(post => isOfLength(post, query.get('videoDuration')))
  const inOrder = ordered(state, posts, order, nowMs).slice(0, searchMax)
  const page = pageOf(ask, {
    kind: 'youtube#searchListResponse',
    posts: inOrder,
    total: Math.min(1_000_000, posts.length * 7),
    usual: 5,
    item: post =>
      partsOf(
        call,
        'youtube#searchResult',
        { kind: 'youtube#video', videoId: post.id },
        {
          snippet: {
            publishedAt: timeText(post.publishedAtMs),
            channelId: post.creator.id,
            title: escaped(post.title),
            description: '',
            thumbnails: thumbnails(`https://i.ytimg.com/vi/${post.id}/`, 120),
            channelTitle: escaped(post.creator.name),
            liveBroadcastContent: isLiveAt(post, nowMs) ? 'live' : 'none',
            publishTime: timeText(post.publishedAtMs),
          },
        },
      ),
  })
  return { ...page, regionCode: query.get('regionCode') ?? 'US' }
}

function isOfEvent(post: Post, event: string | null, nowMs: number): boolean {
  if (event === null) return true
  if (event === 'live') return isLiveAt(post, nowMs)
  return event === 'completed' && post.endsAtMs !== null && nowMs >= post.endsAtMs
}

function isOfLength({ durationSeconds }: Post, length: string | null): boolean {
  if (length === 'short') return durationSeconds < 240
  if (length === 'medium') return durationSeconds >= 240 && durationSeconds <= 1200
  return length !== 'long' || durationSeconds > 1200
}

function ordered(state: SandboxState, posts: readonly Post[], order: string, nowMs: number): Post[] {
  if (order === 'date') return posts.toSorted((a, b) => b.publishedAtMs - a.publishedAtMs)
  if (order === 'title') return posts.toSorted((a, b) => a.title.localeCompare(b.title))
  return posts.toSorted((a, b) => state.world.counters(b, nowMs).views - state.world.counters(a, nowMs).views)
}

function commentThreads(call: Call): Item {
  const { ask, caller, state } = call
  if (caller.grant !== null) requireScope(caller, googleScopes[1])
  oneFilter(ask, ['videoId', 'id', 'allThreadsRelatedToChannelId'])
  const post = state.world.postById('youtube', ask.query.get('videoId') ?? '', ask.nowMs)
  if (post === null) throw refused('videoNotFound')
  if (!post.hasComments) throw refused('commentsDisabled')
  const total = Math.min(commentCount, state.world.counters(post, ask.nowMs).comments)
  const size = pageSize(ask, 20, 100)
  const start = pageStart(ask) ?? 0
  const count = Math.max(0, Math.min(size, total - start))
  return {
    kind: 'youtube#commentThreadListResponse',
    ...(start + count < total ? { nextPageToken: pageToken(start + count) } : {}),
    pageInfo: { totalResults: count, resultsPerPage: size },
    items: Array.from({ length: count }, (_, at) => {
      const id = `Ug${post.id}${String(start + at).padStart(4, '0')}`
      return partsOf(call, 'youtube#commentThread', id, {
        snippet: {
          channelId: post.creator.id,
          videoId: post.id,
          topLevelComment: commentItem(post, id, start + at),
          canReply: true,
          totalReplyCount: (start + at) % 3,
          isPublic: true,
        },
        replies:
          (start + at) % 3 > 0
            ? {
                comments: Array.from({ length: (start + at) % 3 }, (_, reply) =>
                  commentItem(post, `${id}.r${reply}`, reply),
                ),
              }
            : undefined,
      })
    }),
  }
}

function comments(call: Call): Item {
  const { ask, caller, state } = call
  if (caller.grant !== null) requireScope(caller, googleScopes[1])
  const parentId = ask.query.get('parentId') ?? ''
  const found = /^Ug([\w-]{11})(\d{4})$/.exec(parentId)
  const post = state.world.postById('youtube', found?.[1] ?? '', ask.nowMs)
  if (found === null || post === null) throw refused('commentThreadNotFound')
  const count = Number(found[2]) % 3
  return {
    kind: 'youtube#commentListResponse',
    pageInfo: { totalResults: count, resultsPerPage: pageSize(ask, 20, 100) },
    items: Array.from({ length: count }, (_, reply) => commentItem(post, `${parentId}.r${reply}`, reply)),
  }
}

function commentItem(post: Post, id: string, at: number): Item {
  const publishedAt = timeText(post.publishedAtMs + (at + 1) * 600_000)
  return {
    kind: 'youtube#comment',
    etag: tagOf(id),
    id,
    snippet: {
      textDisplay: `Comment ${at + 1} on ${post.title}`.slice(0, 200),
      textOriginal: `Comment ${at + 1} on ${post.title}`.slice(0, 200),
      authorDisplayName: `@viewer${at}`,
      likeCount: at % 7,
      publishedAt,
      updatedAt: publishedAt,
    },
  }
}

/** One's own broadcasts: all that were, the one that is on, and the one that is announced. */
function liveBroadcasts(call: Call): Item {
  const { state, ask } = call
  const creator = ownChannel(call)
  const filter = oneFilter(ask, ['broadcastStatus', 'mine', 'id'])
  const wanted = filter === 'broadcastStatus' ? (ask.query.get('broadcastStatus') ?? '') : 'all'
  if (!['all', 'active', 'completed', 'upcoming'].includes(wanted))
    throw refused('invalidParameter', `Invalid value '${wanted}'.`)
  const ids = filter === 'id' ? listOf(ask.query, 'id') : null
  const next = state.world.nextPost(creator, ask.nowMs)
  const announced = next.kind === 'stream' && next.publishedAtMs - ask.nowMs < 2 * dayMs ? [next] : []
  const broadcasts = [...announced, ...state.world.posts(creator, ask.nowMs)]
    .filter(post => post.kind === 'stream')
    .filter(post => wanted === 'all' || statusOf(post, ask.nowMs) === wanted)
    .filter(post => ids?.includes(post.id) ?? true)
  return pageOf(ask, {
    kind: 'youtube#liveBroadcastListResponse',
    posts: broadcasts,
    total: broadcasts.length,
    usual: 5,
    item: post => broadcastItem(call, post),
  })
}

function statusOf(post: Post, nowMs: number): 'upcoming' | 'active' | 'completed' {
  if (nowMs < post.publishedAtMs) return 'upcoming'
  return isLiveAt(post, nowMs) ? 'active' : 'completed'
}

function broadcastItem(call: Call, post: Post): Item {
  const { ask } = call
  const status = statusOf(post, ask.nowMs)
  return partsOf(call, 'youtube#liveBroadcast', post.id, {
    snippet: {
      publishedAt: timeText(Math.min(post.publishedAtMs, ask.nowMs) - hourMs),
      channelId: post.creator.id,
      title: post.title,
      description: descriptionOf(post),
      thumbnails: thumbnails(`https://i.ytimg.com/vi/${post.id}/`, 120),
      scheduledStartTime: timeText(post.publishedAtMs - 300_000),
      ...(status === 'upcoming' ? {} : { actualStartTime: timeText(post.publishedAtMs) }),
      ...(status === 'completed' && post.endsAtMs !== null ? { actualEndTime: timeText(post.endsAtMs) } : {}),
      isDefaultBroadcast: false,
      ...(status === 'completed' ? {} : { liveChatId: chatIdOf(post) }),
    },
    contentDetails: {
      boundStreamId: `bound-${post.id}`,
      enableDvr: true,
      recordFromStart: true,
      latencyPreference: 'normal',
    },
    status: {
      lifeCycleStatus: { upcoming: 'ready', active: 'live', completed: 'complete' }[status],
      privacyStatus: 'public',
      recordingStatus: { upcoming: 'notRecording', active: 'recording', completed: 'recorded' }[status],
      madeForKids: false,
      selfDeclaredMadeForKids: false,
    },
    statistics: status === 'active' ? { concurrentViewers: String(viewersAt(call.state, post, ask.nowMs)) } : undefined,
  })
}

/** The chat of a stream that is on; what was said is not given afterwards. */
function liveChatMessages(call: Call): Item {
  const { state, ask } = call
  const chatId = ask.query.get('liveChatId') ?? ''
  const id = Buffer.from(chatId.replace(/^Cg0KC/, ''), 'base64url').toString('latin1')
  const post = state.world.postById('youtube', id, ask.nowMs)
  if (post === null || post.kind !== 'stream') throw refused('liveChatNotFound')
  if (!isLiveAt(post, ask.nowMs)) throw refused('liveChatEnded')
  // Somebody speaks every five seconds.
  const spoken = Math.floor((ask.nowMs - post.publishedAtMs) / 5000)
  const start = pageStart(ask) ?? Math.max(0, spoken - 75)
  const size = Math.min(Math.max(0, spoken - start), 500)
  return {
    kind: 'youtube#liveChatMessageListResponse',
    pollingIntervalMillis: 5000,
    nextPageToken: pageToken(start + size),
    pageInfo: { totalResults: size, resultsPerPage: size },
    items: Array.from({ length: size }, (_, at) =>
      partsOf(call, 'youtube#liveChatMessage', `LCC.${post.id}${start + at}`, {
        snippet: {
          type: 'textMessageEvent',
          liveChatId: chatId,
          publishedAt: timeText(post.publishedAtMs + (start + at + 1) * 5000),
          hasDisplayContent: true,
          displayMessage: (start + at) % 13 === 0 ? 'That \u001b[1mclip\u001b[0m!' : `Message ${start + at}`,
        },
        authorDetails: { channelId: post.creator.id, displayName: `viewer${at}`, isVerified: false },
      }),
    ),
  }
}

function descriptionOf(post: Post): string {
  return post.tags.map(tag => `#${tag}`).join(' ')
}

/** Any size may be missing: the smallest is always there. */
function thumbnails(base: string, width: number): Item {
  const sizes = { default: 1, medium: 2.67, high: 4 }
  return Object.fromEntries(
    Object.entries(sizes).map(([name, factor]) => {
      const wide = Math.round(width * factor)
      return [name, { url: `${base}${name}.jpg`, width: wide, height: Math.round(wide * 0.75) }]
    }),
  )
}

/** RFC 3339 in whole seconds. */
function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}Z`
}

function isoDuration(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60]
  return `PT${hours > 0 ? `${hours}H` : ''}${minutes > 0 ? `${minutes}M` : ''}${rest > 0 || seconds === 0 ? `${rest}S` : ''}`
}

/** Followers as YouTube shows them: rounded down to three digits. */
function threeDigits(count: number): number {
  const step = 10 ** Math.max(0, String(count).length - 3)
  return Math.floor(count / step) * step
}

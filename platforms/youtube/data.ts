import { ask, bearerOf, type ClientDeps, type Reply, refusedAhead } from '../http.ts'
import { idAt, listAt } from '../json.ts'
import {
  type AccountReading,
  type DataAccess,
  type DataCall,
  type Page,
  type PlatformData,
  PlatformError,
  type PostReading,
} from '../port.ts'
import { youtubeDays } from './analytics.ts'
import { parseYoutubeCreator } from './creator.ts'
import { youtubeSpeech } from './errors.ts'
import {
  broadcastReading,
  categoryReading,
  channelReading,
  type Seen,
  statsReading,
  uploadReading,
  videoReading,
} from './readings.ts'

const pageSize = '50'
const idsMax = 50
const daysMax = 366

/** Every request costs its bucket 1, a refused one too; the buckets begin anew at midnight in California. */
const buckets: Readonly<Record<Exclude<DataCall, 'file'>, string>> = {
  account: 'youtube:units',
  posts: 'youtube:units',
  metrics: 'youtube:stats',
  details: 'youtube:units',
  broadcasts: 'youtube:units',
  creator: 'youtube:units',
  chart: 'youtube:units',
  categories: 'youtube:units',
  daily: 'youtube:analytics',
  search: 'youtube:search',
}

/** Without descriptions, which are most of an answer's bytes and of no use here. */
const videoFields =
  'items(id,snippet(publishedAt,channelId,channelTitle,title,thumbnails,tags,categoryId,liveBroadcastContent),contentDetails/duration,' +
  'statistics(viewCount,likeCount,commentCount),status/privacyStatus,' +
  'liveStreamingDetails(actualStartTime,actualEndTime)),nextPageToken'
const videoParts = 'snippet,statistics,status,contentDetails,liveStreamingDetails'
const channelFields =
  'items(id,snippet(title,customUrl,thumbnails),statistics,contentDetails/relatedPlaylists/uploads),nextPageToken'
const channelParts = 'snippet,statistics,contentDetails'
const uploadFields =
  'items(snippet(title,thumbnails,resourceId/videoId),status/privacyStatus,contentDetails(videoId,videoPublishedAt)),nextPageToken'
const broadcastFields =
  'items(id,snippet(publishedAt,channelId,title,thumbnails,actualStartTime,actualEndTime),status/privacyStatus),nextPageToken'

/** The YouTube Data API v3, and the Analytics API for an own channel's days. All but what is one's own takes an API key too. */
export function youtubeData(deps: ClientDeps): PlatformData {
  const get = (path: string, access: DataAccess, query: Readonly<Record<string, string | null>>) =>
    ask(deps, youtubeSpeech, {
      url: `${deps.urls.youtubeData}/youtube/v3/${path}`,
      query,
      ...('apiKey' in access ? { key: access.apiKey } : { bearer: access.accessToken }),
    })
  const seen = (endpoint: string): Seen => ({ observedAtMs: deps.clock.nowMs(), endpoint })

  const channels = async (access: DataAccess, filter: Record<string, string>, cursor: string | null) => {
    const query = { part: channelParts, fields: channelFields, pageToken: cursor, ...filter }
    const reply = await get('channels', access, query)
    return pageOf(reply, item => channelReading(item, seen('channels.list')))
  }
  const ownChannels = (access: DataAccess, cursor: string | null) => {
    bearerOf(youtubeSpeech, access)
    return channels(access, { mine: 'true', maxResults: pageSize }, cursor)
  }

  return {
    platform: 'youtube',
    cost: call => (call === 'file' ? null : { bucket: buckets[call], units: 1 }),
    accounts: ownChannels,
    async account(access, creatorId = null) {
      const { items } = await ownChannels(access, null)
      return found(creatorId === null ? items[0] : items.find(item => item.creatorId === creatorId), 'no_channel')
    },
    async posts(access, account, cursor) {
      const playlistId = account.uploadsId ?? account.creatorId.replace(/^UC/, 'UU')
      const query = {
        part: 'snippet,status,contentDetails',
        fields: uploadFields,
        playlistId,
        maxResults: pageSize,
        pageToken: cursor,
      }
      const reply = await get('playlistItems', access, query).catch(error => {
        // A channel that never uploaded has no such playlist.
        if (cursor === null && error instanceof PlatformError && error.code === 'playlistNotFound') return null
        throw error
      })
      if (reply === null) return { items: [], next: null, missing: [], usagePercent: null }
      return pageOf(reply, item => uploadReading(item, account.creatorId, seen('playlistItems.list')))
    },
    async metrics(access, account, videoIds) {
      if (videoIds.length === 0) return emptyPage
      const query = { part: 'id,snippet,contentDetails,statistics', id: joined(videoIds) }
      const reply = await get('videos:batchGetStats', access, query)
      const page = pageOf(reply, item => statsReading(item, account.creatorId, seen('videos.batchGetStats')))
      return withMissing(page, videoIds)
    },
    metricsMax: idsMax,
    async details(access, videoIds) {
      if (videoIds.length === 0) return emptyPage
      const reply = await get('videos', access, { part: videoParts, fields: videoFields, id: joined(videoIds) })
      const page = pageOf(reply, item => videoReading(item, seen('videos.list')))
      return withMissing(page, videoIds)
    },
    async broadcasts(access, cursor) {
      bearerOf(youtubeSpeech, access)
      const query = {
        part: 'snippet,status',
        fields: broadcastFields,
        broadcastStatus: 'all',
        broadcastType: 'all',
        maxResults: pageSize,
        pageToken: cursor,
      }
      return pageOf(await get('liveBroadcasts', access, query), item =>
        broadcastReading(item, seen('liveBroadcasts.list')),
      )
    },
    async creator(access, ref) {
      const filters = {
        id: { id: ref.value },
        handle: { forHandle: `@${ref.value}` },
        username: { forUsername: ref.value },
      }
      const { items } = await channels(access, filters[ref.by], null)
      return found(items[0], 'channelNotFound')
    },
    ownVideo: null,
    async chart(access, { region, categoryId }, cursor) {
      const query = {
        part: videoParts,
        fields: videoFields,
        chart: 'mostPopular',
        regionCode: region,
        videoCategoryId: categoryId,
        maxResults: pageSize,
        pageToken: cursor,
      }
      return pageOf(await get('videos', access, query), item => videoReading(item, seen('videos.list')))
    },
    async categories(access, region) {
      const fields = 'items(id,snippet(title,assignable))'
      const { json } = await get('videoCategories', access, { part: 'snippet', fields, regionCode: region })
      return listAt(json, 'items').flatMap(item => categoryReading(item) ?? [])
    },
    daily: (access, account, days) => youtubeDays(deps, access, account, days),
    dailyMax: daysMax,
    parseCreator: parseYoutubeCreator,
  }
}

const emptyPage: Page<PostReading> = { items: [], next: null, missing: [], usagePercent: null }

function pageOf<T>({ json }: Reply, read: (item: unknown) => T | null): Page<T> {
  return {
    items: listAt(json, 'items').flatMap(item => read(item) ?? []),
    next: idAt(json, 'nextPageToken'),
    missing: [],
    usagePercent: null,
  }
}

/** Unknown and private ids are dropped in silence; the summary that names them is not always sent. Asked ids never page. */
function withMissing(page: Page<PostReading>, asked: readonly string[]): Page<PostReading> {
  const came = new Set(page.items.map(item => item.videoId))
  return { ...page, next: null, missing: asked.filter(id => !came.has(id)) }
}

function joined(ids: readonly string[]): string {
  if (ids.length > idsMax)
    throw refusedAhead(youtubeSpeech, {
      class: 'bad_request',
      code: 'too_many_ids',
      advice: `At most ${idsMax} at once.`,
    })
  return ids.join(',')
}

function found(account: AccountReading | undefined, code: string): AccountReading {
  if (account !== undefined) return account
  throw refusedAhead(youtubeSpeech, { class: 'not_found', code })
}

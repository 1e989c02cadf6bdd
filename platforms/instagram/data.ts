import { ask, bearerOf, type ClientDeps, type Reply, refusedAhead, unexpected } from '../http.ts'
import { at, countAt, idAt, instantMsAt, listAt, oddCountsIn, textAt, urlAt } from '../json.ts'
import { dayAfter, pacificDayStartMs } from '../pacific-days.ts'
import {
  type AccountReading,
  type DataAccess,
  type DayReading,
  type OwnVideo,
  type Page,
  type PlatformData,
  PlatformError,
  type PostReading,
  type PostTraits,
} from '../port.ts'
import { unknownPost } from '../unknown-post.ts'
import { parseInstagramCreator } from './creator.ts'
import { instagramSpeech, tooMuchData, usagePercent } from './errors.ts'
import { readInsights } from './insights.ts'
import { facebookLogin, type InstagramLogin, instagramLogin } from './login.ts'

const pageSize = 50
/** After an answer that would have been too long. */
const pageSizeSmall = 12
const username = /^[\w.]{1,30}$/

const mediaFields =
  'id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,timestamp,like_count,comments_count'
/** `view_count` exists here alone: of Reels, paid views included. */
const othersMediaFields = 'id,caption,media_type,permalink,timestamp,like_count,comments_count,view_count,thumbnail_url'
const profileFields = 'id,username,name,profile_picture_url,followers_count,media_count'
const pageFields = `id,name,instagram_business_account{${profileFields}}`
/** The cursor that asks for Pages of businesses, after those of the person. */
const businesses = 'businesses'

/** Of what each kind of post has; one that does not fit fails the whole question. */
const mediaMetrics: Readonly<Record<string, readonly string[]>> = {
  STORY: ['views', 'shares'],
}
const mediaMetricsUsual = ['views', 'likes', 'comments', 'shares', 'saved']
const accountMetrics = ['views', 'likes', 'comments', 'shares', 'saves']

/** Instagram through its own login: the own professional account. */
export function instagramLoginData(deps: ClientDeps): PlatformData {
  const account = async (access: DataAccess, creatorId: string | null = null) => {
    const { json } = await get(deps, instagramLogin, access, 'me', { fields: `user_id,${profileFields}` })
    // `id` is the app's own; the professional account's is `user_id`.
    const reading = accountReading(json, idAt(json, 'user_id') ?? idAt(json, 'id'), deps.clock.nowMs(), 'me')
    if (reading !== null && (creatorId === null || reading.creatorId === creatorId)) return reading
    throw refusedAhead(instagramSpeech, { class: 'not_found', code: 'other_account' })
  }
  return {
    ...common(deps, instagramLogin),
    accounts: async access => page([await account(access)], null),
    account,
    posts: (access, owner, cursor) => ownPosts(deps, instagramLogin, access, owner, cursor),
    creator: null,
  }
}

/** Instagram through Facebook: the accounts behind a person's Pages, and what is public of other professional accounts. */
export function facebookLoginData(deps: ClientDeps): PlatformData {
  const accounts = (access: DataAccess, cursor: string | null) => pagesOf(deps, access, cursor)
  return {
    ...common(deps, facebookLogin),
    accounts,
    /** Without an id it looks for the first account, which takes one or two requests more. */
    async account(access, creatorId = null) {
      const id = creatorId ?? (await firstAccountId(accounts, access))
      const reply = await get(deps, facebookLogin, access, id, { fields: profileFields })
      return found(accountReading(reply.json, idAt(reply.json, 'id'), deps.clock.nowMs(), 'ig-user'))
    },
    posts: (access, owner, cursor, via = null) =>
      via === null || via === owner.creatorId
        ? ownPosts(deps, facebookLogin, access, owner, cursor)
        : othersPosts(deps, access, owner, cursor, via),
    async creator(access, ref, via) {
      const fields = `business_discovery.username(${targetOf(ref.by === 'id' ? '' : ref.value)}){${profileFields}}`
      const reply = await get(deps, facebookLogin, access, asking(via), { fields })
      const other = at(reply.json, 'business_discovery')
      return found(accountReading(other, idAt(other, 'id'), deps.clock.nowMs(), 'business_discovery'))
    },
  }
}

/** What both logins have in common. */
function common(
  deps: ClientDeps,
  login: InstagramLogin,
): Omit<PlatformData, 'accounts' | 'account' | 'posts' | 'creator'> {
  return {
    platform: 'instagram',
    cost: (call, whose = 'own') => {
      if (!login.calls.includes(call)) return null
      // Somebody waits for it: it is counted apart, so that readings leave some.
      if (call === 'file') return { bucket: 'instagram:files', units: 1 }
      // What is public of others counts for the whole app, not for the account.
      const isOfOthers = call === 'creator' || whose === 'others'
      return { bucket: isOfOthers ? 'instagram:app' : 'instagram:account', units: 1 }
    },
    metrics: (access, owner, videoIds, traits) => metricsOf(deps, { login, access, owner, videoIds, traits }),
    metricsMax: 1,
    details: null,
    broadcasts: null,
    chart: null,
    categories: null,
    ownVideo: (access, videoId) => ownVideo(deps, login, access, videoId),
    daily: (access, owner, { from, to }) => {
      if (from === to) return dayOf(deps, login, access, owner, from)
      throw refusedAhead(instagramSpeech, {
        class: 'bad_request',
        code: 'one_day',
        advice: 'Ask for one day at a time.',
      })
    },
    dailyMax: 1,
    parseCreator: parseInstagramCreator,
  }
}

function get(
  deps: ClientDeps,
  login: InstagramLogin,
  access: DataAccess,
  path: string,
  query: Readonly<Record<string, string | null>>,
): Promise<Reply> {
  return ask(deps, instagramSpeech, {
    url: `${login.graph(deps.urls)}/${path.split('/').map(encodeURIComponent).join('/')}`,
    query,
    bearer: bearerOf(instagramSpeech, access, login.basicScope),
  })
}

/** The newest 10,000 media. A page that is too long for Instagram is asked for once more, shorter. */
async function ownPosts(
  deps: ClientDeps,
  login: InstagramLogin,
  access: DataAccess,
  owner: AccountReading,
  cursor: string | null,
): Promise<Page<PostReading>> {
  const reply = await shorterIfNeeded(access, limit =>
    get(deps, login, access, `${owner.creatorId}/media`, { fields: mediaFields, limit: String(limit), after: cursor }),
  )
  const seen = { observedAtMs: deps.clock.nowMs(), endpoint: 'media' }
  const items = listed(at(reply.json, 'data')).flatMap(item => mediaReading(item, owner, seen) ?? [])
  // There is a cursor on the last page too; what is missing there is the next page's address.
  const hasMore = textAt(reply.json, 'paging', 'next') !== ''
  return page(items, reply, hasMore ? idAt(reply.json, 'paging', 'cursors', 'after') : null)
}

/** The file of one own post. Posts of several pictures have none of their own, and flagged ones none at all. */
async function ownVideo(
  deps: ClientDeps,
  login: InstagramLogin,
  access: DataAccess,
  videoId: string,
): Promise<OwnVideo> {
  const { json } = await get(deps, login, access, videoId, { fields: 'id,media_type,media_url' })
  if (textAt(json, 'media_type') !== 'VIDEO')
    throw noVideo('no_video', 'This post is no video: attach a file or address instead.')
  const url = urlAt(json, 'media_url')
  if (url === '')
    throw noVideo(
      'no_file',
      'Instagram gives no file of this post, as of those with music that is not theirs: attach your own.',
    )
  return { url, namedBy: login.graph(deps.urls) }
}

function noVideo(code: string, advice: string): PlatformError {
  return refusedAhead(instagramSpeech, { class: 'not_found', code, advice })
}

async function othersPosts(
  deps: ClientDeps,
  access: DataAccess,
  other: AccountReading,
  cursor: string | null,
  via: string,
): Promise<Page<PostReading>> {
  if (cursor !== null && !/^[\w=+/-]{1,500}$/.test(cursor))
    throw refusedAhead(instagramSpeech, { class: 'bad_request', code: 'invalid_cursor' })
  const after = cursor === null ? '' : `.after(${cursor})`
  const reply = await shorterIfNeeded(access, limit => {
    const media = `media${after}.limit(${limit}){${othersMediaFields}}`
    const fields = `business_discovery.username(${targetOf(other.handle)}){id,${media}}`
    return get(deps, facebookLogin, access, asking(via), { fields })
  })
  const media = at(reply.json, 'business_discovery', 'media')
  const seen = { observedAtMs: deps.clock.nowMs(), endpoint: 'business_discovery.media' }
  const items = listed(at(media, 'data')).flatMap(item => mediaReading(item, other, seen) ?? [])
  // Inside a field there may be no address of the next page: an empty page is the end as well.
  const next = items.length === 0 ? null : idAt(media, 'paging', 'cursors', 'after')
  return page(items, reply, next === cursor ? null : next)
}

/** A list, also an empty one; no list at all is no answer. */
function listed(list: unknown): readonly unknown[] {
  if (Array.isArray(list)) return list
  throw unexpected(instagramSpeech, 'The list of posts')
}

async function shorterIfNeeded(access: DataAccess, question: (limit: number) => Promise<Reply>): Promise<Reply> {
  try {
    return await question(pageSize)
  } catch (error) {
    if (!(error instanceof PlatformError && error.code === tooMuchData)) throw error
    await access.payMore?.(1)
    return await question(pageSizeSmall)
  }
}

/** Insights of one post; a request more for each metric when one of them is refused, and none for those that were before. */
async function metricsOf(
  deps: ClientDeps,
  o: {
    login: InstagramLogin
    access: DataAccess
    owner: AccountReading
    videoIds: readonly string[]
    traits: ReadonlyMap<string, PostTraits> | undefined
  },
): Promise<Page<PostReading>> {
  const { login, access, owner } = o
  const [videoId, second] = o.videoIds
  if (videoId === undefined) return page([], null)
  if (second !== undefined)
    throw refusedAhead(instagramSpeech, { class: 'bad_request', code: 'too_many_ids', advice: 'One post at a time.' })
  const { product, refusedMetrics } = o.traits?.get(videoId) ?? unknownPost
  const metrics = (mediaMetrics[product] ?? mediaMetricsUsual).filter(name => !refusedMetrics.some(one => one === name))
  const empty = emptyMedia(videoId, owner, { observedAtMs: deps.clock.nowMs(), endpoint: 'media.insights' })
  if (metrics.length === 0) return page([empty], null)
  try {
    const { values, refused, reply } = await readInsights(deps, { login, access, node: videoId, metrics })
    const { views = null, likes = null, comments = null, shares = null, saved = null } = values
    return page([{ ...empty, views, likes, comments, shares, saves: saved, refusedMetrics: refused }], reply)
  } catch (error) {
    if (!(error instanceof PlatformError && error.class === 'not_found')) throw error
    return { ...page([], null), missing: [videoId] }
  }
}

/** The account's own totals of one day; none while the day is not over. */
async function dayOf(
  deps: ClientDeps,
  login: InstagramLogin,
  access: DataAccess,
  owner: AccountReading,
  day: string,
): Promise<DayReading[]> {
  const sinceMs = pacificDayStartMs(day)
  const untilMs = pacificDayStartMs(dayAfter(day))
  if (!(untilMs <= deps.clock.nowMs())) return []
  const { values } = await readInsights(deps, {
    login,
    access,
    node: owner.creatorId,
    metrics: accountMetrics,
    query: {
      period: 'day',
      metric_type: 'total_value',
      since: String(sinceMs / 1000),
      until: String(untilMs / 1000),
    },
  })
  const { views = null, likes = null, comments = null, shares = null, saves = null } = values
  return [
    {
      platform: 'instagram',
      creatorId: owner.creatorId,
      day,
      views,
      likes,
      comments,
      shares,
      saves,
      watchMinutes: null,
      followersGained: null,
      followersLost: null,
      observedAtMs: deps.clock.nowMs(),
      endpoint: 'account.insights',
    },
  ]
}

/** Pages of the person, then those of businesses, which may be listed only there. Without that permission there are none. */
async function pagesOf(deps: ClientDeps, access: DataAccess, cursor: string | null): Promise<Page<AccountReading>> {
  const observedAtMs = deps.clock.nowMs()
  const accountsIn = (pages: readonly unknown[]) =>
    pages.flatMap(one => {
      const account = at(one, 'instagram_business_account')
      return accountReading(account, idAt(account, 'id'), observedAtMs, 'me/accounts') ?? []
    })
  if (cursor === businesses) {
    const fields = `id,owned_pages{${pageFields}},client_pages{${pageFields}}`
    const reply = await get(deps, facebookLogin, access, 'me/businesses', { fields }).catch(error => {
      if (error instanceof PlatformError && error.class === 'permission') return null
      throw error
    })
    const owners = listAt(reply?.json, 'data')
    const pages = owners.flatMap(one => [...listAt(one, 'owned_pages', 'data'), ...listAt(one, 'client_pages', 'data')])
    return page(accountsIn(pages), reply)
  }
  const reply = await get(deps, facebookLogin, access, 'me/accounts', {
    fields: pageFields,
    limit: String(pageSize),
    after: cursor,
  })
  const hasMore = textAt(reply.json, 'paging', 'next') !== ''
  const next = hasMore ? idAt(reply.json, 'paging', 'cursors', 'after') : businesses
  return page(accountsIn(listAt(reply.json, 'data')), reply, next)
}

async function firstAccountId(
  accounts: (access: DataAccess, cursor: string | null) => Promise<Page<AccountReading>>,
  access: DataAccess,
): Promise<string> {
  const own = await accounts(access, null)
  const first = own.items[0] ?? (await accounts(access, businesses)).items[0]
  if (first !== undefined) return first.creatorId
  throw refusedAhead(instagramSpeech, {
    class: 'not_found',
    code: 'no_account',
    advice: 'Link a professional Instagram account to a Facebook Page of yours, and allow that Page.',
  })
}

function asking(via: string | null): string {
  if (via !== null) return via
  throw refusedAhead(instagramSpeech, {
    class: 'permission',
    code: 'account_needed',
    advice: 'Other accounts are seen through an own one that is linked with Facebook Login.',
  })
}

/** A name that can stand in a field's brackets. */
function targetOf(name: string): string {
  if (username.test(name)) return name
  throw refusedAhead(instagramSpeech, {
    class: 'bad_request',
    code: 'name_needed',
    advice: 'Other accounts are found by their name alone.',
  })
}

function found(account: AccountReading | null): AccountReading {
  if (account !== null) return account
  throw refusedAhead(instagramSpeech, { class: 'not_found', code: 'no_account' })
}

function page<T>(items: readonly T[], reply: Reply | null, next: string | null = null): Page<T> {
  return { items, next, missing: [], usagePercent: reply && usagePercent(reply) }
}

function accountReading(
  json: unknown,
  creatorId: string | null,
  observedAtMs: number,
  endpoint: string,
): AccountReading | null {
  if (creatorId === null) return null
  return {
    platform: 'instagram',
    creatorId,
    name: textAt(json, 'name'),
    handle: textAt(json, 'username'),
    avatarUrl: urlAt(json, 'profile_picture_url'),
    followers: countAt(json, 'followers_count'),
    views: null,
    videos: countAt(json, 'media_count'),
    likes: null,
    observedAtMs,
    endpoint,
    uploadsId: null,
    odd: oddCountsIn(json, accountCounters),
  }
}

const accountCounters = { followers: ['followers_count'], videos: ['media_count'] } as const
const mediaCounters = { views: ['view_count'], likes: ['like_count'], comments: ['comments_count'] } as const

interface Seen {
  readonly observedAtMs: number
  readonly endpoint: string
}

/** Likes may be hidden; the address of the file is left out of flagged media, and expires. */
function mediaReading(media: unknown, owner: AccountReading, seen: Seen): PostReading | null {
  const id = idAt(media, 'id')
  if (id === null) return null
  return {
    ...emptyMedia(id, owner, seen),
    title: textAt(media, 'caption'),
    url: urlAt(media, 'permalink'),
    product: textAt(media, 'media_product_type'),
    thumbnailUrl:
      urlAt(media, 'thumbnail_url') || (textAt(media, 'media_type') === 'IMAGE' ? urlAt(media, 'media_url') : ''),
    publishedAtMs: instantMsAt(media, 'timestamp'),
    views: countAt(media, 'view_count'),
    likes: countAt(media, 'like_count'),
    comments: countAt(media, 'comments_count'),
    odd: oddCountsIn(media, mediaCounters),
  }
}

function emptyMedia(videoId: string, owner: AccountReading, seen: Seen): PostReading {
  return {
    ...unknownPost,
    platform: 'instagram',
    videoId,
    creatorId: owner.creatorId,
    ...seen,
  }
}

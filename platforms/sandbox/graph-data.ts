import { mix, textNumber, unit } from './chance.ts'
import { type Answer, type Ask, bearerOf, type Endpoint, listOf, ok, Refusal } from './exchange.ts'
import { facebookCaller } from './facebook-login.ts'
import type { Grant } from './grants.ts'
import { profileValues, refused, render, type Values } from './graph-nodes.ts'
import { refusalFor } from './instagram-login.ts'
import { type GraphField, parseGraphFields } from './masks.ts'
import { refusalOf } from './refusals.ts'
import { appOf, type SandboxState } from './state.ts'
import { videoUrl } from './videos.ts'
import type { Creator, Post } from './world.ts'

type Host = 'graph.instagram.com' | 'graph.facebook.com'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** Usage is told from this call on. */
const silentCalls = 5
/** Media that were posted in an account's first month, before it became professional, have no insights. */
const personalMs = 30 * dayMs

/** Instagram's data at the two hosts: each with the tokens of its own login. */
export function graphDataEndpoints(state: SandboxState): Endpoint[] {
  const hosts: readonly Host[] = ['graph.instagram.com', 'graph.facebook.com']
  return hosts.flatMap(host => {
    const name = host === 'graph.instagram.com' ? 'instagram' : 'facebook'
    const one = (what: string, path: string, handle: (call: Call) => Answer): Endpoint => ({
      name: `${name}.${what}`,
      shape: 'graph',
      host,
      method: 'get',
      path: `/:version${path}`,
      admit: ask => admit(state, ask, host),
      handle: ask => metered(state, ask, host, handle),
    })
    return [
      one('hashtagSearch', '/ig_hashtag_search', hashtagSearch),
      one('media', '/:node/media', call => ok(mediaEdge(call, ownAccount(call), argsOf(call.ask)))),
      one('stories', '/:node/stories', call => ok({ data: ownAccount(call) && [] })),
      one('insights', '/:node/insights', insights),
      one('comments', '/:node/comments', comments),
      one('topMedia', '/:node/top_media', call => hashtagMedia(call, 'top')),
      one('recentMedia', '/:node/recent_media', call => hashtagMedia(call, 'recent')),
      one('ids', '{/}', manyNodes),
      one('node', '/:node', oneNode),
    ]
  })
}

interface Call {
  readonly state: SandboxState
  readonly ask: Ask
  readonly host: Host
  readonly grant: Grant
  /** Professional accounts that the token leads to. */
  readonly creators: readonly Creator[]
}

/** Finds out who asks, and counts. @throws Refusal also when the account's own limit is used */
function admit(state: SandboxState, ask: Ask, host: Host): void {
  if (!/^v\d{1,3}\.\d$/.test(ask.params.version ?? '')) throw refused('2500', 'Unknown path components.')
  const call = callOf(state, ask, host)
  const { calls } = state.quotas.slide(usageKey(call), dayMs, ask.nowMs)
  if (calls <= state.limits.instagramPerDay) return
  throw new Refusal({ ...refusalOf('graph', '80002'), headers: usageHeaders(call) })
}

function metered(state: SandboxState, ask: Ask, host: Host, handle: (call: Call) => Answer): Answer {
  const call = callOf(state, ask, host)
  const answer = answered(() => handle(call))
  return { ...answer, headers: { ...answer.headers, ...usageHeaders(call) } }
}

function usageKey(call: Call): string {
  return `${call.grant.clientId} instagram:${accountOf(call)}`
}

/** How much is used, in percent; nothing is said to those who ask little. */
function usageHeaders(call: Call): Record<string, string> {
  const { state, ask, host } = call
  const { calls, freeInMs } = state.quotas.inWindow(usageKey(call), dayMs, ask.nowMs)
  if (calls < silentCalls) return {}
  const percent = Math.floor((100 * calls) / state.limits.instagramPerDay)
  const use = { call_count: percent, total_cputime: Math.floor(percent / 2), total_time: Math.floor(percent / 2) }
  const regained = calls > state.limits.instagramPerDay ? Math.ceil(freeInMs / 60_000) : 0
  const business = { [accountOf(call)]: [{ type: 'instagram', ...use, estimated_time_to_regain_access: regained }] }
  return {
    'x-business-use-case-usage': JSON.stringify(business),
    ...(host === 'graph.facebook.com' ? { 'x-app-usage': JSON.stringify(use) } : {}),
  }
}

function answered(handle: () => Answer): Answer {
  try {
    return handle()
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

function callOf(state: SandboxState, ask: Ask, host: Host): Call {
  if (host === 'graph.facebook.com') {
    const { grant, user } = facebookCaller(state, ask)
    return { state, ask, host, grant, creators: user.pages.flatMap(page => page.creator ?? []) }
  }
  const token = state.grants.token(bearerOf(ask))
  if (bearerOf(ask) === null) throw refused('2500')
  const refusal = refusalFor(token, ask.nowMs)
  const creator = token?.grant ? state.world.creatorById('instagram', token.grant.accountId) : null
  if (token?.grant == null || refusal !== null || creator === null)
    throw new Refusal(refusal ?? refusalOf('graph', '190'))
  if (state.world.isGone(creator, ask.nowMs)) throw refused('190/459')
  return { state, ask, host, grant: token.grant, creators: [creator] }
}

/** Which account a call counts for. */
function accountOf({ state, ask, creators, grant }: Call): string {
  const node = ask.params.node ?? ''
  const own = creators.find(one => one.id === node || one.otherId === node)
  const post = own ? null : state.world.postById('instagram', node, ask.nowMs)
  return own?.id ?? post?.creator.id ?? creators[0]?.id ?? grant.accountId
}

/** The account that the path names, which must be one's own. @throws Refusal */
function ownAccount({ state, ask, host, creators, grant }: Call): Creator {
  requireScope(grant, host, 'basic')
  const { node } = ask.params
  const isMe = node === 'me' && host === 'graph.instagram.com'
  const creator = creators.find(
    one => isMe || one.id === node || (host === 'graph.instagram.com' && one.otherId === node),
  )
  if (creator === undefined || state.world.isGone(creator, ask.nowMs)) throw refused('100/33')
  return creator
}

function ownPost({ state, ask, creators }: Call, id: string): Post {
  const post = state.world.postById('instagram', id, ask.nowMs)
  if (post === null || !creators.includes(post.creator)) throw refused('100/33')
  return post
}

/** Each login has its own names for the same three scopes. @throws Refusal */
function requireScope(grant: Grant, host: Host, what: 'basic' | 'manage_insights' | 'manage_comments'): void {
  const scope = host === 'graph.instagram.com' ? `instagram_business_${what}` : `instagram_${what}`
  if (!grant.scopes.includes(scope))
    throw refused('10', `(#10) Application does not have permission for this action: ${scope}`)
}

function fieldsOf({ ask }: Call, usual: string): GraphField[] {
  const fields = parseGraphFields(ask.query.get('fields') ?? usual)
  if (fields === null) throw refused('2500', 'Syntax error in the fields parameter.')
  return fields
}

function argsOf(ask: Ask): ReadonlyMap<string, string> {
  return new Map(ask.query.entries())
}

function oneNode(call: Call): Answer {
  return ok(node(call, call.ask.params.node ?? ''))
}

/** `GET /?ids=a,b`: one bad id fails all. */
function manyNodes(call: Call): Answer {
  const ids = listOf(call.ask.query, 'ids')
  if (ids.length === 0) throw refused('100')
  if (ids.length > 50) throw refused('100', '(#100) Too many IDs. Maximum: 50.')
  return ok(Object.fromEntries(ids.map(id => [id, node(call, id)])))
}

function node(call: Call, id: string): Record<string, unknown> {
  const { state, ask, host, creators } = call
  if (id === 'me' && host === 'graph.facebook.com') {
    const { user } = facebookCaller(state, ask)
    return render(fieldsOf(call, 'id,name'), { id: () => user.id, name: () => user.name })
  }
  if (id === 'me' || creators.some(one => one.id === id || one.otherId === id))
    return accountNode(call, ownAccount({ ...call, ask: { ...ask, params: { ...ask.params, node: id } } }))
  requireScope(call.grant, host, 'basic')
  return render(fieldsOf(call, 'id'), mediaValues(call, ownPost(call, id)))
}

function accountNode(call: Call, creator: Creator): Record<string, unknown> {
  const { state, ask, host } = call
  const isInstagram = host === 'graph.instagram.com'
  const counters = state.world.creatorCounters(creator, ask.nowMs)
  const values: Values = {
    ...profileValues(state, creator, ask.nowMs),
    id: () => (isInstagram ? creator.otherId : creator.id),
    follows_count: () => 100 + creator.index,
    followers_count: () => counters.followers,
    website: () => 'https://example.com/',
    media: field => mediaEdge(call, creator, field.args, field.under),
    ...(isInstagram
      ? { user_id: () => creator.id, account_type: () => (creator.index % 2 === 0 ? 'MEDIA_CREATOR' : 'BUSINESS') }
      : { business_discovery: field => discovery(call, field) }),
  }
  return render(fieldsOf(call, 'id'), values)
}

function mediaEdge(
  call: Call,
  creator: Creator,
  args: ReadonlyMap<string, string>,
  under: readonly GraphField[] | null = null,
  valuesOf: (call: Call, post: Post) => Values = mediaValues,
) {
  const { state, ask } = call
  const fields = under !== null && under.length > 0 ? under : fieldsOf(call, 'id')
  const limit = Number(args.get('limit') ?? 25)
  if (!(Number.isInteger(limit) && limit >= 1 && limit <= 100))
    throw refused('100', '(#100) Param limit must be from 1 to 100.')
  const after = args.get('after') ?? null
  const from = after === null ? null : cursorIn(after)
  const posts: Post[] = []
  let hasMore = false
  for (const post of state.world.posts(creator, ask.nowMs, from)) {
    hasMore = posts.length === limit
    if (hasMore) break
    posts.push(post)
  }
  const data = posts.map(post => render(fields, valuesOf(call, post)))
  const [first, last] = [posts[0], posts.at(-1)]
  if (first === undefined || last === undefined) return { data }
  const cursors = { before: cursorOf(first.index), after: cursorOf(last.index) }
  return { data, paging: { cursors, ...(hasMore ? { next: nextPage(ask, creator, limit, cursors.after) } : {}) } }
}

function cursorOf(index: number): string {
  return Buffer.from(`QVFI${index}`).toString('base64url')
}

function cursorIn(text: string): number {
  const found = /^QVFI(\d+)$/.exec(Buffer.from(text, 'base64url').toString('latin1'))
  if (found === null) throw refused('100', '(#100) Invalid cursor')
  return Number(found[1])
}

/** As the platform does, with the token in it. */
function nextPage(ask: Ask, creator: Creator, limit: number, after: string): string {
  const next = new URL(`${ask.baseUrl}/${ask.params.version}/${creator.id}/media`)
  const fields = ask.query.get('fields')
  if (fields !== null) next.searchParams.set('fields', fields)
  next.searchParams.set('limit', String(limit))
  next.searchParams.set('after', after)
  next.searchParams.set('access_token', bearerOf(ask) ?? '')
  return next.href
}

function mediaValues(call: Call, post: Post): Values {
  const { state, ask, host } = call
  const counters = state.world.counters(post, ask.nowMs)
  const common: Values = {
    ...publicMediaValues(call, post),
    media_product_type: () => productOf(post),
    // Flagged media have none.
    media_url: () =>
      mix(post.index, 3) % 10 === 0
        ? undefined
        : videoUrl(state, ask, `${post.id}.${post.kind === 'photo' ? 'jpg' : 'mp4'}`),
    shortcode: () => post.shortcode,
    is_shared_to_feed: () => (post.kind === 'clip' ? true : undefined),
    is_comment_enabled: () => post.hasComments,
    owner: () => ({ id: post.creator.id }),
    insights: field => ({
      data: mediaInsights({ ...call }, post, (field.args.get('metric') ?? '').split(',')).map(one =>
        field.under.length === 0 ? one : pickNames(one, field.under),
      ),
    }),
  }
  if (host === 'graph.instagram.com') return common
  return {
    ...common,
    shares_count: () => counters.shares,
    saved_count: () => counters.saves,
    reposts_count: () => Math.floor(counters.shares / 3),
    total_like_count: () => counters.likes,
    total_comments_count: () => counters.comments,
    total_views_count: () => counters.views,
    collaborators: () => undefined,
  }
}

function pickNames(values: Record<string, unknown>, under: readonly GraphField[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => under.some(field => field.name === name)))
}

function publicMediaValues({ state, ask }: Call, post: Post): Values {
  const counters = state.world.counters(post, ask.nowMs)
  const isReel = post.kind === 'clip'
  return {
    id: () => post.id,
    caption: () => (post.index % 13 === 7 ? undefined : [post.title, ...post.tags.map(tag => `#${tag}`)].join(' ')),
    media_type: () => (isReel ? 'VIDEO' : post.index % 2 === 0 ? 'CAROUSEL_ALBUM' : 'IMAGE'),
    media_product_type: () => productOf(post),
    permalink: () => `https://www.instagram.com/${isReel ? 'reel' : 'p'}/${post.shortcode}/`,
    thumbnail_url: () => (isReel ? `https://scontent.cdninstagram.com/sandbox/${post.id}.jpg` : undefined),
    timestamp: () => timeText(post.publishedAtMs),
    username: () => post.creator.handle,
    like_count: () => (post.hasLikes ? counters.likes : undefined),
    comments_count: () => counters.comments,
  }
}

function productOf(post: Post): 'REELS' | 'FEED' {
  return post.kind === 'clip' ? 'REELS' : 'FEED'
}

function timeText(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, 19)}+0000`
}

/** Somebody else's professional account, through one's own. */
function discovery(call: Call, field: GraphField): Record<string, unknown> {
  const { state, ask } = call
  spendOfApp(call)
  const target = state.world.creatorByHandle('instagram', field.args.get('username') ?? '')
  // Personal and private accounts cannot be seen.
  if (target === null || target.index % 7 === 6 || state.world.isGone(target, ask.nowMs))
    throw refused('110', `(#110) Invalid user id: Cannot find User with username ${field.args.get('username')}.`)
  const ofOthers = (_: Call, post: Post): Values => ({
    ...publicMediaValues(call, post),
    view_count: () => (post.kind === 'clip' ? state.world.counters(post, ask.nowMs).views : undefined),
  })
  return render(field.under, {
    ...profileValues(state, target, ask.nowMs),
    media: edge => mediaEdge(call, target, edge.args, edge.under, ofOthers),
  })
}

/** What is not of one's own account counts for the whole app. @throws Refusal */
function spendOfApp({ state, grant, ask }: Call): void {
  const { calls } = state.quotas.slide(`${grant.clientId} meta:app`, hourMs, ask.nowMs)
  if (calls > state.limits.metaPerHour) throw refused('4')
}

function insights(call: Call): Answer {
  const { state, ask, host, grant, creators } = call
  requireScope(grant, host, 'manage_insights')
  const metrics = listOf(ask.query, 'metric')
  if (metrics.length === 0) throw refused('100', '(#100) The parameter metric is required')
  const id = ask.params.node ?? ''
  const isAccount = id === 'me' || creators.some(one => one.id === id || one.otherId === id)
  if (isAccount) return ok({ data: accountInsights(call, ownAccount(call), metrics) })
  const post = ownPost(call, id)
  return ok({ data: state.quirks.instagramEmptyInsights ? [] : mediaInsights(call, post, metrics) })
}

const everywhere = ['views', 'reach', 'shares', 'total_interactions', 'reposts', 'likes', 'comments', 'saved'] as const
const metricsOf: Readonly<Record<'REELS' | 'FEED', readonly string[]>> = {
  REELS: [
    ...everywhere,
    'ig_reels_avg_watch_time',
    'ig_reels_video_view_total_time',
    'reels_skip_rate',
    'crossposted_views',
    'facebook_views',
  ],
  FEED: [...everywhere, 'follows', 'profile_visits', 'profile_activity', 'facebook_views'],
}
const onlyWithFacebook = ['total_views', 'total_likes', 'total_comments'] as const

/** One metric that does not fit fails all. */
function mediaInsights({ state, ask, host }: Call, post: Post, metrics: readonly string[]): Record<string, unknown>[] {
  const known: readonly string[] = [
    ...metricsOf[productOf(post)],
    ...(host === 'graph.facebook.com' ? onlyWithFacebook : []),
  ]
  const wrong = metrics.findIndex(metric => !known.includes(metric))
  if (wrong >= 0)
    throw refused('100', `(#100) metric[${wrong}] must be one of the following values: ${known.join(', ')}`)
  if (metrics.some(metric => metric === 'crossposted_views' || metric === 'facebook_views'))
    throw refused('100/2207086')
  const { views, likes, comments, shares, saves } = state.world.counters(post, ask.nowMs)
  if (post.publishedAtMs < state.world.originAtMs + personalMs) throw refused('100/2108006')
  if (views < 5) throw refused('10/viewers')
  const reach = Math.floor(views * 0.7)
  const watchedMs = Math.floor(post.durationSeconds * 1000 * (0.3 + 0.5 * unit(post.index, 9)))
  const values: Readonly<Record<string, number>> = {
    views,
    reach,
    shares,
    total_interactions: likes + comments + shares + saves,
    reposts: Math.floor(shares / 3),
    likes,
    comments,
    saved: saves,
    ig_reels_avg_watch_time: watchedMs,
    ig_reels_video_view_total_time: watchedMs * views,
    reels_skip_rate: Math.floor(100 * unit(post.index, 10)),
    follows: Math.floor(views * 0.002),
    profile_visits: Math.floor(views * 0.01),
    profile_activity: Math.floor(views * 0.001),
    total_views: Math.floor(views * 1.1),
    total_likes: likes,
    total_comments: comments,
  }
  return metrics.map(name => ({
    name,
    period: 'lifetime',
    values: [{ value: values[name] ?? 0 }],
    title: name,
    description: `${name} of the media`,
    id: `${post.id}/insights/${name}/lifetime`,
  }))
}

const totals = [
  ...['views', 'reach', 'accounts_engaged', 'total_interactions', 'likes', 'comments', 'shares', 'saves', 'replies'],
  ...['reposts', 'follows_and_unfollows', 'profile_links_taps', 'profile_views', 'website_clicks'],
] as const
const series = ['reach', 'follower_count'] as const
const demographics = ['follower_demographics', 'engaged_audience_demographics'] as const

function accountInsights(call: Call, creator: Creator, metrics: readonly string[]): Record<string, unknown>[] {
  const { ask } = call
  const known: readonly string[] = [...totals, ...series, ...demographics, 'online_followers']
  const wrong = metrics.findIndex(metric => !known.includes(metric))
  if (wrong >= 0)
    throw refused('100', `(#100) metric[${wrong}] must be one of the following values: ${known.join(', ')}`)
  const followers = call.state.world.creatorCounters(creator, ask.nowMs).followers
  const [sinceMs, untilMs] = spanOf(ask)
  const isTotal = ask.query.get('metric_type') === 'total_value'
  return metrics.flatMap((name): Record<string, unknown>[] => {
    const head = { name, period: ask.query.get('period') ?? 'day', title: name, description: `${name} of the account` }
    const id = `${creator.id}/insights/${name}/${head.period}`
    const isOfPeople = demographics.some(one => one === name)
    if (isOfPeople || name === 'online_followers' || name === 'follower_count') {
      if (followers < 100) return []
    }
    if (isOfPeople) return [{ ...head, ...demographicsOf(call, followers), id }]
    if (name === 'online_followers')
      return [{ ...head, period: 'lifetime', values: onlineFollowers(sinceMs, untilMs, followers), id }]
    if (isTotal) return [{ ...head, ...totalOf(call, creator, name, sinceMs, untilMs), id }]
    if (!series.some(one => one === name))
      throw refused('100', `(#100) The metric ${name} should be specified with parameter metric_type=total_value`)
    return [{ ...head, values: daily(call, creator, name, sinceMs, untilMs), id }]
  })
}

/** Since and until in ms, at most 30 days apart; yesterday unless told. */
function spanOf({ query, nowMs }: Ask): [number, number] {
  const untilMs = Number(query.get('until') ?? Math.floor(nowMs / 1000)) * 1000
  const sinceMs = Number(query.get('since') ?? Math.floor((untilMs - dayMs) / 1000)) * 1000
  if (!(untilMs >= sinceMs) || untilMs - sinceMs > 30 * dayMs)
    throw refused('100', '(#100) There cannot be more than 30 days between since and until')
  return [sinceMs, Math.min(untilMs, nowMs)]
}

function totalOf({ state, ask }: Call, creator: Creator, name: string, sinceMs: number, untilMs: number) {
  const sum = state.world.viewsBetween(creator, sinceMs, untilMs)
  const values: Readonly<Record<string, number>> = {
    views: sum.views,
    reach: Math.floor(sum.views * 0.7),
    accounts_engaged: Math.floor(sum.views * 0.05),
    total_interactions: sum.likes + sum.comments + sum.shares + sum.saves,
    likes: sum.likes,
    comments: sum.comments,
    shares: sum.shares,
    saves: sum.saves,
    reposts: Math.floor(sum.shares / 3),
    profile_views: Math.floor(sum.views * 0.01),
  }
  const breakdown = ask.query.get('breakdown')
  if (name === 'follows_and_unfollows') {
    // Without its breakdown it is an empty shell.
    if (breakdown !== 'follow_type') return {}
    const follows = Math.floor(sum.views * 0.004)
    const results = [
      { dimension_values: ['FOLLOWER'], value: follows },
      { dimension_values: ['NON_FOLLOWER'], value: Math.floor(follows / 4) },
    ]
    return { total_value: { breakdowns: [{ dimension_keys: ['follow_type'], results }] } }
  }
  const value = values[name] ?? 0
  if (breakdown !== 'media_product_type') return { total_value: { value } }
  const results = [
    { dimension_values: ['REELS'], value: Math.floor(value * 0.8) },
    { dimension_values: ['POST'], value: value - Math.floor(value * 0.8) },
  ]
  return { total_value: { value, breakdowns: [{ dimension_keys: ['media_product_type'], results }] } }
}

function daily({ state }: Call, creator: Creator, name: string, sinceMs: number, untilMs: number) {
  const values: { value: number; end_time: string }[] = []
  for (let fromMs = sinceMs; fromMs + dayMs <= untilMs; fromMs += dayMs) {
    const { views } = state.world.viewsBetween(creator, fromMs, fromMs + dayMs)
    values.push({ value: Math.floor(views * (name === 'reach' ? 0.7 : 0.004)), end_time: timeText(fromMs + dayMs) })
  }
  return values
}

function demographicsOf({ ask }: Call, followers: number) {
  const breakdown = ask.query.get('breakdown') ?? 'country'
  const values: Readonly<Record<string, readonly string[]>> = {
    age: ['13-17', '18-24', '25-34', '35-44', '45-54'],
    gender: ['F', 'M', 'U'],
    country: ['US', 'DE', 'JP', 'BR'],
    city: ['Berlin', 'Tokyo', 'São Paulo'],
  }
  const names = values[breakdown]
  if (names === undefined) throw refused('100', '(#100) Invalid breakdown')
  const results = names.map((name, at) => ({ dimension_values: [name], value: Math.floor(followers / (at + 2)) }))
  return { total_value: { breakdowns: [{ dimension_keys: [breakdown], results }] } }
}

function onlineFollowers(sinceMs: number, untilMs: number, followers: number) {
  const values: { value: Record<string, number>; end_time: string }[] = []
  for (let fromMs = sinceMs; fromMs + dayMs <= untilMs; fromMs += dayMs) {
    const hours = Array.from({ length: 24 }, (_, hour) => [
      String(hour),
      Math.floor(followers * (0.1 + 0.1 * Math.sin(((hour - 9) / 24) * 2 * Math.PI))),
    ])
    values.push({ value: Object.fromEntries(hours), end_time: timeText(fromMs + dayMs) })
  }
  return values
}

function comments(call: Call): Answer {
  const { state, ask, host, grant } = call
  requireScope(grant, host, 'manage_comments')
  const post = ownPost(call, ask.params.node ?? '')
  const count = post.hasComments ? Math.min(20, state.world.counters(post, ask.nowMs).comments) : 0
  const fields = fieldsOf(call, 'id,text,timestamp')
  return ok({
    data: Array.from({ length: count }, (_, at) => {
      const values: Values = {
        id: () => `180${String(mix(post.index, at)).padStart(10, '0')}${1000 + at}`,
        text: () => `Comment ${at + 1}`,
        timestamp: () => timeText(post.publishedAtMs + (at + 1) * 600_000),
        username: () => `viewer${at}`,
        like_count: () => at % 5,
        replies: () => undefined,
      }
      return render(fields, values)
    }),
  })
}

const hashtagHead = '1784'

/** Ids of hashtags carry their number alone: which text it is, the search has to have told. */
const hashtagId = (text: string) => `${hashtagHead}${String(textNumber(text)).padStart(10, '0')}000`

function hashtagSearch(call: Call): Answer {
  const { state, ask, grant } = call
  requireHashtags(call)
  const text = (ask.query.get('q') ?? '').toLowerCase().replace(/^#/, '')
  if (text === '') throw refused('100', '(#100) The parameter q is required')
  const week = `${grant.clientId} hashtags:${ask.query.get('user_id')}`
  const isNew = state.quotas.slide(`${week}:${text}`, 7 * dayMs, ask.nowMs).calls === 1
  const { calls } = isNew ? state.quotas.slide(week, 7 * dayMs, ask.nowMs) : { calls: 0 }
  if (calls > state.limits.hashtagsPerWeek) throw refused('18')
  if (taggedMedia(call, hashtagId(text)).length === 0) throw refused('24')
  return ok({ data: [{ id: hashtagId(text) }] })
}

/** @throws Refusal unless the login and the app have the feature, and `user_id` is one's own */
function requireHashtags(call: Call): void {
  const { state, ask, host, grant, creators } = call
  if (host !== 'graph.facebook.com') throw refused('100/33')
  if (appOf(state, 'facebook', grant.clientId)?.hasPublicContent !== true) throw refused('10')
  if (!creators.some(one => one.id === ask.query.get('user_id'))) throw refused('100', '(#100) Invalid user_id')
  spendOfApp(call)
}

function taggedMedia({ state, ask }: Call, id: string): Post[] {
  const found: Post[] = []
  for (let index = 0; index < Math.min(100, state.world.creatorCount); index += 1) {
    const creator = state.world.creatorAt('instagram', index)
    if (creator === null) break
    for (const post of state.world.posts(creator, ask.nowMs)) {
      if (post.publishedAtMs < ask.nowMs - 14 * dayMs) break
      if (post.tags.some(tag => hashtagId(tag) === id)) found.push(post)
    }
  }
  return found
}

function hashtagMedia(call: Call, which: 'top' | 'recent'): Answer {
  const { state, ask } = call
  requireHashtags(call)
  const limit = Math.min(50, Number(ask.query.get('limit') ?? 25))
  const known = ['id', 'caption', 'media_type', 'comments_count', 'like_count', 'permalink', 'timestamp']
  const fields = fieldsOf(call, 'id')
  const posts = taggedMedia(call, ask.params.node ?? '')
    .filter(post => which === 'top' || post.publishedAtMs > ask.nowMs - dayMs)
    .sort((a, b) => state.world.counters(b, ask.nowMs).views - state.world.counters(a, ask.nowMs).views)
  return ok({
    data: posts.slice(0, limit).map(post => {
      const values = publicMediaValues(call, post)
      return render(fields, Object.fromEntries(Object.entries(values).filter(([name]) => known.includes(name))))
    }),
  })
}

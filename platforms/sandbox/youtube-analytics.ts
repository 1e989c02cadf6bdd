import { type Answer, type Ask, type Endpoint, listOf, ok, Refusal } from './exchange.ts'
import { googleCaller, googleScopes, requireScope } from './google.ts'
import type { Counters } from './growth.ts'
import { pacificDay } from './quotas.ts'
import { refusalOf } from './refusals.ts'
import type { SandboxState } from './state.ts'
import type { Creator, Post } from './world.ts'
import { viewersAt } from './youtube-data.ts'

/** The YouTube Analytics API: reports on one's own channel, by days of California, two days late. */
export function youtubeAnalyticsEndpoints(state: SandboxState): Endpoint[] {
  return [
    {
      name: 'youtubeAnalytics.reports.query',
      shape: 'google',
      host: 'youtubeanalytics.googleapis.com',
      method: 'get',
      path: '/v2/reports',
      handle: ask => report(state, ask),
    },
  ]
}

const hourMs = 3_600_000
const lagMs = 48 * hourMs
const daysMax = 400
const postsMs = 90 * 24 * hourMs

/** What may stand together in one report. */
const families: readonly { metrics: readonly string[]; dimensions: readonly string[] }[] = [
  {
    metrics: [
      ...['views', 'engagedViews', 'estimatedMinutesWatched', 'averageViewDuration', 'averageViewPercentage', 'likes'],
      ...[
        'dislikes',
        'comments',
        'shares',
        'subscribersGained',
        'subscribersLost',
        'videosAddedToPlaylists',
        'redViews',
      ],
    ],
    dimensions: ['day', 'month', 'video', 'country', 'creatorContentType', 'deviceType', 'subscribedStatus'],
  },
  { metrics: ['estimatedRevenue', 'cpm', 'playbackBasedCpm'], dimensions: ['day', 'month', 'video', 'country'] },
  { metrics: ['audienceWatchRatio', 'relativeRetentionPerformance'], dimensions: ['elapsedVideoTimeRatio'] },
  { metrics: ['averageConcurrentViewers', 'peakConcurrentViewers'], dimensions: ['livestreamPosition'] },
  { metrics: ['viewerPercentage'], dimensions: ['ageGroup', 'gender'] },
]

/** Dimensions that split every number in the same parts. */
const parts: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  country: { US: 0.5, DE: 0.2, JP: 0.2, BR: 0.1 },
  deviceType: { MOBILE: 0.7, DESKTOP: 0.2, TV: 0.1 },
  subscribedStatus: { SUBSCRIBED: 0.3, UNSUBSCRIBED: 0.7 },
  ageGroup: { 'age18-24': 0.4, 'age25-34': 0.35, 'age35-44': 0.25 },
  gender: { female: 0.5, male: 0.48, user_specified: 0.02 },
}
const decimals = new Set([
  'averageViewPercentage',
  'audienceWatchRatio',
  'relativeRetentionPerformance',
  'viewerPercentage',
])

interface Question {
  readonly creator: Creator
  readonly metrics: readonly string[]
  readonly dimensions: readonly string[]
  readonly days: readonly string[]
  readonly videoIds: readonly string[] | null
  readonly country: string | null
}

function bad(message = 'The query is not supported.'): Refusal {
  return new Refusal(refusalOf('google', 'badRequest', message))
}

function report(state: SandboxState, ask: Ask): Answer {
  const question = questionOf(state, ask)
  const { metrics, dimensions } = question
  const columnHeaders = [
    ...dimensions.map(name => ({ name, columnType: 'DIMENSION', dataType: 'STRING' })),
    ...metrics.map(name => ({ name, columnType: 'METRIC', dataType: decimals.has(name) ? 'FLOAT' : 'INTEGER' })),
  ]
  const rows = sorted(rowsOf(state, ask, question), columnHeaders, ask.query.get('sort'))
  const from = Number(ask.query.get('startIndex') ?? 1) - 1
  const max = Number(ask.query.get('maxResults') ?? 10_000)
  if (!(from >= 0 && max >= 0) || (dimensions.includes('video') && max > 200)) throw bad()
  const page = rows.slice(from, from + max)
  // Nothing is no list of nothing.
  return ok({ kind: 'youtubeAnalytics#resultTable', columnHeaders, ...(page.length > 0 ? { rows: page } : {}) })
}

/** @throws Refusal */
function questionOf(state: SandboxState, ask: Ask): Question {
  const { query, nowMs } = ask
  const caller = googleCaller(state, ask, 'analytics')
  const metrics = listOf(query, 'metrics')
  const dimensions = listOf(query, 'dimensions')
  const isAboutMoney = metrics.some(metric => /Revenue|cpm/i.test(metric))
  const grant = isAboutMoney
    ? requireScope(caller, googleScopes[3])
    : requireScope(caller, googleScopes[2], googleScopes[3])
  const creator = state.world.creatorById('youtube', grant.accountId)
  if (creator === null)
    throw new Refusal(refusalOf('google', 'forbidden', 'Insufficient permission to access this report.'))
  const ids = query.get('ids')
  if (ids !== 'channel==MINE' && ids !== `channel==${creator.id}`)
    throw new Refusal(refusalOf('google', 'forbidden', 'Insufficient permission to access this report.'))
  const family = families.find(one => metrics.every(metric => one.metrics.includes(metric)))
  if (metrics.length === 0 || family === undefined || !dimensions.every(name => family.dimensions.includes(name)))
    throw bad()
  const [start, end] = [query.get('startDate') ?? '', query.get('endDate') ?? '']
  if (![start, end].every(date => /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(Date.parse(date))) || start > end)
    throw bad('Invalid date.')
  const filters = new Map(
    (query.get('filters') ?? '')
      .split(';')
      .filter(text => text !== '')
      .map(text => {
        const [name = '', value = ''] = text.split('==')
        if (!['video', 'country'].includes(name) || value === '') throw bad()
        return [name, value]
      }),
  )
  const videoIds = filters.get('video')?.split(',') ?? null
  const needsOne = dimensions.some(name => name === 'elapsedVideoTimeRatio' || name === 'livestreamPosition')
  if (needsOne && videoIds?.length !== 1) throw bad()
  return {
    creator,
    metrics,
    dimensions,
    days: daysOf(start, end, nowMs),
    videoIds,
    country: filters.get('country') ?? null,
  }
}

/** The days of a span whose numbers are there. */
function daysOf(start: string, end: string, nowMs: number): string[] {
  const days: string[] = []
  for (let atMs = Date.parse(start); atMs <= Date.parse(end) && days.length < daysMax; atMs += 24 * hourMs) {
    const day = new Date(atMs).toISOString().slice(0, 10)
    if (midnightOf(nextDay(day)) + lagMs <= nowMs) days.push(day)
  }
  return days
}

function nextDay(day: string): string {
  return new Date(Date.parse(day) + 24 * hourMs).toISOString().slice(0, 10)
}

/** When a day begins in California. */
function midnightOf(day: string): number {
  const summerMs = Date.parse(day) + 7 * hourMs
  return pacificDay(summerMs) === day ? summerMs : summerMs + hourMs
}

type Row = (string | number)[]

function rowsOf(state: SandboxState, ask: Ask, question: Question): Row[] {
  const [first] = question.dimensions
  if (first === 'elapsedVideoTimeRatio') return retention(state, ask, question)
  if (first === 'livestreamPosition') return viewerCurve(state, ask, question)
  const share = question.country === null ? 1 : (parts.country?.[question.country] ?? 0)
  const rows: Row[] = []
  for (const { label, days } of spansOf(question)) {
    const [from, to] = [days[0], days.at(-1)]
    if (from === undefined || to === undefined) continue
    for (const [group, sum] of sumsOf(state, question, midnightOf(from), midnightOf(nextDay(to))))
      rows.push(...split(question, share, { label, group, sum }))
  }
  return rows.filter(row => row.some((value, at) => at >= question.dimensions.length && value !== 0))
}

/** The days as the dimensions want them: one by one, by months, or all together. */
function spansOf({ dimensions, days }: Question): { label: string; days: readonly string[] }[] {
  if (dimensions.includes('day')) return days.map(day => ({ label: day, days: [day] }))
  if (!dimensions.includes('month')) return [{ label: '', days }]
  return [...Map.groupBy(days, day => day.slice(0, 7))].map(([label, own]) => ({ label, days: own }))
}

type Sum = Counters & { readonly seconds: number }

/** What posts gained between two instants, by video or kind where that is a dimension. */
function sumsOf(state: SandboxState, question: Question, fromMs: number, toMs: number): Map<string, Sum> {
  const { creator, dimensions, videoIds } = question
  const sums = new Map<string, Sum>()
  for (const post of state.world.posts(creator, toMs)) {
    if (post.publishedAtMs < toMs - postsMs) break
    if (videoIds !== null && !videoIds.includes(post.id)) continue
    const group = dimensions.includes('video') ? post.id : dimensions.includes('creatorContentType') ? kindOf(post) : ''
    const before = state.world.counters(post, fromMs)
    const after = state.world.counters(post, toMs)
    const sum = sums.get(group) ?? { views: 0, likes: 0, comments: 0, shares: 0, saves: 0, seconds: 0 }
    const views = Math.max(0, after.views - before.views)
    sums.set(group, {
      views: sum.views + views,
      likes: sum.likes + Math.max(0, after.likes - before.likes),
      comments: sum.comments + Math.max(0, after.comments - before.comments),
      shares: sum.shares + Math.max(0, after.shares - before.shares),
      saves: sum.saves + Math.max(0, after.saves - before.saves),
      seconds: sum.seconds + views * post.durationSeconds * 0.4,
    })
  }
  return sums
}

function kindOf(post: Post): string {
  if (post.kind === 'stream') return 'LIVE_STREAM'
  return post.durationSeconds <= 180 ? 'SHORTS' : 'VIDEO_ON_DEMAND'
}

/** One row, or one for each part of a dimension that splits. */
function split(question: Question, share: number, one: { label: string; group: string; sum: Sum }): Row[] {
  const splitting = question.dimensions.find(name => name in parts)
  const shares = splitting === undefined ? { '': 1 } : (parts[splitting] ?? {})
  return Object.entries(shares).map(([part, weight]) => {
    const value = (name: string) => {
      if (name === 'day' || name === 'month') return one.label
      return name === splitting ? part : one.group
    }
    return [
      ...question.dimensions.map(value),
      ...question.metrics.map(metric => metricOf(metric, one.sum, share * weight)),
    ]
  })
}

function metricOf(name: string, sum: Sum, share: number): number {
  const views = sum.views * share
  switch (name) {
    case 'views':
      return Math.floor(views)
    case 'engagedViews':
      return Math.floor(views * 0.8)
    case 'redViews':
      return Math.floor(views * 0.1)
    case 'estimatedMinutesWatched':
      return Math.floor((sum.seconds * share) / 60)
    case 'averageViewDuration':
      return sum.views === 0 ? 0 : Math.floor(sum.seconds / sum.views)
    case 'averageViewPercentage':
      return sum.views === 0 ? 0 : 40
    case 'likes':
      return Math.floor(sum.likes * share)
    case 'dislikes':
      return Math.floor(sum.likes * share * 0.02)
    case 'comments':
      return Math.floor(sum.comments * share)
    case 'shares':
      return Math.floor(sum.shares * share)
    case 'subscribersGained':
      return Math.floor(views * 0.004)
    case 'subscribersLost':
      return Math.floor(views * 0.0005)
    case 'videosAddedToPlaylists':
      return Math.floor(sum.saves * share)
    case 'estimatedRevenue':
      return Math.round(views * 0.2) / 100
    case 'viewerPercentage':
      return Math.round(share * 1000) / 10
    default:
      return sum.views === 0 ? 0 : 2
  }
}

/** How many are still there, in a hundred steps. */
function retention(state: SandboxState, ask: Ask, question: Question): Row[] {
  const post = ownPost(state, ask, question)
  if (post === null) return []
  return Array.from({ length: 100 }, (_, at) => {
    const ratio = (at + 1) / 100
    const watched = Math.round(1000 * (1.1 * Math.exp(-1.3 * ratio))) / 1000
    return [ratio, ...question.metrics.map(name => (name === 'audienceWatchRatio' ? watched : 0.5))]
  })
}

/** Who watched a stream, by the minute. */
function viewerCurve(state: SandboxState, ask: Ask, question: Question): Row[] {
  const post = ownPost(state, ask, question)
  if (post === null || post.endsAtMs === null || ask.nowMs < post.endsAtMs + lagMs) return []
  const minutes = Math.floor((post.endsAtMs - post.publishedAtMs) / 60_000)
  return Array.from({ length: minutes }, (_, minute) => {
    const viewers = viewersAt(state, post, post.publishedAtMs + minute * 60_000)
    return [
      String(minute),
      ...question.metrics.map(name => (name.startsWith('peak') ? Math.ceil(viewers * 1.1) : viewers)),
    ]
  })
}

function ownPost(state: SandboxState, ask: Ask, { creator, videoIds }: Question): Post | null {
  const post = state.world.postById('youtube', videoIds?.[0] ?? '', ask.nowMs)
  return post?.creator === creator ? post : null
}

function sorted(rows: Row[], columns: readonly { name: string }[], order: string | null): Row[] {
  if (order === null) return rows
  const isDown = order.startsWith('-')
  const at = columns.findIndex(column => column.name === order.replace(/^-/, ''))
  if (at < 0) throw bad()
  const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0)
  return rows.toSorted((a, b) => compare(a[at] ?? 0, b[at] ?? 0) * (isDown ? -1 : 1))
}

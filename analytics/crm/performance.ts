import { setImmediate } from 'node:timers/promises'
import { z } from 'zod'
import { type CrmPeriod, type Kpi, type KpiName, type KpiPoint, kpiNames } from '../../contracts/crm.ts'
import type { MissingReason } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { refKey } from '../measures/details.ts'
import { compose, type QueryParams, runQuery, sqlPart } from '../queries/run-query.ts'
import { type Gain, gainOf, lookBackMs, type Reading, valueAt } from '../scores.ts'
import {
  type OwnAccount,
  type OwnNumbers,
  ownQuerySettings,
  type PostCounter,
  postCounters,
  postParams,
} from './own-numbers.ts'

/** How long each period is, and one step of its series. */
const spans: Readonly<Record<CrmPeriod, { spanMs: number; stepMs: number; bucket: '1h' | '1d' }>> = {
  '24h': { spanMs: 86_400_000, stepMs: 3_600_000, bucket: '1h' },
  '7d': { spanMs: 7 * 86_400_000, stepMs: 86_400_000, bucket: '1d' },
  '30d': { spanMs: 30 * 86_400_000, stepMs: 86_400_000, bucket: '1d' },
  '90d': { spanMs: 90 * 86_400_000, stepMs: 86_400_000, bucket: '1d' },
}
/** Posts that are added up: the newest. */
const postsMax = 1000

/** The numbers of one account, or of several together. */
export type Kpis = Readonly<Record<KpiName, Kpi>>

/** Numbers over a period, of each account and of all together. */
export interface OwnPerformance {
  readonly fromMs: number
  readonly toMs: number
  readonly bucket: '1h' | '1d'
  readonly total: { readonly kpis: Kpis; readonly series: Readonly<Record<KpiName, KpiPoint[]>> }
  /** By account id. */
  readonly accounts: ReadonlyMap<string, Kpis>
}

/** The numbers of own accounts over the period that ends now, against the one before. */
export async function ownPerformance(
  ctx: AnalyticsContext,
  given: OwnNumbers,
  period: CrmPeriod,
): Promise<OwnPerformance> {
  const own = { ...given, posts: given.posts.slice(0, postsMax) }
  const { spanMs, stepMs, bucket } = spans[period]
  const toMs = ctx.world.clock.nowMs()
  const window = { fromMs: toMs - spanMs, toMs }
  const before = { fromMs: window.fromMs - spanMs, toMs: window.fromMs }
  const tracks = await readTracks(ctx, own, { ...window, beforeMs: before.fromMs, stepMs })
  const steps = Array.from({ length: spanMs / stepMs }, (_, index) => {
    const fromMs = window.fromMs + index * stepMs
    return { fromMs, toMs: fromMs + stepMs }
  })
  const whole = tracks.map(track => kpisIn(track, window))
  const earlier = tracks.map(track => kpisIn(track, before))
  const ever = await everRead(ctx, own, whole)
  return {
    ...window,
    bucket,
    total: {
      kpis: eachKpi(name =>
        together(
          name,
          whole.map(one => one[name]),
          earlier.map(one => one[name]),
          worst(tracks.map(track => reasonFor(track.account, ever, name))),
        ),
      ),
      series: await seriesOf(tracks, steps, whole, ever),
    },
    accounts: new Map(
      tracks.map((track, index) => [
        track.account.accountId,
        eachKpi(name => {
          const value = whole[index]?.[name] ?? nothing
          const past = earlier[index]?.[name] ?? nothing
          return together(name, [value], [past], reasonFor(track.account, ever, name))
        }),
      ]),
    ),
  }
}

interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** Readings of one account and of its posts, in order of time; enough of them for the windows that were asked for. */
interface Tracks {
  readonly account: OwnAccount
  readonly own: ReadonlyMap<string, readonly Reading[]>
  readonly posts: readonly {
    readonly publishedMs: number | null
    readonly counters: ReadonlyMap<string, readonly Reading[]>
  }[]
}

const ReadingsRow = z.object({
  platform: z.string(),
  id: z.string(),
  counter: z.string(),
  instants: z.array(z.number()),
  amounts: z.array(z.number()),
})
const options = { tag: 'crm:performance', settings: ownQuerySettings }

async function readTracks(
  ctx: AnalyticsContext,
  own: OwnNumbers,
  at: Span & { readonly beforeMs: number; readonly stepMs: number },
): Promise<Tracks[]> {
  if (own.accounts.length === 0) return []
  const reachMs = Math.max(0, at.beforeMs - lookBackMs(at.toMs - at.fromMs))
  const values = { ...ownParams(own), ...at, reachMs }
  const part = (name: string) =>
    compose(sqlPart('crm-performance', name), {
      in_time: sqlPart('crm-performance', 'in_time'),
      bucket: sqlPart('crm-performance', 'bucket'),
      readings: sqlPart('crm-performance', 'readings'),
    })
  const [posts, accounts] = await Promise.all([
    runQuery(ctx, part('posts'), values, ReadingsRow, options),
    runQuery(ctx, part('accounts'), values, ReadingsRow, options),
  ])
  const ofPosts = Map.groupBy(posts, refKey)
  const ofAccounts = Map.groupBy(accounts, refKey)
  const countersOf = (rows: typeof posts = []) => new Map(rows.map(row => [row.counter, readingsOf(row)] as const))
  return own.accounts.map(account => ({
    account,
    own: countersOf(ofAccounts.get(accountRef(account))),
    posts: own.posts
      .filter(post => post.accountId === account.accountId)
      .map(post => ({ publishedMs: post.publishedMs, counters: countersOf(ofPosts.get(refKey(post))) })),
  }))
}

function ownParams({ owner, accounts, posts }: OwnNumbers): QueryParams {
  return {
    owner,
    accountPlatforms: accounts.map(account => account.platform),
    accountIds: accounts.map(account => account.creatorId),
    ...postParams(posts),
  }
}

function accountRef(account: OwnAccount): string {
  return refKey({ platform: account.platform, id: account.creatorId })
}

function readingsOf({ instants, amounts }: z.infer<typeof ReadingsRow>): Reading[] {
  return instants.map((atMs, index) => ({ atMs, views: amounts[index] ?? 0 })).sort((a, b) => a.atMs - b.atMs)
}

/** The readings that a window looks at, and no others: most steps of a long period have a few of hundreds. */
function narrowed(tracks: Tracks, { fromMs, toMs }: Span): Tracks {
  const reachMs = fromMs - lookBackMs(toMs - fromMs)
  const within = (counters: Tracks['own']) =>
    new Map(
      [...counters].map(([name, readings]) => [
        name,
        readings.slice(countBefore(readings, reachMs), countBefore(readings, toMs + 1)),
      ]),
    )
  return {
    account: tracks.account,
    own: within(tracks.own),
    posts: tracks.posts.map(post => ({ publishedMs: post.publishedMs, counters: within(post.counters) })),
  }
}

/** How many readings lie before an instant. */
function countBefore(readings: readonly Reading[], atMs: number): number {
  let low = 0
  let high = readings.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((readings[middle]?.atMs ?? atMs) < atMs) low = middle + 1
    else high = middle
  }
  return low
}

/** A number over a window, before it is said in words. A ratio keeps its two sides, so that accounts can be added up. */
interface Measured {
  readonly value: number | null
  readonly isPartial: boolean
  readonly atMs: number | null
  readonly sides: { readonly engaged: number; readonly views: number } | null
  readonly over: readonly string[]
}

const nothing: Measured = { value: null, isPartial: false, atMs: null, sides: null, over: [] }

/** What one post gained, by counter; null where there is nothing to say. */
type PostGains = Readonly<Record<PostCounter, Gain | null>>

function kpisIn(tracks: Tracks, window: Span): Readonly<Record<KpiName, Measured>> {
  const posts = tracks.posts.map((post): PostGains => {
    const gain = (name: PostCounter) => gainOf(post.counters.get(name) ?? [], window, post.publishedMs)
    return {
      views: gain('views'),
      likes: gain('likes'),
      comments: gain('comments'),
      shares: gain('shares'),
      saves: gain('saves'),
    }
  })
  return eachKpi(name => {
    switch (name) {
      case 'followers':
        return levelAt(tracks.own.get('followers') ?? [], window)
      case 'engagement':
        return engagementIn(posts)
      case 'views':
      case 'likes':
        return ownGain(tracks.own.get(name) ?? [], window) ?? sumOfPosts(posts, name)
      default:
        return sumOfPosts(posts, name)
    }
  })
}

function levelAt(readings: readonly Reading[], { fromMs, toMs }: Span): Measured {
  const last = valueAt(readings, toMs, lookBackMs(toMs - fromMs))
  return last ? { ...nothing, value: last.views, atMs: last.atMs } : nothing
}

/** What the counter that the platform keeps of the account itself gained; null where it was not read. */
function ownGain(readings: readonly Reading[], window: Span): Measured | null {
  const found = gainOf(readings, window, null)
  return found && { ...nothing, value: found.gain, isPartial: found.state === 'partial', atMs: found.end.atMs }
}

/** A sum is partial when no post has a value at the window's start, and not all of them are new. */
function sumOfPosts(posts: readonly PostGains[], name: PostCounter): Measured {
  const gains = posts.flatMap(post => post[name] ?? [])
  if (gains.length === 0) return nothing
  return {
    ...nothing,
    value: gains.reduce((sum, one) => sum + one.gain, 0),
    isPartial: !gains.some(one => one.state === 'value') && gains.some(one => one.state === 'partial'),
    atMs: latest(gains.map(one => one.end.atMs)),
  }
}

/** What posts gained in likes, comments, shares and saves, divided by what the same posts gained in views. */
function engagementIn(posts: readonly PostGains[]): Measured {
  let engaged = 0
  let views = 0
  let atMs: number | null = null
  const over = new Set<string>()
  for (const post of posts) {
    const seen = post.views
    const given = engaging.flatMap(name => {
      const found = post[name]
      return found ? [{ name, gain: found.gain }] : []
    })
    if (!seen || given.length === 0) continue
    for (const one of given) over.add(one.name)
    engaged += given.reduce((sum, one) => sum + one.gain, 0)
    views += seen.gain
    atMs = latest([seen.end.atMs, ...(atMs === null ? [] : [atMs])])
  }
  const sides = atMs === null ? null : { engaged, views }
  return { value: ratioOf(sides), isPartial: false, atMs, sides, over: engaging.filter(name => over.has(name)) }
}

const engaging = postCounters.filter(name => name !== 'views')

function ratioOf(sides: Measured['sides']): number | null {
  return sides === null || sides.views <= 0 ? null : sides.engaged / sides.views
}

/** One number of several accounts. Changes are over the accounts that have the period before, too. */
function together(
  name: KpiName,
  values: readonly Measured[],
  earlier: readonly Measured[],
  reason: MissingReason,
): Kpi {
  const sum = sumOf(name, values)
  const why = sum.sides === null ? reason : 'too_few'
  const pairs = values.flatMap((now, index) => {
    const past = earlier[index] ?? nothing
    return now.value !== null && past.value !== null && !past.isPartial && !now.isPartial ? [{ now, past }] : []
  })
  const nowSum = sumOf(
    name,
    pairs.map(pair => pair.now),
  ).value
  const pastSum = sumOf(
    name,
    pairs.map(pair => pair.past),
  ).value
  const change = nowSum === null || pastSum === null ? null : nowSum - pastSum
  return {
    value: sum.value,
    state: stateOf(sum, why),
    change,
    changePct: change === null || pastSum === null || pastSum === 0 ? null : (100 * change) / Math.abs(pastSum),
    changeState: change !== null ? (change === 0 ? 'zero' : 'value') : sum.value === null ? why : 'too_few',
    observedAt: sum.atMs === null ? null : new Date(sum.atMs).toISOString(),
    over: [...sum.over],
  }
}

function sumOf(name: KpiName, parts: readonly Measured[]): Measured {
  const given = parts.filter(part => part.value !== null || part.sides !== null)
  if (given.length === 0) return nothing
  const atMs = latest(given.flatMap(part => part.atMs ?? []))
  if (name === 'engagement') {
    const sides = {
      engaged: given.reduce((sum, part) => sum + (part.sides?.engaged ?? 0), 0),
      views: given.reduce((sum, part) => sum + (part.sides?.views ?? 0), 0),
    }
    const over = engaging.filter(counter => given.some(part => part.over.includes(counter)))
    return { value: ratioOf(sides), isPartial: false, atMs, sides, over }
  }
  return {
    ...nothing,
    value: given.reduce((sum, part) => sum + (part.value ?? 0), 0),
    isPartial: given.every(part => part.isPartial),
    atMs,
  }
}

function stateOf(measured: Measured, reason: MissingReason): Kpi['state'] {
  if (measured.value === null) return reason
  if (measured.isPartial) return 'partial'
  return measured.value === 0 ? 'zero' : 'value'
}

async function seriesOf(
  tracks: readonly Tracks[],
  steps: readonly Span[],
  whole: readonly Readonly<Record<KpiName, Measured>>[],
  ever: Ever,
): Promise<Record<KpiName, KpiPoint[]>> {
  const measured: Readonly<Record<KpiName, Measured>>[][] = []
  for (const step of steps) {
    measured.push(tracks.map(track => kpisIn(narrowed(track, step), step)))
    // A thousand posts over three months are work of seconds on a busy machine: others must not wait for all of it.
    await setImmediate()
  }
  return eachKpi(name => {
    // Without a number over the whole period, its reason is that of every step.
    const isMissing = whole.every(one => one[name].value === null)
    const reason = isMissing ? worst(tracks.map(track => reasonFor(track.account, ever, name))) : 'stale'
    return steps.map((step, index) => {
      const sum = sumOf(
        name,
        (measured[index] ?? []).map(one => one[name]),
      )
      const state = stateOf(sum, sum.sides === null ? reason : 'too_few')
      return { at: new Date(step.toMs).toISOString(), value: sum.value, state }
    })
  })
}

/** What was ever read, by account. */
type Ever = ReadonlyMap<string, ReadonlySet<string>>

const EverRow = z.object({ platform: z.string(), id: z.string(), counters: z.array(z.string()) })

/** Asked only where something is missing. */
async function everRead(
  ctx: AnalyticsContext,
  own: OwnNumbers,
  whole: readonly Readonly<Record<KpiName, Measured>>[],
): Promise<Ever> {
  const isWhole = whole.every(one => kpiNames.every(name => one[name].value !== null))
  if (isWhole) return new Map()
  const rows = await runQuery(ctx, sqlPart('crm-performance', 'ever'), ownParams(own), EverRow, options)
  const counters = new Map(rows.map(row => [refKey(row), row.counters]))
  return new Map(
    own.accounts.map(account => {
      const posts = own.posts.filter(post => post.accountId === account.accountId).map(refKey)
      const all = [accountRef(account), ...posts].flatMap(key => counters.get(key) ?? [])
      return [account.accountId, new Set(all)]
    }),
  )
}

function reasonFor(account: OwnAccount, ever: Ever, name: KpiName): MissingReason {
  if (account.lacking.has(name)) return 'needs_scope'
  const counters = ever.get(account.accountId)
  const wanted = name === 'engagement' ? engaging : [name]
  return wanted.some(one => counters?.has(one)) ? 'stale' : 'not_provided'
}

/** The reason that somebody can do most about; without any account nothing is provided. */
function worst(reasons: readonly MissingReason[]): MissingReason {
  const order = ['needs_scope', 'stale', 'too_few', 'not_provided'] as const
  return order.find(reason => reasons.includes(reason)) ?? 'not_provided'
}

function latest(instants: readonly number[]): number | null {
  return instants.length === 0 ? null : instants.reduce((a, b) => Math.max(a, b))
}

function eachKpi<T>(make: (name: KpiName) => T): Record<KpiName, T> {
  return {
    followers: make('followers'),
    views: make('views'),
    likes: make('likes'),
    comments: make('comments'),
    shares: make('shares'),
    saves: make('saves'),
    engagement: make('engagement'),
  }
}

import { z } from 'zod'
import type { CrmPeriod, Kpi, KpiName, KpiPoint } from '../../contracts/crm.ts'
import type { MissingReason } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { refKey } from '../measures/details.ts'
import { compose, runQuery, sqlPart } from '../queries/run-query.ts'
import { gainOf, lookBackMs, type Reading, valueAt } from '../scores.ts'
import { type DayCounter, daysLateMsMax, type OwnDay, readOwnDays, sumOfDays } from './own-days.ts'
import {
  accountParams,
  type OwnAccount,
  type OwnNumbers,
  ownQuerySettings,
  type PostCounter,
  postCounters,
} from './own-numbers.ts'
import {
  engaging,
  type PostGains,
  postRows,
  readPostGains,
  type Span,
  spanOf,
  timeParams,
  type Which,
  type Windows,
} from './post-gains.ts'

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
  readonly windows: Windows
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
  const windows = windowsOf(period, ctx.world.clock.nowMs())
  const ever = await everRead(ctx, own)
  const tracks = await readTracks(ctx, own, windows, ever)
  const whole = tracks.map(track => kpisIn(track, 'whole', windows))
  const earlier = tracks.map(track => kpisIn(track, 'before', windows))
  return {
    windows,
    bucket: spans[period].bucket,
    total: {
      kpis: eachKpi(name =>
        together(
          name,
          whole.map(one => one[name]),
          earlier.map(one => one[name]),
          worst(tracks.map(track => reasonFor(track.account, ever, name))),
        ),
      ),
      series: seriesOf(tracks, windows, whole, ever),
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

function windowsOf(period: CrmPeriod, toMs: number): Windows {
  const { spanMs, stepMs } = spans[period]
  const fromMs = toMs - spanMs
  return {
    whole: { fromMs, toMs },
    before: { fromMs: fromMs - spanMs, toMs: fromMs },
    steps: Array.from({ length: spanMs / stepMs }, (_, index) => ({
      fromMs: fromMs + index * stepMs,
      toMs: fromMs + (index + 1) * stepMs,
    })),
    stepMs,
  }
}

/** What one account has: its own readings in order of time, what its posts gained by window, and its days. */
interface Tracks {
  readonly account: OwnAccount
  readonly own: ReadonlyMap<string, readonly Reading[]>
  /** The period, the one before it, its steps. */
  readonly posts: readonly PostGains[]
  readonly days: readonly OwnDay[]
}

const ReadingsRow = z.object({
  platform: z.string(),
  id: z.string(),
  counter: z.string(),
  instants: z.array(z.number()),
  amounts: z.array(z.number()),
})
const options = { tag: 'crm:performance', settings: ownQuerySettings }

async function readTracks(ctx: AnalyticsContext, own: OwnNumbers, windows: Windows, ever: Ever): Promise<Tracks[]> {
  if (own.accounts.length === 0) return []
  const counters = postCounters.filter(name => own.accounts.some(one => ever.get(one.accountId)?.ofPosts.has(name)))
  const part = (name: string) => sqlPart('crm-performance', name)
  const text = compose(part('accounts'), { in_time: part('in_time'), bucket: part('bucket') })
  const [gains, readings, days] = await Promise.all([
    readPostGains(ctx, own, windows, counters),
    runQuery(ctx, text, { ...accountParams(own), ...timeParams(windows) }, ReadingsRow, options),
    readOwnDays(ctx, own, windows.before.fromMs - daysLateMsMax),
  ])
  const ofAccounts = Map.groupBy(readings, refKey)
  return own.accounts.map((account, place) => ({
    account,
    own: new Map((ofAccounts.get(accountRef(account)) ?? []).map(row => [row.counter, readingsOf(row)])),
    posts: gains.get(place) ?? [],
    days: days.get(account.accountId) ?? [],
  }))
}

function accountRef(account: OwnAccount): string {
  return refKey({ platform: account.platform, id: account.creatorId })
}

function readingsOf({ instants, amounts }: z.infer<typeof ReadingsRow>): Reading[] {
  return instants.map((atMs, index) => ({ atMs, views: amounts[index] ?? 0 })).sort((a, b) => a.atMs - b.atMs)
}

/** A number over a window, before it is said in words. A ratio keeps its two sides, so that accounts can be added up. */
interface Measured {
  readonly value: number | null
  readonly isPartial: boolean
  readonly atMs: number | null
  readonly sides: { readonly engaged: number; readonly views: number } | null
  readonly over: readonly string[]
  /** What a level rose by, where that is known better than by two readings of it. */
  readonly rise: number | null
}

const nothing: Measured = { value: null, isPartial: false, atMs: null, sides: null, over: [], rise: null }

function kpisIn(track: Tracks, which: Which, windows: Windows): Readonly<Record<KpiName, Measured>> {
  const window = spanOf(windows, which)
  const posts = track.posts[which === 'whole' ? 0 : which === 'before' ? 1 : which + 2]
  const gained = (name: PostCounter): Measured => {
    const found = sumOfPosts(posts, name)
    return found.value === null ? sumOfDaysIn(track, name, which, windows) : found
  }
  return eachKpi(name => {
    switch (name) {
      case 'followers': {
        const level = levelAt(track.own.get('followers') ?? [], window)
        return { ...level, rise: riseOf(track, level, which, windows) }
      }
      case 'engagement':
        return engagementIn(posts)
      case 'views':
      case 'likes':
        return ownGain(track.own.get(name) ?? [], window) ?? gained(name)
      default:
        return gained(name)
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
function sumOfPosts(posts: PostGains | undefined, name: PostCounter): Measured {
  const sum = posts?.[name]
  if (!sum || sum.given === 0) return nothing
  return { ...nothing, value: sum.gain, isPartial: sum.exact === 0 && sum.partial > 0, atMs: sum.atMs }
}

/** What posts gained in likes, comments, shares and saves, divided by what the same posts gained in views. */
function engagementIn(posts: PostGains | undefined): Measured {
  if (!posts || posts.engagement.atMs === 0) return nothing
  const { engaged, views, atMs, over } = posts.engagement
  return { ...nothing, value: ratioOf({ engaged, views }), atMs, sides: { engaged, views }, over }
}

function sumOfDaysIn(track: Tracks, name: DayCounter, which: Which, windows: Windows): Measured {
  const sum = sumOfDays(track.days, name, which, windows)
  return sum === null ? nothing : { ...nothing, ...sum }
}

/** From here on YouTube rounds a channel's followers down to three digits, for its owner as well. */
const roundedFrom = 1000

/** What was won less what was lost, where the level is rounded; else two readings say it. */
function riseOf(track: Tracks, level: Measured, which: Which, windows: Windows): number | null {
  if (track.account.platform !== 'youtube' || level.value === null || level.value < roundedFrom) return null
  const won = sumOfDaysIn(track, 'followers_gained', which, windows)
  const lost = sumOfDaysIn(track, 'followers_lost', which, windows)
  if (won.value === null || lost.value === null || won.isPartial) return null
  return won.value - lost.value
}

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
    const isRise = now.rise !== null && now.value !== null
    const past = isRise ? { ...nothing, value: (now.value ?? 0) - (now.rise ?? 0) } : (earlier[index] ?? nothing)
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
    return { ...nothing, value: ratioOf(sides), atMs, sides, over }
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

function seriesOf(
  tracks: readonly Tracks[],
  windows: Windows,
  whole: readonly Readonly<Record<KpiName, Measured>>[],
  ever: Ever,
): Record<KpiName, KpiPoint[]> {
  const measured = windows.steps.map((_, place) => tracks.map(track => kpisIn(track, place, windows)))
  return eachKpi(name => {
    // Without a number over the whole period, its reason is that of every step.
    const isMissing = whole.every(one => one[name].value === null)
    const reason = isMissing ? worst(tracks.map(track => reasonFor(track.account, ever, name))) : 'stale'
    return windows.steps.map((step, index) => {
      const sum = sumOf(
        name,
        (measured[index] ?? []).map(one => one[name]),
      )
      const state = stateOf(sum, sum.sides === null ? reason : 'too_few')
      return { at: new Date(step.toMs).toISOString(), value: sum.value, state }
    })
  })
}

/** What was ever read, by account: of its posts, and of them, itself or its days. */
type Ever = ReadonlyMap<string, { readonly ofPosts: ReadonlySet<string>; readonly any: ReadonlySet<string> }>

const EverRow = z.object({ platform: z.string(), id: z.string(), counters: z.array(z.string()) })

async function everRead(ctx: AnalyticsContext, own: OwnNumbers): Promise<Ever> {
  if (own.accounts.length === 0) return new Map()
  const text = compose(sqlPart('crm-performance', 'ever'), { named: sqlPart('crm-performance', 'named') })
  const rows = await runQuery(ctx, text, { ...accountParams(own), postRows: postRows(own) }, EverRow, options)
  const byKey = Map.groupBy(rows, refKey)
  const countersOf = (keys: readonly string[]) => keys.flatMap(key => byKey.get(key) ?? []).flatMap(row => row.counters)
  return new Map(
    own.accounts.map(account => {
      const posts = own.posts.filter(post => post.accountId === account.accountId)
      const ofPosts = countersOf(posts.map(refKey))
      return [
        account.accountId,
        { ofPosts: new Set(ofPosts), any: new Set([...ofPosts, ...countersOf([accountRef(account)])]) },
      ]
    }),
  )
}

function reasonFor(account: OwnAccount, ever: Ever, name: KpiName): MissingReason {
  if (account.lacking.has(name)) return 'needs_scope'
  const counters = ever.get(account.accountId)?.any
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

/** One of something for each number. */
export function eachKpi<T>(make: (name: KpiName) => T): Record<KpiName, T> {
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

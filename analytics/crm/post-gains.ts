import { z } from 'zod'
import type { AnalyticsContext } from '../context.ts'
import { compose, runQuery, sqlPart } from '../queries/run-query.ts'
import { lookBackMs } from '../scores.ts'
import { type OwnNumbers, ownQuerySettings, type PostCounter, postCounters } from './own-numbers.ts'

/** From after an instant up to another. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** A period, the one before it, and its steps, all of one length. */
export interface Windows {
  readonly whole: Span
  readonly before: Span
  readonly steps: readonly Span[]
  readonly stepMs: number
}

/** A window by its name, or a step by its place. */
export type Which = 'whole' | 'before' | number

/** The window that is meant. */
export function spanOf(windows: Windows, which: Which): Span {
  return typeof which === 'number' ? (windows.steps[which] ?? windows.whole) : windows[which]
}

/** What the posts of one account gained together in one window. Of each counter: */
interface CounterGains {
  readonly gain: number
  /** How many posts gave any; of these, how many against a value at the window's start, and against their first reading. */
  readonly given: number
  readonly exact: number
  readonly partial: number
  /** The latest reading behind it; 0 without one. */
  readonly atMs: number
}

/** The same, with what engages: over posts that have views and any other counter. */
export interface PostGains extends Readonly<Record<PostCounter, CounterGains>> {
  readonly engagement: {
    readonly engaged: number
    readonly views: number
    readonly atMs: number
    readonly over: readonly string[]
  }
}

/** The counters beside views, in the order of the bits of `engaged_over`. */
export const engaging = postCounters.filter(name => name !== 'views')

const numbers = z.array(z.number())
const GainsRow = z
  .object({ account: z.number(), engaged: numbers, engaged_views: numbers, engaged_ms: numbers, engaged_over: numbers })
  .catchall(numbers)
/** The columns of one counter. */
const sides = ['gain', 'given', 'exact', 'partial', 'at'] as const

/**
 * What posts gained, added up by the engine: by account (its place in `own.accounts`), then by window: the period, the one
 * before it, its steps. An account without posts has none.
 */
export async function readPostGains(
  ctx: AnalyticsContext,
  own: OwnNumbers,
  windows: Windows,
  counters: readonly PostCounter[],
): Promise<ReadonlyMap<number, readonly PostGains[]>> {
  if (own.posts.length === 0 || counters.length === 0) return new Map()
  const all = [windows.whole, windows.before, ...windows.steps]
  const values = {
    owner: own.owner,
    postRows: postRows(own),
    ...timeParams(windows),
    windowFrom: all.map(span => span.fromMs),
    windowTo: all.map(span => span.toMs),
    windowBack: all.map(span => lookBackMs(span.toMs - span.fromMs)),
  }
  const part = (name: string) => sqlPart('crm-performance', name)
  // The engine wants it as a literal.
  const bucketCount = String(windows.steps.length + 2)
  const each = (name: string, of = counters) =>
    of.map(counter => compose(part(name), { counter, bucket_count: bucketCount })).join(',\n')
  const absent = postCounters.filter(counter => !counters.includes(counter))
  const text = compose(part('posts'), {
    in_time: part('in_time'),
    bucket: part('bucket'),
    named: part('named'),
    dense: each('dense'),
    gains: [each('gains'), ...(absent.length === 0 ? [] : [each('absent', absent)])].join(',\n'),
    totals: each('totals'),
  })
  const rows = await runQuery(ctx, text, values, GainsRow, { tag: 'crm:performance', settings: ownQuerySettings })
  return new Map(rows.map(row => [row.account, all.map((_, place) => gainsAt(row, place))]))
}

/** The posts of an owner's accounts, a line each, as the part `named` takes them apart. */
export function postRows({ accounts, posts }: Pick<OwnNumbers, 'accounts' | 'posts'>): string {
  const places = new Map(accounts.map((account, place) => [account.accountId, place]))
  const rows = posts.flatMap(({ accountId, platform, id, publishedMs }) => {
    const place = places.get(accountId)
    // No platform's ids have any of these in them.
    return place === undefined || /[\t\n]/.test(id) ? [] : [[platform, id, place, publishedMs ?? 0].join('\t')]
  })
  return rows.join('\n')
}

/** What says which readings are looked at, and which bucket each is in. */
export function timeParams({ whole, before, stepMs }: Windows) {
  const reachMs = Math.max(0, before.fromMs - lookBackMs(whole.toMs - whole.fromMs))
  return { reachMs, beforeMs: before.fromMs, fromMs: whole.fromMs, toMs: whole.toMs, stepMs }
}

function gainsAt(row: z.infer<typeof GainsRow>, place: number): PostGains {
  const of = (name: PostCounter): CounterGains => {
    const [gain = 0, given = 0, exact = 0, partial = 0, atMs = 0] = sides.map(side => row[`${name}_${side}`]?.[place])
    return { gain, given, exact, partial, atMs }
  }
  const bits = row.engaged_over[place] ?? 0
  return {
    views: of('views'),
    likes: of('likes'),
    comments: of('comments'),
    shares: of('shares'),
    saves: of('saves'),
    engagement: {
      engaged: row.engaged[place] ?? 0,
      views: row.engaged_views[place] ?? 0,
      atMs: row.engaged_ms[place] ?? 0,
      over: engaging.filter((_, bit) => (bits & (1 << bit)) > 0),
    },
  }
}

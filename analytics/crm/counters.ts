import { z } from 'zod'
import type { Kpi, KpiName, KpiPoint } from '../../contracts/crm.ts'
import type { AnalyticsContext } from '../context.ts'
import { refKey } from '../measures/details.ts'
import { maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { type DaySum, daysLateMsMax, type OwnDay, readOwnDays, sumOfDays } from './own-days.ts'
import { accountParams, type OwnNumbers, ownQuerySettings, type PostCounter, postCounters } from './own-numbers.ts'
import { eachKpi, type Kpis, type OwnPerformance } from './performance.ts'
import type { Windows } from './post-gains.ts'

const AccountRow = z.object({
  platform: z.string(),
  id: z.string(),
  followers: maybeNumber,
  views: maybeNumber,
  likes: maybeNumber,
  at_ms: wholeNumber,
})
const PostsRow = AccountRow.omit({ followers: true }).extend({
  comments: maybeNumber,
  shares: maybeNumber,
  saves: maybeNumber,
})
const options = { tag: 'crm:counters', settings: ownQuerySettings }

/** Where an account's counters stand, and what its platform itself counted by day in the period and each of its steps. */
type Standing = Readonly<Partial<Record<KpiName, number | null>>> & {
  readonly atMs: number | null
  readonly days: Readonly<Record<PostCounter, readonly (DaySum | null)[]>>
}

/**
 * The numbers of accounts whose platform's terms allow no measure: followers as they are, and of everything that is a gain or
 * a ratio where its counter stands, with what it would take. What the platform itself counts by day is no measure of ours:
 * it is shown.
 *
 * @param at the period, whose performance of the other accounts is known
 */
export async function ownCounters(
  ctx: AnalyticsContext,
  own: OwnNumbers,
  at: Pick<OwnPerformance, 'windows'>,
): Promise<Pick<OwnPerformance, 'total' | 'accounts'>> {
  const standings = await readStandings(ctx, own, at.windows)
  const all = together([...standings.values()])
  return {
    total: {
      kpis: kpisOf(all),
      series: eachKpi(name =>
        at.windows.steps.map(({ toMs }, place): KpiPoint => {
          const sum = isByDay(name) ? (all.days[name][place + 1] ?? null) : null
          return { at: new Date(toMs).toISOString(), value: sum?.value ?? null, state: stateOf(sum) }
        }),
      ),
    },
    accounts: new Map([...standings].map(([id, standing]) => [id, kpisOf(standing)])),
  }
}

const needed = 'needs_amendment' as const

function isByDay(name: KpiName): name is PostCounter {
  return postCounters.some(counter => counter === name)
}

function stateOf(sum: DaySum | null): Kpi['state'] {
  if (sum === null) return needed
  if (sum.isPartial) return 'partial'
  return sum.value === 0 ? 'zero' : 'value'
}

async function readStandings(ctx: AnalyticsContext, own: OwnNumbers, windows: Windows): Promise<Map<string, Standing>> {
  const values = { ...accountParams(own), toMs: windows.whole.toMs }
  const [ofAccounts, ofPosts, days] = await Promise.all([
    runQuery(ctx, sqlPart('crm-counters', 'accounts'), values, AccountRow, options),
    runQuery(ctx, sqlPart('crm-counters', 'posts'), values, PostsRow, options),
    readOwnDays(ctx, own, windows.whole.fromMs - daysLateMsMax),
  ])
  const accounts = new Map(ofAccounts.map(row => [refKey(row), row]))
  const posts = new Map(ofPosts.map(row => [refKey(row), row]))
  return new Map(
    own.accounts.map(({ accountId, platform, creatorId }) => {
      const key = refKey({ platform, id: creatorId })
      const account = accounts.get(key)
      const sum = posts.get(key)
      const atMs = Math.max(account?.at_ms ?? 0, sum?.at_ms ?? 0)
      return [
        accountId,
        {
          followers: account?.followers ?? null,
          views: account?.views ?? sum?.views ?? null,
          likes: account?.likes ?? sum?.likes ?? null,
          comments: sum?.comments ?? null,
          shares: sum?.shares ?? null,
          saves: sum?.saves ?? null,
          atMs: atMs === 0 ? null : atMs,
          days: daySums(days.get(accountId) ?? [], windows),
        },
      ]
    }),
  )
}

/** Of the period, then of each step. */
function daySums(days: readonly OwnDay[], windows: Windows): Standing['days'] {
  return eachCounter(name => [
    sumOfDays(days, name, 'whole', windows),
    ...windows.steps.map((_, place) => sumOfDays(days, name, place, windows)),
  ])
}

function together(standings: readonly Standing[]): Standing {
  const sum = (name: KpiName) => {
    const values = standings.flatMap(one => one[name] ?? [])
    return values.length === 0 ? null : values.reduce((total, value) => total + value, 0)
  }
  const latest = Math.max(0, ...standings.map(one => one.atMs ?? 0))
  const [first] = standings
  return {
    ...eachKpi(sum),
    atMs: latest === 0 ? null : latest,
    days: eachCounter(name =>
      (first?.days[name] ?? []).map((_, place) => added(standings.map(one => one.days[name][place] ?? null))),
    ),
  }
}

function added(sums: readonly (DaySum | null)[]): DaySum | null {
  const given = sums.filter(sum => sum !== null)
  if (given.length === 0) return null
  return {
    value: given.reduce((total, sum) => total + sum.value, 0),
    isPartial: given.every(sum => sum.isPartial),
    atMs: Math.max(...given.map(sum => sum.atMs)),
  }
}

function kpisOf(standing: Standing): Kpis {
  const at = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return eachKpi((name): Kpi => {
    const none = { change: null, changePct: null, changeState: needed, observedAt: at(standing.atMs), over: [] }
    const counter = standing[name] ?? null
    if (name === 'followers')
      return { ...none, value: counter, state: counter === null ? 'not_provided' : counter === 0 ? 'zero' : 'value' }
    const sum = isByDay(name) ? (standing.days[name][0] ?? null) : null
    if (sum === null) return { ...none, value: null, state: needed, counter }
    return { ...none, value: sum.value, state: stateOf(sum), observedAt: at(sum.atMs), counter }
  })
}

function eachCounter<T>(make: (name: PostCounter) => T): Record<PostCounter, T> {
  return {
    views: make('views'),
    likes: make('likes'),
    comments: make('comments'),
    shares: make('shares'),
    saves: make('saves'),
  }
}

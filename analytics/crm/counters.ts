import { z } from 'zod'
import type { Kpi, KpiName, KpiPoint } from '../../contracts/crm.ts'
import type { AnalyticsContext } from '../context.ts'
import { refKey } from '../measures/details.ts'
import { maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { accountParams, type OwnNumbers, ownQuerySettings } from './own-numbers.ts'
import { eachKpi, type Kpis, type OwnPerformance } from './performance.ts'

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

/** Where an account's counters stand. */
type Standing = Readonly<Partial<Record<KpiName, number | null>>> & { readonly atMs: number | null }

/**
 * The numbers of accounts whose platform's terms allow no measure: followers as they are, and of everything that is a gain or
 * a ratio where its counter stands, with what it would take.
 *
 * @param at the period, whose performance of the other accounts is known
 */
export async function ownCounters(
  ctx: AnalyticsContext,
  own: OwnNumbers,
  at: Pick<OwnPerformance, 'toMs' | 'total'>,
): Promise<Pick<OwnPerformance, 'total' | 'accounts'>> {
  const standings = await readStandings(ctx, own, at.toMs)
  return {
    total: {
      kpis: kpisOf(together([...standings.values()])),
      series: eachKpi(name =>
        at.total.series[name].map((point): KpiPoint => ({ ...point, value: null, state: needed })),
      ),
    },
    accounts: new Map([...standings].map(([id, standing]) => [id, kpisOf(standing)])),
  }
}

const needed = 'needs_amendment' as const

async function readStandings(ctx: AnalyticsContext, own: OwnNumbers, toMs: number): Promise<Map<string, Standing>> {
  const values = { ...accountParams(own), toMs }
  const [ofAccounts, ofPosts] = await Promise.all([
    runQuery(ctx, sqlPart('crm-counters', 'accounts'), values, AccountRow, options),
    runQuery(ctx, sqlPart('crm-counters', 'posts'), values, PostsRow, options),
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
        },
      ]
    }),
  )
}

function together(standings: readonly Standing[]): Standing {
  const sum = (name: KpiName) => {
    const values = standings.flatMap(one => one[name] ?? [])
    return values.length === 0 ? null : values.reduce((total, value) => total + value, 0)
  }
  const latest = Math.max(0, ...standings.map(one => one.atMs ?? 0))
  return { ...eachKpi(sum), atMs: latest === 0 ? null : latest }
}

function kpisOf(standing: Standing): Kpis {
  const observedAt = standing.atMs === null ? null : new Date(standing.atMs).toISOString()
  return eachKpi((name): Kpi => {
    const none = { change: null, changePct: null, changeState: needed, observedAt, over: [] }
    const counter = standing[name] ?? null
    if (name !== 'followers') return { ...none, value: null, state: needed, counter }
    return { ...none, value: counter, state: counter === null ? 'not_provided' : counter === 0 ? 'zero' : 'value' }
  })
}

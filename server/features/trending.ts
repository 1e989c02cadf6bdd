import type { AnalyticsContext } from '../../analytics/context.ts'
import { trendingOf } from '../../analytics/measures/trending.ts'
import { trends } from '../../analytics/measures/trends.ts'
import { CreatorIdSchema } from '../../contracts/ids.ts'
import type { TrendRow } from '../../contracts/measures.ts'
import type { Trending } from '../../contracts/trending.ts'
import type { ServerDeps } from '../deps.ts'
import type { Caller } from '../http/caller.ts'
import { ownerOf } from '../http/owner-of.ts'
import { measureContext } from './measure-context.ts'

/** Clips of one creator that are looked at: those with the largest gains. */
const rowsMax = 100
/** Creators that one answer asks about. */
const creatorsMax = 10

/** Rows of a ranked list with what makes them trend; only for plans that have it. */
export function withTrending(rows: readonly TrendRow[], asOf: Date): TrendRow[] {
  return rows.map(row => ({ ...row, trending: trendingOf(row, asOf) }))
}

/**
 * What trends among videos over the last 24 hours, as a field of the answers about them: nothing at all for a plan without
 * it, null for a video about which nothing stands out or is known. Of a long list those of the first creators are asked
 * about.
 */
export async function trendingAmong(
  deps: Pick<ServerDeps, 'store' | 'world' | 'niches' | 'usage'>,
  caller: Caller,
  videos: readonly { readonly vodId: string; readonly creatorId: string | null }[],
): Promise<(vodId: string) => { trending?: Trending | null }> {
  if (caller.principal?.isService || !(await deps.usage.limitsOf(ownerOf(caller))).premiumIndicators) return () => ({})
  const ctx = measureContext(deps)
  const known = new Map<string, Trending | null>()
  const creators = new Set(videos.flatMap(({ creatorId }) => creatorId ?? []))
  for (const creator of [...creators].slice(0, creatorsMax)) await addOfCreator(ctx, creator, known)
  return vodId => ({ trending: known.get(vodId) ?? null })
}

async function addOfCreator(ctx: AnalyticsContext, creator: string, known: Map<string, Trending | null>) {
  const id = CreatorIdSchema.safeParse(creator)
  if (!id.success) return
  const params = {
    type: 'clips',
    platform: 'all',
    creator: id.data,
    period: '24h',
    sort: 'gain',
    limit: rowsMax,
  } as const
  const { rows, asOf } = await trends(ctx, params)
  for (const row of rows) known.set(row.key, trendingOf(row, asOf))
}

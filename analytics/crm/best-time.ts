import type { BestTimeCell } from '../../contracts/crm.ts'
import type { AnalyticsContext } from '../context.ts'
import { refKey } from '../measures/details.ts'
import { median } from '../scores.ts'
import { type OwnNumbers, viewsAtAges } from './own-numbers.ts'

const dayMs = 86_400_000
/** How far back posts are looked at. */
const reachMs = 365 * dayMs

/** When own posts did well early. */
export interface BestTimes {
  readonly fromMs: number
  readonly toMs: number
  readonly posts: number
  readonly cells: BestTimeCell[]
}

/** A post and its views 24 hours after publication. */
interface Early {
  readonly accountId: string
  readonly publishedMs: number
  readonly views: number
}

/**
 * Median views 24 hours after publication, by weekday and hour of publication, over the posts of the last year.
 * @param timezone a name that `Intl` knows
 */
export async function bestTimes(ctx: AnalyticsContext, own: OwnNumbers, timezone: string): Promise<BestTimes> {
  const toMs = ctx.world.clock.nowMs()
  const fromMs = Math.max(0, toMs - reachMs)
  const posts = await earlyOf(ctx, own, { fromMs, toMs })
  const usual = usualOf(posts)
  const placeOf = clockOf(timezone)
  const byPlace = Map.groupBy(posts, post => placeOf(post.publishedMs))
  const cells = Array.from({ length: 7 * 24 }, (_, index) => {
    const weekday = Math.floor(index / 24) + 1
    const hour = index % 24
    const found = byPlace.get(`${weekday} ${hour}`) ?? []
    const multiples = found.flatMap(post => {
      const middle = usual.get(post.accountId) ?? 0
      return middle === 0 ? [] : [post.views / middle]
    })
    return {
      weekday,
      hour,
      posts: found.length,
      views: found.length === 0 ? null : median(found.map(post => post.views)),
      multiple: multiples.length === 0 ? null : median(multiples),
    }
  })
  return { fromMs, toMs, posts: posts.length, cells }
}

async function earlyOf(
  ctx: AnalyticsContext,
  own: OwnNumbers,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<Early[]> {
  const posts = own.posts.filter(
    ({ publishedMs }) => publishedMs !== null && publishedMs >= fromMs && publishedMs <= toMs - dayMs,
  )
  const views = await viewsAtAges(ctx, { owner: own.owner, posts, ages: [24], endMs: toMs })
  return posts.flatMap(({ accountId, publishedMs, ...ref }) => {
    const early = views.get(refKey(ref))?.get(24)
    return early === undefined || publishedMs === null ? [] : [{ accountId, publishedMs, views: early }]
  })
}

/** The median of each account. */
function usualOf(posts: readonly Early[]): Map<string, number> {
  const byAccount = Map.groupBy(posts, post => post.accountId)
  return new Map([...byAccount].map(([id, found]) => [id, median(found.map(post => post.views))]))
}

const weekdays = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']

/** The weekday (1 is Monday) and hour that clocks of the zone show at an instant. */
function clockOf(timezone: string): (atMs: number) => string {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    weekday: 'short',
    hour: '2-digit',
    hourCycle: 'h23',
  })
  return atMs => {
    const parts = new Map(format.formatToParts(atMs).map(part => [part.type, part.value]))
    return `${weekdays.indexOf(parts.get('weekday') ?? '') + 1} ${Number(parts.get('hour'))}`
  }
}

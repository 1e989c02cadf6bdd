import { z } from 'zod'
import type { BestTimeCell } from '../../contracts/crm.ts'
import type { AnalyticsContext } from '../context.ts'
import { runQuery, wholeNumber } from '../queries/run-query.ts'
import { median } from '../scores.ts'
import { accountKey, type OwnNumbers, ownParams, postsPart } from './own-numbers.ts'

const dayMs = 86_400_000
/** How far back posts are looked at. */
const reachMs = 365 * dayMs
/** The newest posts of that time. */
const postsMax = 5000

/** When own posts did well early. */
export interface BestTimes {
  readonly fromMs: number
  readonly toMs: number
  readonly posts: number
  readonly cells: BestTimeCell[]
}

const EarlyRow = z.object({
  platform: z.string(),
  creator_id: z.string(),
  published_ms: wholeNumber,
  views: wholeNumber,
})
type Early = z.infer<typeof EarlyRow>

/**
 * Median views 24 hours after publication, by weekday and hour of publication, over the posts of the last year.
 * @param timezone a name that `Intl` knows
 */
export async function bestTimes(ctx: AnalyticsContext, own: OwnNumbers, timezone: string): Promise<BestTimes> {
  const toMs = ctx.world.clock.nowMs()
  const fromMs = Math.max(0, toMs - reachMs)
  const values = { ...ownParams(own), endMs: toMs, fromMs, untilMs: toMs - dayMs, postsMax }
  const posts =
    own.accounts.length === 0 ? [] : await runQuery(ctx, postsPart('early'), values, EarlyRow, { tag: 'crm:best-time' })
  const usual = usualOf(posts)
  const placeOf = clockOf(timezone)
  const byPlace = Map.groupBy(posts, post => placeOf(post.published_ms))
  const cells = Array.from({ length: 7 * 24 }, (_, index) => {
    const weekday = Math.floor(index / 24) + 1
    const hour = index % 24
    const found = byPlace.get(`${weekday} ${hour}`) ?? []
    const multiples = found.flatMap(post => {
      const middle = usual.get(keyOf(post)) ?? 0
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

/** The median of each account. */
function usualOf(posts: readonly Early[]): Map<string, number> {
  return new Map([...Map.groupBy(posts, keyOf)].map(([key, found]) => [key, median(found.map(post => post.views))]))
}

function keyOf(post: Early): string {
  return accountKey({ platform: post.platform, creatorId: post.creator_id })
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

import { z } from 'zod'
import type { UserId } from '../../contracts/ids.ts'
import type { AnalyticsContext } from '../context.ts'
import { refKey } from '../measures/details.ts'
import { maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { accountParams, type OwnAccount, ownQuerySettings, type PostCounter } from './own-numbers.ts'
import { spanOf, type Which, type Windows } from './post-gains.ts'

const DayRow = z.object({
  platform: z.string(),
  id: z.string(),
  day: z.string(),
  end_ms: wholeNumber,
  views: maybeNumber,
  likes: maybeNumber,
  comments: maybeNumber,
  shares: maybeNumber,
  saves: maybeNumber,
  watch_minutes: maybeNumber,
  followers_gained: maybeNumber,
  followers_lost: maybeNumber,
  at_ms: wholeNumber,
})

/** What an account gained in one day of California, as the platform itself counts it. `end_ms` is when that day was over. */
export type OwnDay = Omit<z.infer<typeof DayRow>, 'platform' | 'id'>

/**
 * The days of accounts that were read, in order of time, by account id.
 * @param sinceMs days that were over before it are left out
 */
export async function readOwnDays(
  ctx: AnalyticsContext,
  own: {
    readonly owner: UserId
    readonly accounts: readonly Pick<OwnAccount, 'accountId' | 'platform' | 'creatorId'>[]
  },
  sinceMs: number,
): Promise<ReadonlyMap<string, readonly OwnDay[]>> {
  if (own.accounts.length === 0) return new Map()
  const values = { ...accountParams(own), sinceMs, toMs: ctx.world.clock.nowMs() }
  const rows = await runQuery(ctx, sqlPart('crm-performance', 'days'), values, DayRow, {
    tag: 'crm:days',
    settings: ownQuerySettings,
  })
  const byAccount = Map.groupBy(rows, refKey)
  return new Map(
    own.accounts.map(({ accountId, platform, creatorId }) => [
      accountId,
      byAccount.get(refKey({ platform, id: creatorId })) ?? [],
    ]),
  )
}

/** Days are ready after two to three days; what is older than this says nothing of now. */
export const daysLateMsMax = 5 * 86_400_000
const dayMs = 86_400_000

/** What is counted by day and can be added up. */
export type DayCounter = PostCounter | 'followers_gained' | 'followers_lost'

/** A sum over days; `atMs` is when the last of them was over. */
export interface DaySum {
  readonly value: number
  readonly isPartial: boolean
  readonly atMs: number
}

/**
 * What the platform counted by day: in a period as many whole days up to the last one that is ready, so that a period and
 * the one before have as many. A step of a day has the day that ended in it.
 * @param days in order of time
 * @returns null when there is none, or the last one is too old
 */
export function sumOfDays(days: readonly OwnDay[], name: DayCounter, which: Which, windows: Windows): DaySum | null {
  const { whole } = windows
  const given = days.filter(day => day[name] !== null)
  const [first, last] = [given[0], given.at(-1)]
  if (!first || !last || last.end_ms < whole.toMs - daysLateMsMax) return null
  const dayCount = Math.round((whole.toMs - whole.fromMs) / dayMs)
  const newest = numberOf(last) - (which === 'before' ? dayCount : 0)
  const isStep = typeof which === 'number'
  const { fromMs, toMs } = spanOf(windows, which)
  const counted = given.filter(day =>
    isStep
      ? day.end_ms > fromMs && day.end_ms <= toMs && windows.stepMs >= dayMs
      : numberOf(day) <= newest && numberOf(day) > newest - dayCount,
  )
  const end = counted.at(-1)
  if (!end) return null
  return {
    value: counted.reduce((sum, day) => sum + (day[name] ?? 0), 0),
    // Days on which nothing happened may be left out: only the time before the first one is unknown.
    isPartial: !isStep && numberOf(first) > newest - dayCount + 1,
    atMs: end.end_ms,
  }
}

/** Days since 1970. */
function numberOf(day: OwnDay): number {
  return Date.parse(day.day) / dayMs
}

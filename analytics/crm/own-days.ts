import { z } from 'zod'
import type { UserId } from '../../contracts/ids.ts'
import type { AnalyticsContext } from '../context.ts'
import { refKey } from '../measures/details.ts'
import { maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { accountParams, type OwnAccount, ownQuerySettings } from './own-numbers.ts'

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

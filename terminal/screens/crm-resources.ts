import { z } from 'zod'
import {
  AccountPerformanceSchema,
  type BestTime,
  BestTimeSchema,
  type CrmPeriod,
  CrmPostSchema,
  PerformanceSchema,
  type PostSort,
} from '../../contracts/crm.ts'
import type { ResourceQuery } from '../net/resource-client.ts'
import { type Pages, pageQuery } from '../state/pages.ts'

// What CRM asks the server for. Rows get the `key` that tables go by once, when they come in.

const KeyedPerformance = PerformanceSchema.extend({
  accounts: z.array(AccountPerformanceSchema.transform(row => ({ ...row, key: row.account.id }))),
})
export type CrmPerformance = z.output<typeof KeyedPerformance>
export type AccountRow = CrmPerformance['accounts'][number]

/** The numbers of one account, or of all. */
export function performanceResource(o: { period: CrmPeriod; accountId: string | null }): ResourceQuery<CrmPerformance> {
  const query = { period: o.period, ...accountQuery(o.accountId) }
  return { path: '/api/crm/performance', query, schema: KeyedPerformance, everyMs: 15_000 }
}

const KeyedPost = CrmPostSchema.transform(row => ({ ...row, key: row.videoId }))
export type PostRow = z.output<typeof KeyedPost>
const PostsPage = z.object({ data: z.array(KeyedPost), nextCursor: z.string().optional() })

/** A page of posts, the largest of the order first. */
export function postsResource(o: {
  sort: PostSort
  accountId: string | null
  pages: Pages
}): ResourceQuery<z.output<typeof PostsPage>> {
  const query = { sort: o.sort, limit: '50', ...accountQuery(o.accountId), ...pageQuery(o.pages) }
  return { path: '/api/crm/posts', query, schema: PostsPage, everyMs: 30_000 }
}

/** When posts did best. */
export function bestTimeResource(o: { timezone: string; accountId: string | null }): ResourceQuery<BestTime> {
  const query = { timezone: o.timezone, ...accountQuery(o.accountId) }
  return { path: '/api/crm/best-time', query, schema: BestTimeSchema, everyMs: 120_000 }
}

function accountQuery(accountId: string | null): Record<string, string> {
  return accountId === null ? {} : { accountId }
}

import { z } from 'zod'
import { type Platform, PlatformSchema, type UserId } from './ids.ts'
import { CreatorRowSchema } from './library.ts'
import { CreatorSearchParamsSchema, MissingReasonSchema } from './measures.ts'
import { PlatformAccountSchema } from './platform-accounts.ts'

/** A user's own accounts (`/api/crm/*`) and the creators that they watch (`/api/creators/monitor`). `docs/metrics.md` has the definitions. */

export const crmPeriods = ['24h', '7d', '30d', '90d'] as const
export type CrmPeriod = (typeof crmPeriods)[number]

const period = z.enum(crmPeriods).default('7d')
const accountId = z.uuid().optional()
const number = z.number().nullable()
/** `partial`: over the part of the period since the first reading. */
const KpiStateSchema = z.enum(['value', 'zero', 'partial', ...MissingReasonSchema.options])

/** `GET /api/crm/performance`. `accountId` is that of `/api/accounts`; without it all accounts that are not unlinked. */
export const PerformanceParamsSchema = z.strictObject({ period, accountId })
export type PerformanceParams = z.infer<typeof PerformanceParamsSchema>

/** Followers are those at the period's end, the engagement a ratio; all others what was gained in the period. */
export const kpiNames = ['followers', 'views', 'likes', 'comments', 'shares', 'saves', 'engagement'] as const
export type KpiName = (typeof kpiNames)[number]

/** `change` is against the period before of the same length; `changePct` in per cent of that, absent when that was 0. */
export const KpiSchema = z.object({
  value: number,
  state: KpiStateSchema,
  change: number,
  changePct: number,
  changeState: z.enum(['value', 'zero', ...MissingReasonSchema.options]),
  /** The latest reading behind the value. */
  observedAt: z.string().nullable(),
  /** Counters that the engagement is over; empty for the others. */
  over: z.array(z.string()),
  /** Where the platform's own counter stands; only there where no measure may be made of it. */
  counter: number.optional(),
})
export type Kpi = z.infer<typeof KpiSchema>

/** One step of a period, an hour of `24h` or else 24 hours: `at` is its end, and the last one ends with the period. */
export const KpiPointSchema = z.object({ at: z.string(), value: number, state: KpiStateSchema })
export type KpiPoint = z.infer<typeof KpiPointSchema>

const eachKpi = <S extends z.ZodType>(schema: S) =>
  z.object({
    followers: schema,
    views: schema,
    likes: schema,
    comments: schema,
    shares: schema,
    saves: schema,
    engagement: schema,
  })
const KpisSchema = eachKpi(KpiSchema)

/** One linked account with its numbers. `missingScopes` is what it would take for those that need a permission. */
export const AccountPerformanceSchema = z.object({
  account: PlatformAccountSchema.pick({
    id: true,
    platform: true,
    platformAccountId: true,
    name: true,
    handle: true,
    status: true,
    reason: true,
    missingScopes: true,
  }),
  kpis: KpisSchema,
})

/** `total` is over all accounts of the answer; its changes are over those that have both periods. */
export const PerformanceSchema = z.object({
  period: z.enum(crmPeriods),
  from: z.string(),
  asOf: z.string(),
  bucket: z.enum(['1h', '1d']),
  total: z.object({ kpis: KpisSchema, series: eachKpi(z.array(KpiPointSchema)) }),
  accounts: z.array(AccountPerformanceSchema),
})
export type Performance = z.infer<typeof PerformanceSchema>

export const postSorts = ['newest', 'views', 'likes', 'comments', 'shares', 'saves', 'engagement', 'outlier'] as const
export type PostSort = (typeof postSorts)[number]

/** `GET /api/crm/posts`: the largest first; posts without the number come last. `kind=vod` are recordings of streams. */
export const PostsParamsSchema = z.strictObject({
  sort: z.enum(postSorts).default('newest'),
  kind: z.enum(['clip', 'vod', 'stream']).optional(),
  accountId,
  limit: CreatorSearchParamsSchema.shape.limit,
  cursor: CreatorSearchParamsSchema.shape.cursor,
})
export type PostsParams = z.infer<typeof PostsParamsSchema>

/** Views at a fixed age. `pending`: the post is not that old yet. */
export const FrozenAgeSchema = z.object({
  age: z.enum(['V1h', 'V1', 'V3', 'V7', 'V30']),
  views: number,
  state: z.enum(['value', 'zero', 'pending', ...MissingReasonSchema.options]),
})
export type FrozenAge = z.infer<typeof FrozenAgeSchema>

/** A post of an own account with its last counters. `missing` says why a field is null. */
export const CrmPostSchema = z.object({
  videoId: z.string(),
  accountId: z.uuid(),
  platform: PlatformSchema,
  kind: z.string(),
  title: z.string(),
  url: z.string(),
  thumbnailUrl: z.string(),
  publishedAt: z.string().nullable(),
  durationSeconds: number,
  views: number,
  likes: number,
  comments: number,
  shares: number,
  saves: number,
  engagement: number,
  engagementOver: z.array(z.string()),
  /** Views divided by the median of the account's earlier posts of the same kind at the same age; and the robust z. */
  outlier: number,
  outlierZ: number,
  ages: z.array(FrozenAgeSchema),
  observedAt: z.string().nullable(),
  source: z.string(),
  missing: z.record(z.string(), MissingReasonSchema),
})
export type CrmPost = z.infer<typeof CrmPostSchema>

/** `GET /api/crm/days`: so many days up to yesterday in California. */
export const DaysParamsSchema = z.strictObject({ days: z.coerce.number().int().min(1).max(366).default(28), accountId })
export type DaysParams = z.infer<typeof DaysParamsSchema>

/** What an account gained in one day of California, as its platform counts it; null is not provided. */
export const CrmDaySchema = z.object({
  day: z.string(),
  views: number,
  likes: number,
  comments: number,
  shares: number,
  saves: number,
  watchMinutes: number,
  followersGained: number,
  followersLost: number,
  observedAt: z.string(),
})
export type CrmDay = z.infer<typeof CrmDaySchema>

/** Days of one account, the oldest first. `stale`: there are some, but none of the last five days. */
export const AccountDaysSchema = z.object({
  account: AccountPerformanceSchema.shape.account,
  state: z.enum(['value', 'needs_scope', 'stale', 'not_provided']),
  days: z.array(CrmDaySchema),
})
export type AccountDays = z.infer<typeof AccountDaysSchema>

const timezone = z
  .string()
  .regex(/^[A-Za-z0-9+/_:-]{1,64}$/, 'must be a time zone such as Europe/Berlin')
  .refine(isTimezone, 'must be a time zone such as Europe/Berlin')

/** `GET /api/crm/best-time`. */
export const BestTimeParamsSchema = z.strictObject({ timezone: timezone.default('UTC'), accountId })
export type BestTimeParams = z.infer<typeof BestTimeParamsSchema>

/**
 * What posts published in one hour of one weekday did in their first 24 hours. `weekday` is 1 (Monday) to 7, `hour` 0 to
 * 23; `posts` is how many the medians are over. `multiple` is against the median of their own account.
 */
export const BestTimeCellSchema = z.object({
  weekday: z.number().int().min(1).max(7),
  hour: z.number().int().min(0).max(23),
  posts: z.number().int(),
  views: number,
  multiple: number,
})
export type BestTimeCell = z.infer<typeof BestTimeCellSchema>

/**
 * All 168 cells, Monday 0 o'clock first. `posts` is over all cells; `from` is when the posts looked at begin. Posts of accounts
 * whose terms allow no measure are left out: `state` says so where that is all of them.
 */
export const BestTimeSchema = z.object({
  state: z.enum(['value', 'needs_amendment']),
  timezone: z.string(),
  from: z.string(),
  asOf: z.string(),
  posts: z.number().int(),
  cells: z.array(BestTimeCellSchema),
})
export type BestTime = z.infer<typeof BestTimeSchema>

/** Creators that one user watches. */
export const monitoredMax = 5_000

/** `GET /api/creators`: `monitored` leaves those that you watch (`true`) or the others (`false`). */
export const CreatorsParamsSchema = CreatorSearchParamsSchema.extend({
  monitored: z.enum(['true', 'false']).optional(),
})

/** A creator as a search finds it, and whether you watch it. */
export const ListedCreatorSchema = CreatorRowSchema.extend({ monitored: z.boolean() })
export type ListedCreator = z.infer<typeof ListedCreatorSchema>

/** `POST /api/creators/monitor`: an address, `@handle` or id (`youtube:UC…`). `platform` where the text does not say it. */
export const MonitorRequestSchema = z.strictObject({
  creator: z.string().min(1).max(500),
  platform: PlatformSchema.optional(),
})
export type MonitorRequest = z.infer<typeof MonitorRequestSchema>

/** Who is looked for on a platform, and on whose behalf. Instagram knows others by their `username` alone. */
export interface CreatorQuestion {
  readonly ownerId: UserId
  readonly platform: Platform
  readonly ref: { readonly by: 'id' | 'handle' | 'username'; readonly value: string }
}

/** What the platform said; or, as a sentence, why nothing: it has nobody by that name (`isUnknown`), or cannot be asked. */
export type CreatorAnswer =
  | { readonly found: { readonly creatorId: string; readonly handle: string } }
  | { readonly found: null; readonly isUnknown: boolean; readonly reason: string }

/** `isNew` is false when you watched it already. */
export const MonitoredSchema = z.object({ creator: ListedCreatorSchema, isNew: z.boolean() })
export type Monitored = z.infer<typeof MonitoredSchema>

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

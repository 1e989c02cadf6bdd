import { z } from 'zod'
import { CreatorIdSchema, PlatformSchema, TopicIdSchema, VideoIdSchema } from './ids.ts'
import { TrendingSchema } from './trending.ts'
import { VodIdSchema } from './vods.ts'

/** Why a number is not there. Missing is a state, never a zero. */
export const MissingReasonSchema = z.enum([
  'not_provided', // the platform or source does not give it
  'needs_scope', // it would take a permission that the user has not granted
  'stale', // the last reading is older than the window allows
  'too_few', // not enough readings to compute it
  'needs_amendment', // the platform's terms forbid to derive it: `amendment` of platform-accounts.ts has the way
])
export type MissingReason = z.infer<typeof MissingReasonSchema>

/** How a gain came about: two readings; published inside the window (start is zero); first reading inside the window. */
export const GainStateSchema = z.enum(['value', 'new', 'partial'])

export const trendTypes = ['clips', 'creators', 'topics'] as const
export const periods = ['1h', '6h', '24h', '7d', '30d'] as const
export type Period = (typeof periods)[number]
/** The length of each named period in milliseconds. */
export const periodMs: Readonly<Record<Period, number>> = {
  '1h': 3_600_000,
  '6h': 21_600_000,
  '24h': 86_400_000,
  '7d': 604_800_000,
  '30d': 2_592_000_000,
}

export const trendSorts = ['gain', 'velocity', 'acceleration', 'views', 'engagement', 'outlier', 'clippers'] as const
export const metrics = ['views', 'gain', 'velocity', 'acceleration', 'engagement', 'clippers', 'followers'] as const
export const buckets = ['5m', '1h', '6h', '1d', '7d'] as const
export type Bucket = (typeof buckets)[number]
export const bucketMs: Readonly<Record<Bucket, number>> = {
  '5m': 300_000,
  '1h': 3_600_000,
  '6h': 21_600_000,
  '1d': 86_400_000,
  '7d': 604_800_000,
}

const iso = z.iso.datetime({ offset: true })
const niche = z.string().regex(/^[a-z0-9-]{1,40}$/, 'must be a niche name such as brain-rot')
const country = z
  .string()
  .regex(/^[A-Za-z]{2}$/, 'must be a two-letter country code')
  .transform(code => code.toUpperCase())
const int = (min: number, max: number) =>
  z
    .union([
      z.number(),
      z
        .string()
        .regex(/^\d{1,6}$/, 'must be a whole number')
        .transform(Number),
    ])
    .pipe(z.number().int().min(min).max(max))

/** A window: either a named period ending now, or `from` and `to` (instants, `from` < `to`, at most 400 days). */
const windowFields = {
  period: z.enum(periods).optional(),
  from: iso.optional(),
  to: iso.optional(),
}
function checkWindow(
  value: { period?: string | undefined; from?: string | undefined; to?: string | undefined },
  ctx: z.RefinementCtx,
): void {
  const { period, from, to } = value
  const refuse = (path: string, message: string) => ctx.addIssue({ code: 'custom', path: [path], message })
  if (period && (from || to)) refuse('period', 'use either period or from and to, not both')
  else if (!from !== !to) refuse(from ? 'to' : 'from', 'from and to come together')
  else if (from && to) {
    const spanMs = Date.parse(to) - Date.parse(from)
    if (spanMs <= 0) refuse('to', 'must lie after from')
    else if (spanMs > 400 * 86_400_000) refuse('to', 'a window may be at most 400 days long')
  }
}

const filterFields = {
  platform: z.enum(['all', ...PlatformSchema.options]).default('all'),
  niche: niche.optional(),
  country: country.optional(),
  creator: CreatorIdSchema.optional(),
  topic: TopicIdSchema.optional(),
}

/** Parameters of `GET /api/analytics/trends` and of the live query `trends`. `sort` defaults to `gain`. */
export const TrendsParamsSchema = z
  .strictObject({
    type: z.enum(trendTypes).default('clips'),
    ...filterFields,
    ...windowFields,
    sort: z.enum(trendSorts).default('gain'),
    limit: int(1, 500).default(50),
    cursor: z.string().max(500).optional(),
  })
  .superRefine(checkWindow)
export type TrendsParams = z.infer<typeof TrendsParamsSchema>

/**
 * Parameters of `GET /api/analytics/series` and of the live query `series`. `id` is a video, creator or topic id by
 * `type`; of a VOD that is on no platform there are clippers.
 */
export const SeriesParamsSchema = z
  .strictObject({
    type: z.enum(trendTypes),
    id: z.string().min(1).max(300),
    metric: z.enum(metrics).default('views'),
    platform: filterFields.platform,
    ...windowFields,
    bucket: z.enum(buckets).optional(),
  })
  .superRefine(checkWindow)
  .superRefine((value, ctx) => {
    const clip = value.metric === 'clippers' ? VodIdSchema : VideoIdSchema
    const schema = value.type === 'clips' ? clip : value.type === 'creators' ? CreatorIdSchema : TopicIdSchema
    const parsed = schema.safeParse(value.id)
    if (!parsed.success)
      ctx.addIssue({ code: 'custom', path: ['id'], message: parsed.error.issues[0]?.message ?? 'is not valid' })
  })
export type SeriesParams = z.infer<typeof SeriesParamsSchema>

const number = z.number().nullable()
/** Names of fields of the row that are null, with the reason. */
const missing = z.record(z.string(), MissingReasonSchema)

/** One ranked clip, creator or topic. `key` is the wire id (a topic's text for topics). Rates are per hour; instants ISO 8601 UTC. */
export const TrendRowSchema = z.object({
  key: z.string(),
  rank: z.number().int().min(1),
  /** Rank one window ago minus rank now: positive is a climb; null when it was not ranked then. */
  rankChange: z.number().int().nullable(),
  platform: PlatformSchema.nullable(),
  title: z.string(),
  creatorId: z.string().nullable(),
  creatorName: z.string().nullable(),
  url: z.string(),
  publishedAt: z.string().nullable(),
  views: number,
  gain: number,
  gainState: GainStateSchema,
  velocity: number,
  acceleration: number,
  engagement: number,
  /** Which counters the engagement is over, e.g. ["likes","comments"]. */
  engagementOver: z.array(z.string()),
  outlier: number,
  outlierZ: number,
  clippers: z.number().int().nullable(),
  followers: number,
  /** How many videos stand behind the row (1 for a clip). */
  videos: z.number().int(),
  niches: z.array(z.string()),
  regions: z.array(z.string()),
  /** When the latest reading behind the row was taken, and by which source. */
  sampleAt: z.string().nullable(),
  source: z.string(),
  /** Views at evenly spaced instants over the window, oldest first; null is a gap. Empty when not asked for. */
  spark: z.array(number),
  missing,
  /** Only in answers for plans with premium indicators; null when nothing stands out. */
  trending: TrendingSchema.nullable().optional(),
})
export type TrendRow = z.infer<typeof TrendRowSchema>

/** One point of a series. `state` is `value`, `zero`, or why there is none. */
export const SeriesPointSchema = z.object({
  at: z.string(),
  value: number,
  state: z.enum(['value', 'zero', ...MissingReasonSchema.options]),
})
export type SeriesPoint = z.infer<typeof SeriesPointSchema>

/** Level of the clip index of one niche. `level` is 100 at its base day. */
export const IndexRowSchema = z.object({
  key: z.string(),
  niche: z.string(),
  label: z.string(),
  level: number,
  changePct: number,
  baseAt: z.string().nullable(),
  constituents: z.number().int(),
  velocity: number,
  spark: z.array(number),
})
export type IndexRow = z.infer<typeof IndexRowSchema>

export const IndexParamsSchema = z.strictObject({
  platform: filterFields.platform,
  period: z.enum(periods).default('7d'),
  niche: niche.optional(),
})
export type IndexParams = z.infer<typeof IndexParamsSchema>

/**
 * One fact of a description, with its provenance. Screens know these keys: `title` (of a clip), `name` (of a creator),
 * `regions` (upper-case country codes, separated by `, `) and `engagement`; all others are shown as they come.
 */
export const FactSchema = z.object({
  key: z.string(),
  group: z.string(),
  label: z.string(),
  value: z.union([z.string(), z.number()]).nullable(),
  unit: z.enum(['count', 'perHour', 'ratio', 'multiple', 'instant', 'seconds', 'text', 'percent']),
  state: z.enum(['value', 'zero', ...MissingReasonSchema.options]),
  source: z.string(),
  observedAt: z.string().nullable(),
  /** The rule or definition behind it, e.g. `definition 1` or the niche rule that matched. */
  note: z.string(),
})
export type Fact = z.infer<typeof FactSchema>

export const DescribeParamsSchema = z.strictObject({
  type: z.enum(trendTypes),
  id: z.string().min(1).max(300),
  period: z.enum(periods).default('24h'),
})
export type DescribeParams = z.infer<typeof DescribeParamsSchema>

export const CreatorSearchParamsSchema = z.strictObject({
  search: z.string().max(200).default(''),
  platform: filterFields.platform,
  limit: int(1, 100).default(20),
  cursor: z.string().max(500).optional(),
})
export type CreatorSearchParams = z.infer<typeof CreatorSearchParamsSchema>

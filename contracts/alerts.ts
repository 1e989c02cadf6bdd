import { z } from 'zod'
import { PlatformSchema } from './ids.ts'
import { metrics, periods, TrendsParamsSchema, trendSorts, trendTypes } from './measures.ts'
import { checkSubject, subjectFields, withKnownId } from './subjects.ts'

/** Alerts: `/api/alerts`. A rule reads a measure, and fires when its condition becomes true; `docs/alerts.md`. */

/** Alerts of one user whose plan has no limit of its own. */
export const alertsMax = 1000
/** Rows that a firing keeps of those which caused it. */
export const firingRowsMax = 20
/** How long firings are kept, in days. */
export const firingDays = 90
/** Evaluations of one back-test. */
export const backtestStepsMax = 400

/** What can be read of one subject: as in a chart, and for clips the outlier multiple. */
export const subjectMetrics = [...metrics, 'outlier'] as const
/** What can be read of each row of a ranked list. */
export const listMetrics = [...trendSorts, 'followers', 'rankChange'] as const

/** What is made of many rows: each for itself, or one number of all. */
export const alertReads = ['any', 'count', 'sum', 'average', 'least', 'largest'] as const
export type AlertRead = (typeof alertReads)[number]

const period = z.enum(periods).default('24h')
const platform = z.enum(['all', ...PlatformSchema.options]).default('all')
const read = z.enum(alertReads).default('any')

const SubjectMeasureSchema = z
  .strictObject({
    source: z.literal('subject'),
    ...subjectFields,
    metric: z.enum(subjectMetrics).default('views'),
    period,
    platform,
  })
  .superRefine(checkSubject)
  .superRefine(({ type, metric }, ctx) => {
    if (metric === 'outlier' && type !== 'clips')
      ctx.addIssue({ code: 'custom', path: ['metric'], message: 'only clips have an outlier multiple' })
  })
  .overwrite(withKnownId)

const { niche, country, creator, topic } = TrendsParamsSchema.shape

const ListMeasureSchema = z.strictObject({
  source: z.literal('list'),
  type: z.enum(trendTypes).default('clips'),
  platform,
  ...{ niche, country, creator, topic },
  period,
  sort: z.enum(trendSorts).default('gain'),
  /** Only so many rows are looked at. */
  top: z.number().int().min(1).max(200).default(50),
  metric: z.enum(listMetrics).default('gain'),
  read,
})

const QueryMeasureSchema = z.strictObject({
  source: z.literal('query'),
  queryId: z.uuid(),
  params: z.record(z.string().max(64), z.union([z.string().max(2000), z.number(), z.boolean()])).default({}),
  /** The column whose numbers are read; a count needs none. */
  column: z.string().max(200).default(''),
  /** The column that tells rows apart; without it the first column that is not the one that is read. */
  keyColumn: z.string().max(200).optional(),
  read,
})

/** What an alert reads: a measure of one subject, a ranked list, or a saved query. */
export const AlertMeasureSchema = z.discriminatedUnion('source', [
  SubjectMeasureSchema,
  ListMeasureSchema,
  QueryMeasureSchema,
])
export type AlertMeasure = z.infer<typeof AlertMeasureSchema>

/**
 * When an alert fires. Every kind has two levels: it fires beyond the first and is armed again at `rearm`, which is the
 * first one where nothing is said. Between them nothing happens, so that a number which trembles there fires once.
 */
export const AlertConditionSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('threshold'),
    direction: z.enum(['above', 'below']).default('above'),
    value: z.number(),
    rearm: z.number().optional(),
  }),
  z.strictObject({
    kind: z.literal('change'),
    direction: z.enum(['up', 'down']).default('up'),
    /** How much, in the measure's own unit or in percent of what it was. */
    by: z.number().positive(),
    unit: z.enum(['absolute', 'percent']).default('percent'),
    /** Against the value this long ago. */
    over: period,
    rearm: z.number().min(0).optional(),
  }),
  z.strictObject({
    kind: z.literal('outlier'),
    /** Times the usual: of clips as in docs/metrics.md, of a query's rows the median of its column. */
    times: z.number().positive(),
    rearm: z.number().min(0).optional(),
  }),
  z.strictObject({
    kind: z.literal('entrant'),
    /** Who is among the first so many rows and was not before. */
    top: z.number().int().min(1).max(100),
    /** Who falls below this rank may be new again. */
    rearm: z.number().int().min(1).max(200).optional(),
  }),
])
export type AlertCondition = z.infer<typeof AlertConditionSchema>

/** Where a firing is told. It is kept in any case. */
const ChannelsSchema = z.strictObject({
  terminal: z.boolean().default(true),
  webhook: z.boolean().default(false),
  email: z.boolean().default(false),
})
export const AlertRuleSchema = z
  .strictObject({
    measure: AlertMeasureSchema,
    condition: AlertConditionSchema,
    /** After a firing there is no other one for so long, in data time. */
    cooldownSeconds: z
      .number()
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(900),
    channels: ChannelsSchema.prefault({}),
  })
  .superRefine(checkRule)
export type AlertRule = z.infer<typeof AlertRuleSchema>

/** A list that mails every few seconds would be spam, of its own making. */
const emailCooldownSecondsMin = 300

function checkRule(
  {
    measure,
    condition,
    cooldownSeconds,
    channels,
  }: {
    measure: AlertMeasure
    condition: AlertCondition
    cooldownSeconds: number
    channels: z.infer<typeof ChannelsSchema>
  },
  ctx: z.RefinementCtx,
): void {
  const refuse = (path: string[], message: string) => ctx.addIssue({ code: 'custom', path, message })
  if (channels.email && cooldownSeconds < emailCooldownSecondsMin)
    refuse(['cooldownSeconds'], `must be at least ${emailCooldownSecondsMin} where mails are sent`)
  if (measure.source === 'query' && measure.read !== 'count' && measure.column === '' && condition.kind !== 'entrant')
    refuse(['measure', 'column'], 'name the column that is read, or count the rows')
  if (condition.kind === 'entrant' && (measure.source === 'subject' || measure.read !== 'any'))
    refuse(['condition', 'kind'], 'new entrants are looked for among the rows of a list or query')
  if (condition.kind === 'outlier' && !hasOutliers(measure))
    refuse(['condition', 'kind'], 'an outlier multiple is that of a clip, of a list of clips, or of rows of a query')
  const rearm = condition.rearm
  if (rearm === undefined) return
  const isBeyond = {
    threshold: () =>
      condition.kind === 'threshold' &&
      (condition.direction === 'above' ? rearm > condition.value : rearm < condition.value),
    change: () => condition.kind === 'change' && rearm > condition.by,
    outlier: () => condition.kind === 'outlier' && rearm > condition.times,
    entrant: () => condition.kind === 'entrant' && rearm < condition.top,
  }[condition.kind]()
  if (isBeyond) refuse(['condition', 'rearm'], 'must lie on the side where the alert does not fire')
}

function hasOutliers(measure: AlertMeasure): boolean {
  if (measure.source === 'query') return measure.read === 'any'
  return measure.type === 'clips' && (measure.source === 'subject' || measure.read === 'any')
}

const name = z.string().trim().min(1).max(120)

export const AlertRequestSchema = z.strictObject({
  name,
  rule: AlertRuleSchema,
  isEnabled: z.boolean().default(true),
})
export type AlertRequest = z.infer<typeof AlertRequestSchema>

/** Null ends the silence at once. */
export const AlertMuteSchema = z.strictObject({ until: z.iso.datetime({ offset: true }).nullable() })

/**
 * `armed`: waits for its condition; `firing`: the condition holds and was told; `cooling`: a firing was not long ago;
 * `muted`: it fires and tells nobody; `error`: it could not be read, and is tried again.
 */
export const alertStates = ['armed', 'firing', 'cooling', 'muted', 'error', 'off'] as const
export type AlertState = (typeof alertStates)[number]

export const AlertSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  rule: AlertRuleSchema,
  version: z.number().int(),
  isEnabled: z.boolean(),
  state: z.enum(alertStates),
  mutedUntil: z.iso.datetime().nullable(),
  /** What was read last; null before, or where there is no number. */
  value: z.number().nullable(),
  /** Data time of that reading. */
  valueAt: z.iso.datetime().nullable(),
  error: z.string().nullable(),
  /** Of the last firing, in real time. */
  firedAt: z.iso.datetime().nullable(),
  /** Firings that nobody has looked at. */
  unseenCount: z.number().int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type Alert = z.infer<typeof AlertSchema>

export const AlertsSchema = z.object({
  data: z.array(AlertSchema),
  /** How many there may be. */
  limit: z.number().int(),
})
export type Alerts = z.infer<typeof AlertsSchema>

/** A row that caused a firing. */
export const FiringRowSchema = z.object({
  key: z.string(),
  label: z.string(),
  value: z.number().nullable(),
  /** What it was before, of a change. */
  before: z.number().nullable(),
  /** The place on the list, of an entrant. */
  rank: z.number().int().nullable(),
  /** What `key` is the id of, where it is one. */
  type: z.enum(trendTypes).nullable(),
})
export type FiringRow = z.infer<typeof FiringRowSchema>

export const FiringDeliverySchema = z.object({
  channel: z.enum(['terminal', 'webhook', 'email']),
  status: z.enum(['waiting', 'delivered', 'failed', 'muted', 'nobody']),
  detail: z.string(),
})
export type FiringDelivery = z.infer<typeof FiringDeliverySchema>

export const FiringSchema = z.object({
  id: z.uuid(),
  alertId: z.uuid(),
  name: z.string(),
  /** Of the rule that fired. */
  version: z.number().int(),
  /** Data time of the reading. */
  at: z.iso.datetime(),
  firedAt: z.iso.datetime(),
  /** Readings of a replay fire as well, in the terminal alone. */
  isReplay: z.boolean(),
  /** What happened, in plain words. */
  sentence: z.string(),
  value: z.number().nullable(),
  /** The first rows that caused it, at most 20 of `rowCount`. */
  rows: z.array(FiringRowSchema),
  rowCount: z.number().int(),
  isMuted: z.boolean(),
  seenAt: z.iso.datetime().nullable(),
  deliveries: z.array(FiringDeliverySchema),
})
export type Firing = z.infer<typeof FiringSchema>

/** Says that firings were looked at: of one alert, or all. */
export const SeenSchema = z.strictObject({ alertId: z.uuid().optional() })

/** Payload of the event `alert.fired` on /ws, and `data` of the webhook. */
export const AlertFiredSchema = FiringSchema.pick({
  id: true,
  alertId: true,
  name: true,
  version: true,
  at: true,
  firedAt: true,
  isReplay: true,
  sentence: true,
  value: true,
  rows: true,
  rowCount: true,
})
export type AlertFired = z.infer<typeof AlertFiredSchema>

const instant = z.iso.datetime({ offset: true })

/** A rule over past readings. Without an end it is now; without a beginning 7 days before the end. */
export const BacktestRequestSchema = z
  .strictObject({
    rule: AlertRuleSchema,
    from: instant.optional(),
    to: instant.optional(),
    /** Data time from one evaluation to the next; without it as many as fit. */
    stepSeconds: z
      .number()
      .int()
      .min(60)
      .max(30 * 86_400)
      .optional(),
  })
  .superRefine(({ from, to }, ctx) => {
    if (from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to))
      ctx.addIssue({ code: 'custom', path: ['to'], message: 'must lie after from' })
  })
export type BacktestRequest = z.infer<typeof BacktestRequestSchema>

export const BacktestSchema = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  stepSeconds: z.number().int(),
  /** Evaluations made. */
  steps: z.number().int(),
  /** It took too long, and ends before `to`. */
  isCut: z.boolean(),
  /** What was read at each step; null where there was no number. */
  points: z.array(z.object({ at: z.iso.datetime(), value: z.number().nullable() })),
  firings: z.array(
    z.object({
      at: z.iso.datetime(),
      sentence: z.string(),
      value: z.number().nullable(),
      rows: z.array(FiringRowSchema),
      rowCount: z.number().int(),
    }),
  ),
})
export type Backtest = z.infer<typeof BacktestSchema>

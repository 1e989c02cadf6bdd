import { z } from 'zod'
import { planNames } from './accounts.ts'

/** Plans, credits and use: `/api/plans`, `/api/subscription`, `/api/usage`, `/api/credits`. */

/** What a plan limits. Counts; null is no limit. */
export const PlanLimitsSchema = z.object({
  downloadsPerMonth: z.number().int().nullable(),
  apiCallsPerMinute: z.number().int().nullable(),
  liveQueries: z.number().int().nullable(),
  creditsPerMonth: z.number().int().nullable(),
  /** What clips and other results may take together, in bytes. */
  storageBytes: z.number().int().nullable(),
  /** How long results are kept, in days. */
  resultDays: z.number().int().nullable(),
  premiumIndicators: z.boolean(),
  /** Alerts that there may be. */
  alerts: z.number().int().nullable(),
  /** Of one SQL query: how long it may run, in seconds. */
  querySeconds: z.number().int(),
  queryMemoryBytes: z.number().int(),
  queryRowsRead: z.number().int(),
  /** Rows that it may give. */
  queryRows: z.number().int(),
  /** SQL queries that run at a time, beside live ones. */
  queriesAtOnce: z.number().int(),
})
export type PlanLimits = z.infer<typeof PlanLimitsSchema>

/** `priceUsdCents` a month; null where no price is set yet. */
export const PlanSchema = z.object({
  name: z.enum(planNames),
  title: z.string(),
  priceUsdCents: z.number().int().nullable(),
  limits: PlanLimitsSchema,
})
export type Plan = z.infer<typeof PlanSchema>
export const PlansSchema = z.object({ data: z.array(PlanSchema) })

/** `isUnlimited`: the owner of an embedded home, who pays nobody. */
export const SubscriptionSchema = z.object({
  plan: z.enum(planNames),
  status: z.enum(['active', 'past_due', 'canceled']),
  periodStart: z.iso.datetime(),
  periodEnd: z.iso.datetime(),
  isUnlimited: z.boolean(),
  limits: PlanLimitsSchema,
  /** Whether a plan can be bought here. */
  isPaymentConnected: z.boolean(),
})
export type Subscription = z.infer<typeof SubscriptionSchema>

/** One limit and what was used of it in the present period. `limit` null is no limit. */
export const UsageRowSchema = z.object({
  metric: z.enum(['downloads', 'apiCalls', 'liveQueries', 'credits']),
  used: z.number().int(),
  limit: z.number().int().nullable(),
  periodStart: z.iso.datetime(),
  /** When the count starts again. */
  resetsAt: z.iso.datetime(),
})
export type UsageRow = z.infer<typeof UsageRowSchema>
export const UsageSchema = z.object({
  data: z.array(UsageRowSchema),
  credits: z.object({ available: z.number().int(), reserved: z.number().int(), isUnlimited: z.boolean() }),
})
export type Usage = z.infer<typeof UsageSchema>

export const LedgerRowSchema = z.object({
  id: z.string(),
  entry: z.enum(['grant', 'reserve', 'capture', 'release', 'expire']),
  amount: z.number().int(),
  reason: z.string(),
  availableAfter: z.number().int(),
  reservedAfter: z.number().int(),
  expiresAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
})
export type LedgerRow = z.infer<typeof LedgerRowSchema>
export const LedgerSchema = z.object({ data: z.array(LedgerRowSchema), nextCursor: z.string().optional() })

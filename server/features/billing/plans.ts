import { type PlanName, planNames } from '../../../contracts/accounts.ts'
import type { Plan, PlanLimits } from '../../../contracts/billing.ts'

const gib = 1024 ** 3

/**
 * The plans as data: everything that reads a limit reads it here, and `docs/billing.md` is made from it. A price is null
 * until payment is connected.
 */
const planTable: Readonly<Record<PlanName, Omit<Plan, 'name'>>> = {
  free: {
    title: 'Free',
    priceUsdCents: 0,
    limits: {
      downloadsPerMonth: 10,
      apiCallsPerMinute: 60,
      liveQueries: 32,
      creditsPerMonth: 50,
      storageBytes: 2 * gib,
      resultDays: 7,
      premiumIndicators: false,
      alerts: 10,
      querySeconds: 20,
      queryMemoryBytes: 0.5 * gib,
      queryRowsRead: 500_000_000,
      queryRows: 100_000,
      queriesAtOnce: 2,
    },
  },
  pro: {
    title: 'Pro',
    priceUsdCents: null,
    limits: {
      downloadsPerMonth: 200,
      apiCallsPerMinute: 600,
      liveQueries: 128,
      creditsPerMonth: 1_000,
      storageBytes: 50 * gib,
      resultDays: 30,
      premiumIndicators: true,
      alerts: 100,
      querySeconds: 60,
      queryMemoryBytes: gib,
      queryRowsRead: 2_000_000_000,
      queryRows: 1_000_000,
      queriesAtOnce: 4,
    },
  },
  premium: {
    title: 'Premium',
    priceUsdCents: null,
    limits: {
      downloadsPerMonth: null,
      apiCallsPerMinute: 3_000,
      liveQueries: 512,
      creditsPerMonth: 10_000,
      storageBytes: 500 * gib,
      resultDays: 90,
      premiumIndicators: true,
      alerts: 1_000,
      querySeconds: 120,
      queryMemoryBytes: 2 * gib,
      queryRowsRead: 10_000_000_000,
      queryRows: 5_000_000,
      queriesAtOnce: 8,
    },
  },
}

/** From the smallest to the largest. */
export const plans: readonly Plan[] = planNames.map(name => ({ name, ...planTable[name] }))

/** Of the owner of an embedded home, who pays nobody. Queries have limits all the same: the machine must stay usable. */
const withoutLimits: PlanLimits = {
  downloadsPerMonth: null,
  apiCallsPerMinute: null,
  liveQueries: null,
  creditsPerMonth: null,
  storageBytes: null,
  resultDays: null,
  premiumIndicators: true,
  alerts: null,
  querySeconds: 60,
  queryMemoryBytes: gib,
  queryRowsRead: 10_000_000_000,
  queryRows: 5_000_000,
  queriesAtOnce: 8,
}

/** What a user may use: that of the plan, or everything. */
export function limitsOfPlan(plan: PlanName, isUnlimited: boolean): PlanLimits {
  return isUnlimited ? withoutLimits : planTable[plan].limits
}

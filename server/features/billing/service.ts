import type { PlanName } from '../../../contracts/accounts.ts'
import type { LedgerRow, Subscription, Usage, UsageRow } from '../../../contracts/billing.ts'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Caller } from '../../http/caller.ts'
import { recordAudit } from '../audit/record.ts'
import { type BillingAccount, billingAccount } from './account.ts'
import { expireCredits, grantCredits, type LedgerContext } from './ledger.ts'
import { minuteOf } from './period.ts'
import { plans } from './plans.ts'
import type { UsageMeter } from './usage-meter.ts'

interface BillingDeps {
  readonly db: Db
  readonly clock: Clock
  readonly usage: UsageMeter
}

/** Counters of a minute are of no use to anybody a day later. */
const minuteCountersKeptMs = 86_400_000
/** Users whose grants have ended, settled in one run of the job. */
const usersPerRunMax = 1_000

export async function subscriptionOf(deps: BillingDeps, userId: UserId): Promise<Subscription> {
  return subscriptionForm(await accountNow(deps, userId))
}

/** Every limit with what was used of it, and the credits. */
export async function usageOf(deps: BillingDeps, userId: UserId): Promise<Usage> {
  const account = await settleIfDue(deps, userId)
  const now = new Date(deps.clock.nowMs())
  const minute = minuteOf(now)
  const { limits, period } = account
  const { counters, balance, spent } = await deps.db.asUser(userId, async trx => ({
    counters: await trx
      .selectFrom('usage_counters')
      .select(['metric', 'used'])
      .where(eb =>
        eb.or([
          eb.and([eb('metric', '=', 'apiCalls'), eb('period_start', '=', minute.startAt)]),
          eb.and([eb('metric', '=', 'downloads'), eb('period_start', '=', period.startAt)]),
        ]),
      )
      .execute(),
    balance: await trx.selectFrom('credit_accounts').select(['available', 'reserved']).executeTakeFirst(),
    spent: await trx
      .selectFrom('credit_ledger')
      .select(eb => eb.fn.sum<string | null>('amount').as('amount'))
      .where('entry', '=', 'capture')
      .where('created_at', '>=', period.startAt)
      .executeTakeFirst(),
  }))
  const counted = (metric: 'apiCalls' | 'downloads') =>
    Number(counters.find(row => row.metric === metric)?.used ?? 0) +
    deps.usage.waitingUse(userId, metric, metric === 'apiCalls' ? minute : period)
  const row = (metric: UsageRow['metric'], used: number, limit: number | null, of = period): UsageRow => ({
    metric,
    used,
    limit,
    periodStart: of.startAt.toISOString(),
    resetsAt: of.endAt.toISOString(),
  })
  return {
    data: [
      row('downloads', counted('downloads'), limits.downloadsPerMonth),
      row('apiCalls', counted('apiCalls'), limits.apiCallsPerMinute, minute),
      row('liveQueries', deps.usage.openLiveQueries(userId), limits.liveQueries, { startAt: now, endAt: now }),
      row('credits', Number(spent?.amount ?? 0), limits.creditsPerMonth),
    ],
    credits: {
      available: Number(balance?.available ?? 0),
      reserved: Number(balance?.reserved ?? 0),
      isUnlimited: account.isUnlimited,
    },
  }
}

/** The ledger, newest line first. `before` is the id of the last line that was seen. */
export async function listLedger(
  deps: BillingDeps,
  userId: UserId,
  page: { readonly limit: number; readonly before: string | null },
): Promise<{ rows: LedgerRow[]; hasMore: boolean }> {
  await settleIfDue(deps, userId)
  const found = await deps.db.asUser(userId, trx => {
    const lines = trx.selectFrom('credit_ledger').selectAll()
    const older = page.before === null ? lines : lines.where('id', '<', page.before)
    return older
      .orderBy('id', 'desc')
      .limit(page.limit + 1)
      .execute()
  })
  const rows = found.slice(0, page.limit).map(row => ({
    id: row.id,
    entry: row.entry,
    amount: Number(row.amount),
    reason: row.reason,
    availableAfter: Number(row.available_after),
    reservedAfter: Number(row.reserved_after),
    expiresAt: row.expires_at?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
  }))
  return { rows, hasMore: found.length > page.limit }
}

/**
 * Changes a plan. What costs money takes a payment, which nobody can make yet: only those who run this installation give
 * themselves a plan without one.
 * @throws AppError NOT_CONFIGURED for a plan that has to be paid for
 */
export async function choosePlan(
  deps: BillingDeps,
  userId: UserId,
  caller: Caller,
  plan: PlanName,
): Promise<Subscription> {
  const isFree = plans.find(one => one.name === plan)?.priceUsdCents === 0
  const role = caller.principal?.role
  if (!isFree && role !== 'owner' && role !== 'admin') {
    throw new AppError(
      'NOT_CONFIGURED',
      'Payment is not connected yet, so this plan cannot be bought here: your present plan stays as it is.',
    )
  }
  const at = new Date(deps.clock.nowMs())
  const account = await deps.db.transaction(async trx => {
    const before = await billingAccount(trx, userId, at)
    if (before.plan === plan) return before
    await trx.updateTable('users').set({ plan }).where('id', '=', userId).execute()
    const month = new Date(at)
    const row = { plan, status: 'active' as const, period_start: month, period_end: month, updated_at: at }
    await trx
      .insertInto('subscriptions')
      .values({ user_id: userId, ...row })
      .onConflict(conflict => conflict.column('user_id').doUpdateSet(row))
      .execute()
    const now = await billingAccount(trx, userId, at)
    await trx.updateTable('subscriptions').set({ period_end: now.period.endAt }).where('user_id', '=', userId).execute()
    await recordAudit(trx, userId, caller, {
      action: 'plan.changed',
      target: null,
      details: { from: before.plan, to: plan },
    })
    return now
  })
  deps.usage.forget(userId)
  return subscriptionForm(account)
}

/**
 * The job: takes back what ended unspent, of everybody, and drops counters of minutes long past. A plan's monthly credits
 * are granted to a user when somebody next looks at or spends them.
 */
export async function settleBilling(deps: Pick<BillingDeps, 'db' | 'clock'>): Promise<{ users: number }> {
  const at = new Date(deps.clock.nowMs())
  const due = await deps.db.system
    .selectFrom('credit_lots')
    .select('user_id')
    .distinct()
    .where('left_amount', '>', '0')
    .where('expires_at', '<=', at)
    .limit(usersPerRunMax)
    .execute()
  for (const { user_id } of due) {
    await deps.db.transaction(trx => expireCredits({ trx, at }, UserIdSchema.parse(user_id)))
  }
  await deps.db.system
    .deleteFrom('usage_counters')
    .where('metric', '=', 'apiCalls')
    .where('period_start', '<', new Date(at.getTime() - minuteCountersKeptMs))
    .execute()
  return { users: due.length }
}

/**
 * Brings a user's credits to the present: this period's credits of the plan are granted once, what has ended is taken
 * back. Verbs that spend call it first, in their own transaction.
 */
export async function settleCredits(ctx: LedgerContext, userId: UserId): Promise<BillingAccount> {
  const account = await billingAccount(ctx.trx, userId, ctx.at)
  await expireCredits(ctx, userId)
  const amount = account.limits.creditsPerMonth
  if (amount !== null && amount > 0) {
    await grantCredits(ctx, {
      userId,
      amount,
      reason: `Credits of the plan ${account.plan} for this month`,
      key: planGrantKey(account),
      expiresAt: account.period.endAt,
    })
  }
  return account
}

/** Reads first: most of the time nothing is due, and nobody has to wait for the account's lock. */
async function settleIfDue(deps: BillingDeps, userId: UserId): Promise<BillingAccount> {
  const at = new Date(deps.clock.nowMs())
  return await deps.db.transaction(async trx => {
    const account = await billingAccount(trx, userId, at)
    const lapsed = await trx
      .selectFrom('credit_lots')
      .select('grant_id')
      .where('user_id', '=', userId)
      .where('left_amount', '>', '0')
      .where('expires_at', '<=', at)
      .limit(1)
      .executeTakeFirst()
    const granted = await trx
      .selectFrom('credit_ledger')
      .select('id')
      .where('user_id', '=', userId)
      .where('idempotency_key', '=', planGrantKey(account))
      .executeTakeFirst()
    const isGranted = granted !== undefined || account.limits.creditsPerMonth === null
    return lapsed || !isGranted ? await settleCredits({ trx, at }, userId) : account
  })
}

function planGrantKey({ plan, period }: BillingAccount): string {
  return `plan:${plan}:${period.startAt.toISOString()}`
}

async function accountNow({ db, clock }: BillingDeps, userId: UserId): Promise<BillingAccount> {
  return await db.asUser(userId, trx => billingAccount(trx, userId, new Date(clock.nowMs())))
}

function subscriptionForm(account: BillingAccount): Subscription {
  return {
    plan: account.plan,
    status: account.status,
    periodStart: account.period.startAt.toISOString(),
    periodEnd: account.period.endAt.toISOString(),
    isUnlimited: account.isUnlimited,
    limits: account.limits,
    isPaymentConnected: false,
  }
}

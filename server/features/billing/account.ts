import type { Transaction } from 'kysely'
import type { PlanName } from '../../../contracts/accounts.ts'
import type { PlanLimits } from '../../../contracts/billing.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import { calendarMonth, monthFrom, type Period } from './period.ts'
import { limitsOfPlan } from './plans.ts'

/** What a user has subscribed to, and what follows from it. */
export interface BillingAccount {
  readonly plan: PlanName
  readonly status: 'active' | 'past_due' | 'canceled'
  /** The owner of this installation, who pays nobody. */
  readonly isUnlimited: boolean
  readonly limits: PlanLimits
  /** In which monthly limits count now: from the day of the subscription, or the calendar month without one. */
  readonly period: Period
}

/** @throws AppError NOT_FOUND when there is no such user (any more) */
export async function billingAccount(trx: Transaction<Database>, userId: UserId, at: Date): Promise<BillingAccount> {
  const row = await trx
    .selectFrom('users')
    .leftJoin('subscriptions', 'subscriptions.user_id', 'users.id')
    .where('users.id', '=', userId)
    .select(['users.plan', 'users.is_local', 'subscriptions.status', 'subscriptions.period_start'])
    .executeTakeFirst()
  if (!row) throw new AppError('NOT_FOUND', 'There is no such account.')
  return {
    plan: row.plan,
    status: row.status ?? 'active',
    isUnlimited: row.is_local,
    limits: limitsOfPlan(row.plan, row.is_local),
    period: row.period_start ? monthFrom(row.period_start, at) : calendarMonth(at),
  }
}

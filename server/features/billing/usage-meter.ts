import { sql } from 'kysely'
import type { PlanLimits } from '../../../contracts/billing.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Log } from '../../../core/log.ts'
import { KeptByUser } from '../../kept-by-user.ts'
import type { LiveQueryRoom } from '../../ws/live-query-room.ts'
import { type BillingAccount, billingAccount } from './account.ts'
import { minuteOf, type Period } from './period.ts'

/** What is counted: calls by the minute, downloads by the month of the subscription. */
export type CountedMetric = 'apiCalls' | 'downloads'

/** A change of plan reaches every node within this. */
const accountKeptMs = 5_000
const accountsKeptMax = 10_000
const flushMs = 2_000
/** Counts of so many users, metrics and periods wait in memory while the store does not answer; further ones are lost. */
const waitingMax = 50_000

interface Waiting {
  readonly userId: UserId
  readonly metric: CountedMetric
  readonly at: Date
  used: number
}

/**
 * What each user may use and has used, off the way of requests: limits come from a short cache, counts are added up in
 * memory and written together every two seconds. A process that is killed loses the counts of its last two seconds.
 */
export class UsageMeter implements LiveQueryRoom {
  readonly #deps: { readonly db: Db; readonly clock: Clock; readonly log: Log }
  readonly #accounts: KeptByUser<BillingAccount>
  readonly #liveQueries = new Map<UserId, number>()
  #waiting = new Map<string, Waiting>()
  #writing: ReadonlyMap<string, Waiting> = new Map()
  #flushed: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  constructor(deps: { db: Db; clock: Clock; log: Log }) {
    this.#deps = deps
    this.#accounts = new KeptByUser({
      clock: deps.clock,
      keptMs: accountKeptMs,
      usersMax: accountsKeptMax,
      read: userId => deps.db.transaction(trx => billingAccount(trx, userId, new Date(deps.clock.nowMs()))),
    })
  }

  /**
   * What a user may use, at most five seconds old.
   * @throws AppError NOT_FOUND when there is no such user; UNAVAILABLE
   */
  async limitsOf(userId: UserId): Promise<PlanLimits> {
    return (await this.#accounts.get(userId)).limits
  }

  /** Counts `n` more uses. Returns at once. */
  countUse(userId: UserId, metric: CountedMetric, n: number): void {
    const at = new Date(this.#deps.clock.nowMs())
    const key = `${userId} ${metric} ${minuteOf(at).startAt.getTime()}`
    const waiting = this.#waiting.get(key)
    if (waiting) waiting.used += n
    else if (this.#waiting.size < waitingMax) this.#waiting.set(key, { userId, metric, at, used: n })
    this.#timer ??= setTimeout(() => void this.flush(), flushMs).unref()
  }

  /** What was counted here and is not in the store yet. */
  waitingUse(userId: UserId, metric: CountedMetric, { startAt, endAt }: Period): number {
    const waiting = [...this.#waiting.values(), ...this.#writing.values()]
    return waiting
      .filter(one => one.userId === userId && one.metric === metric && one.at >= startAt && one.at < endAt)
      .reduce((sum, one) => sum + one.used, 0)
  }

  /** Brings the counts into the store. Never rejects: counts that could not be written wait for the next time. */
  flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#flushed = this.#flushed.then(() => this.#write())
    return this.#flushed
  }

  /** Learns a user's limits, so that `openLiveQuery` knows them. */
  async prepare(userId: UserId): Promise<void> {
    await this.#accounts.get(userId)
  }

  /**
   * Counts one more open live query of this process, unless the plan has no room for it. Uses the limits that are known,
   * and asks for newer ones behind.
   */
  openLiveQuery(userId: UserId): { readonly isOpen: true } | { readonly isOpen: false; readonly limit: number } {
    const open = this.openLiveQueries(userId)
    this.#accounts.get(userId).catch(err => this.#deps.log.debug({ err }, 'The limits of a user could not be read.'))
    const limit = this.#accounts.known(userId)?.limits.liveQueries ?? null
    if (limit !== null && open >= limit) return { isOpen: false, limit }
    this.#liveQueries.set(userId, open + 1)
    return { isOpen: true }
  }

  /** Whether the user's plan has premium indicators, as far as is known here. */
  hasIndicators(userId: UserId): boolean {
    return this.#accounts.known(userId)?.limits.premiumIndicators ?? false
  }

  closeLiveQuery(userId: UserId): void {
    const open = this.openLiveQueries(userId) - 1
    if (open > 0) this.#liveQueries.set(userId, open)
    else this.#liveQueries.delete(userId)
  }

  openLiveQueries(userId: UserId): number {
    return this.#liveQueries.get(userId) ?? 0
  }

  /** Forgets what is known of a user whose plan changed here. */
  forget(userId: UserId): void {
    this.#accounts.forget(userId)
  }

  /** Writes what waits, once. */
  async close(): Promise<void> {
    await this.flush()
    if (this.#timer) clearTimeout(this.#timer)
  }

  async #write(): Promise<void> {
    if (this.#waiting.size === 0) return
    this.#writing = this.#waiting
    this.#waiting = new Map()
    for (const [key, one] of this.#writing) {
      try {
        await this.#add(one)
      } catch (err) {
        if (err instanceof AppError && (err.code === 'NOT_FOUND' || err.code === 'CONFLICT')) continue
        this.#deps.log.warn({ err }, 'Counts of use could not be written: they wait.')
        this.#keep(key, one)
      }
    }
    this.#writing = new Map()
  }

  async #add({ userId, metric, at, used }: Waiting): Promise<void> {
    const period = metric === 'apiCalls' ? minuteOf(at) : (await this.#accounts.get(userId)).period
    await this.#deps.db.system
      .insertInto('usage_counters')
      .values({ user_id: userId, metric, period_start: period.startAt, used })
      .onConflict(conflict =>
        conflict
          .columns(['user_id', 'metric', 'period_start'])
          .doUpdateSet({ used: sql`usage_counters.used + excluded.used` }),
      )
      .execute()
  }

  #keep(key: string, one: Waiting): void {
    const waiting = this.#waiting.get(key)
    if (waiting) waiting.used += one.used
    else this.#waiting.set(key, one)
    this.#timer ??= setTimeout(() => void this.flush(), flushMs).unref()
  }
}

/**
 * What may still be asked of a platform. A unit is counted before the call that costs it, in the relational store and in
 * one statement, so that any number of workers share one count: a call that is not made after all, or was refused, has
 * still cost its unit, as it does at the platforms. A counter in the key-value store was refused because it may forget
 * (Redis without persistence), and a forgotten count is an overspent day.
 *
 * Requests that come together are counted together, and a little ahead of those that will follow: a worker then has a few
 * units in hand. They are counted as used. A worker that dies with them wastes them; nobody can spend
 * them twice. Each second it asks again whether the platform has stopped the bucket meanwhile, and towards the end of a day, when clocks may
 * disagree on which day it is, it takes nothing ahead and gives up what it has.
 *
 * On the public path a day's units are also spread over the day: until noon at most half of them and a tenth more, so
 * that the evening's clips are read too.
 */
import { sql } from 'kysely'
import { z } from 'zod'
import type { UserId } from '../../contracts/ids.ts'
import type { QuotaState } from '../../contracts/quota.ts'
import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import type { PlatformError } from '../../platforms/port.ts'
import { gathered } from './gathered.ts'
import { nextPacificDay, pacificDayStart, publicPart, type QuotaRule, quotaRuleOf } from './quota-rules.ts'

/** Who asks for what. */
export interface Spending {
  /** The vault id of a user's developer credentials, or `operator:<platform>`. */
  readonly credentialKey: string
  /** Null for the operator's. */
  readonly ownerId: UserId | null
  readonly bucket: string
  readonly path: 'own' | 'public'
}

export type Reservation =
  | { readonly isGranted: true }
  /** `retryAtMs` is when it may be asked for again. */
  | { readonly isGranted: false; readonly retryAtMs: number; readonly reason: string }

/** The bucket that stands for all of a credential's: blocked, nothing is asked with it. */
export const wholeCredential = '*'

/** Units of a day that are counted and not spent yet. */
interface InHand {
  units: number
  readonly dayStartMs: number
  /** When the store last said that they may be spent. */
  checkedAtMs: number
}

interface BudgetDeps {
  readonly db: Db
  readonly clock: Clock
  readonly ruleOf?: (bucket: string) => QuotaRule
}

/** How far ahead of an even use of the day the public path may be. */
const headStart = 0.1
const statesMax = 1_000
/** Requests of one count. */
const roundMax = 1_000
/** A worker counts at most so many units ahead, and at most this part of a day's. */
const inHandMax = 1_000
const inHandPart = 1 / 200
const recheckMs = 1_000
/** Clocks that disagree by more than this count into the wrong day. */
const clockSkewMsMax = 5 * 60_000
const hourMs = 3_600_000
/** So many failures in a row open the circuit. */
const brokenMax = 10
/** A bucket that the platform says is this full, in per cent, rests for so long. */
const rests = [
  { atPercent: 90, forMs: 60 * 60_000 },
  { atPercent: 75, forMs: 15 * 60_000 },
] as const

const QuotaRowSchema = z.object({
  credential_key: z.string(),
  bucket: z.string(),
  window_start: z.date(),
  used: z.number(),
  used_public: z.number(),
  full_at: z.date().nullable(),
  blocked_until: z.date().nullable(),
  block_reason: z.string().nullable(),
  usage_percent: z.number().nullable(),
})
type QuotaRow = z.infer<typeof QuotaRowSchema>

/** The only way to a platform's quota. */
export class QuotaBudget {
  readonly #db: Db
  readonly #clock: Clock
  readonly #ruleOf: (bucket: string) => QuotaRule
  readonly #counting = new Map<string, (units: number) => Promise<Reservation>>()
  readonly #inHand = new Map<string, InHand>()
  #day = { startMs: 0, endMs: 0 }
  /** Failures in a row of each credential, as this worker saw them. */
  readonly #broken = new Map<string, number>()

  constructor({ db, clock, ruleOf = quotaRuleOf }: BudgetDeps) {
    this.#db = db
    this.#clock = clock
    this.#ruleOf = ruleOf
  }

  /**
   * Counts units, all or none. Those that are asked for while a count is under way are counted together after it: a hundred
   * requests at once cost a few writes.
   * @param units at least 1
   */
  async reserve(spending: Spending, units: number): Promise<Reservation> {
    const key = keyOf(spending)
    const inHand = this.#ofToday(key)
    if (inHand.units >= units && this.#clock.nowMs() - inHand.checkedAtMs < recheckMs) {
      inHand.units -= units
      return { isGranted: true }
    }
    const count = this.#counting.get(key) ?? gathered(round => this.#countRound(spending, round), roundMax)
    this.#counting.set(key, count)
    return await count(units)
  }

  async #countRound(spending: Spending, round: readonly number[]): Promise<Reservation[]> {
    const together = round.reduce((sum, units) => sum + units, 0)
    const ahead = round.length > 1 ? this.#aheadOf(spending.bucket) : 0
    const answer = await this.#spend(spending, together, ahead)
    if (answer.isGranted || (round.length === 1 && ahead === 0)) return round.map(() => answer)
    const answers: Reservation[] = []
    for (const units of round) answers.push(await this.#spend(spending, units, 0))
    return answers
  }

  /** From what is in hand, and from the store what that lacks. */
  async #spend(spending: Spending, units: number, ahead: number): Promise<Reservation> {
    const inHand = this.#ofToday(keyOf(spending))
    // Taken out while the store is asked: what comes meanwhile must not spend them too.
    const had = inHand.units
    inHand.units = 0
    const lacking = Math.max(0, units + ahead - had)
    const answer = await this.#count(spending, lacking).catch(error => {
      inHand.units += had
      throw error
    })
    inHand.units += answer.isGranted ? had + lacking - units : had
    if (answer.isGranted) inHand.checkedAtMs = this.#clock.nowMs()
    return answer
  }

  #ofToday(key: string): InHand {
    const { startMs: dayStartMs, isEnding } = this.#today()
    const known = this.#inHand.get(key)
    if (known?.dayStartMs === dayStartMs && !isEnding) return known
    const none = { units: 0, dayStartMs, checkedAtMs: Number.NEGATIVE_INFINITY }
    this.#inHand.set(key, none)
    return none
  }

  #aheadOf(bucket: string): number {
    const rule = this.#ruleOf(bucket)
    if (rule.kind !== 'day' || this.#today().isEnding) return 0
    return Math.min(inHandMax, Math.floor(rule.units * inHandPart))
  }

  /** The day in California; reckoned anew when it is over. */
  #today(): { readonly startMs: number; readonly isEnding: boolean } {
    const nowMs = this.#clock.nowMs()
    if (nowMs < this.#day.startMs || nowMs >= this.#day.endMs)
      this.#day = { startMs: pacificDayStart(nowMs), endMs: nextPacificDay(nowMs) }
    return { startMs: this.#day.startMs, isEnding: this.#day.endMs - nowMs < clockSkewMsMax }
  }

  async #count(spending: Spending, units: number): Promise<Reservation> {
    const nowMs = this.#clock.nowMs()
    const rule = this.#ruleOf(spending.bucket)
    const isGranted =
      rule.kind === 'day'
        ? await this.#reserveOfDay(spending, rule, units, nowMs)
        : await this.#reserveRolling(spending, rule, units, nowMs)
    return isGranted ? { isGranted } : await this.#refusal(spending, rule, units, nowMs)
  }

  /** The platform refused: nobody asks again before `untilMs`. A later end stays. */
  async block(spending: Spending, untilMs: number, reason: string): Promise<void> {
    const { credentialKey, bucket, ownerId } = spending
    const now = new Date(this.#clock.nowMs())
    for (const [key, inHand] of this.#inHand)
      if (key.startsWith(`${credentialKey} `)) inHand.checkedAtMs = Number.NEGATIVE_INFINITY
    await this.#db.system
      .insertInto('platform_quota')
      .values({
        credential_key: credentialKey,
        bucket,
        owner_id: ownerId,
        window_start: new Date(pacificDayStart(now.getTime())),
        blocked_until: new Date(untilMs),
        block_reason: reason.slice(0, 500),
      })
      .onConflict(conflict =>
        conflict
          .columns(['credential_key', 'bucket'])
          .doUpdateSet({ blocked_until: new Date(untilMs), block_reason: reason.slice(0, 500), updated_at: now })
          .where(eb =>
            eb.or([
              eb('platform_quota.blocked_until', 'is', null),
              eb('platform_quota.blocked_until', '<', new Date(untilMs)),
            ]),
          ),
      )
      .execute()
  }

  /** What the platform says of its own count: from 75 % on the bucket rests. */
  async report(spending: Spending, usagePercent: number): Promise<void> {
    const { credentialKey, bucket } = spending
    const nowMs = this.#clock.nowMs()
    await this.#db.system
      .updateTable('platform_quota')
      .set({ usage_percent: usagePercent, updated_at: new Date(nowMs) })
      .where('credential_key', '=', credentialKey)
      .where('bucket', '=', bucket)
      .execute()
    const rest = rests.find(each => usagePercent >= each.atPercent)
    if (rest)
      await this.block(spending, nowMs + rest.forMs, `The platform says that ${Math.round(usagePercent)} % are used.`)
  }

  /**
   * What a refusal means for others who would ask the same: a used-up day ends at the platform's midnight, too fast waits
   * as it was told or ever longer, and wrong credentials rest for an hour, as a whole. A platform that fails again and
   * again for one credential rests too.
   * @param failures in a row before this one
   */
  async refused(spending: Spending, error: PlatformError, failures: number): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const { retryAfterMs } = error
    const whole = { ...spending, bucket: wholeCredential }
    if (error.class === 'quota') await this.block(spending, nextPacificDay(nowMs), error.message)
    else if (error.class === 'rate') {
      const waitMs = retryAfterMs ?? Math.min(hourMs, 60_000 * 2 ** Math.min(failures, 6))
      await this.block(spending, nowMs + waitMs, error.message)
    } else if (error.class === 'client') await this.block(whole, nowMs + hourMs, error.message)
    if (error.class !== 'server' && error.class !== 'network') {
      this.#broken.delete(spending.credentialKey)
      return
    }
    const times = (this.#broken.get(spending.credentialKey) ?? 0) + 1
    this.#broken.set(spending.credentialKey, times)
    if (times >= brokenMax)
      await this.block(whole, nowMs + Math.min(hourMs, 1_000 * 2 ** Math.min(times - brokenMax + 1, 12)), error.message)
  }

  /** The platform answered: what failed before is over. */
  worked(spending: Spending): void {
    this.#broken.delete(spending.credentialKey)
  }

  /**
   * The buckets of a user's own credentials that were ever used, or the operator's for null; at most 1,000. What stops a
   * credential as a whole is said of each of its buckets.
   */
  async states(ownerId: UserId | null): Promise<QuotaState[]> {
    const rows = await this.#db.system
      .selectFrom('platform_quota')
      .selectAll()
      .where('owner_id', ownerId === null ? 'is' : '=', ownerId)
      .orderBy('credential_key')
      .orderBy('bucket')
      .limit(statesMax)
      .execute()
    const nowMs = this.#clock.nowMs()
    const stopped = new Map(rows.filter(row => row.bucket === wholeCredential).map(row => [row.credential_key, row]))
    return rows
      .filter(row => row.bucket !== wholeCredential)
      .map(row => stateOf(longerBlocked(row, stopped.get(row.credential_key)), this.#ruleOf(row.bucket), nowMs))
  }

  async #reserveOfDay(
    { credentialKey, bucket, ownerId, path }: Spending,
    rule: QuotaRule,
    units: number,
    nowMs: number,
  ): Promise<boolean> {
    const isPublic = path === 'public'
    const publicMax = publicUnitsMax(rule.units, credentialKey, nowMs)
    // The first call of all finds no row to be measured by.
    if (units > rule.units || (isPublic && units > publicMax)) return false
    const start = new Date(pacificDayStart(nowMs))
    const now = new Date(nowMs)
    const publicUnits = isPublic ? units : 0
    const { rows } = await sql`
      insert into platform_quota as q (credential_key, bucket, owner_id, window_start, used, used_public)
      select ${credentialKey}::text, ${bucket}::text, ${ownerId}::uuid, ${start}::timestamptz, ${units}::integer,
        ${publicUnits}::integer
      where ${isOpen(credentialKey, now)}
      on conflict (credential_key, bucket) do update set
        window_start = greatest(q.window_start, excluded.window_start),
        used = case when q.window_start < excluded.window_start then 0 else q.used end + excluded.used,
        used_public = case when q.window_start < excluded.window_start then 0 else q.used_public end + excluded.used_public,
        updated_at = ${now}
      where (q.blocked_until is null or q.blocked_until <= ${now})
        and (q.window_start < excluded.window_start or (
          q.used + excluded.used <= ${rule.units}
          and (not ${isPublic}::boolean or q.used_public + excluded.used_public <= ${publicMax})))
      returning q.bucket`.execute(this.#db.system)
    return rows.length > 0
  }

  async #reserveRolling(
    { credentialKey, bucket, ownerId }: Spending,
    rule: QuotaRule & { kind: 'rolling' },
    units: number,
    nowMs: number,
  ): Promise<boolean> {
    if (units > rule.burst) return false
    const now = new Date(nowMs)
    const costMs = units * unitMs(rule)
    const fullAt = new Date(Math.ceil(nowMs + costMs))
    const latest = new Date(nowMs + rule.burst * unitMs(rule))
    const { rows } = await sql`
      insert into platform_quota as q (credential_key, bucket, owner_id, window_start, used, full_at)
      select ${credentialKey}::text, ${bucket}::text, ${ownerId}::uuid, ${now}::timestamptz, 0, ${fullAt}::timestamptz
      where ${isOpen(credentialKey, now)}
      on conflict (credential_key, bucket) do update set
        full_at = greatest(q.full_at, ${now}) + ${costMs} * interval '1 millisecond', updated_at = ${now}
      where (q.blocked_until is null or q.blocked_until <= ${now})
        and greatest(q.full_at, ${now}) + ${costMs} * interval '1 millisecond' <= ${latest}
      returning q.bucket`.execute(this.#db.system)
    return rows.length > 0
  }

  async #refusal(spending: Spending, rule: QuotaRule, units: number, nowMs: number): Promise<Reservation> {
    const found = await this.#db.system
      .selectFrom('platform_quota')
      .selectAll()
      .where('credential_key', '=', spending.credentialKey)
      .where('bucket', 'in', [spending.bucket, wholeCredential])
      .limit(2)
      .execute()
    const rows = z.array(QuotaRowSchema).parse(found)
    const row = rows.find(each => each.bucket === spending.bucket)
    for (const { blocked_until, block_reason } of rows) {
      const untilMs = blocked_until?.getTime() ?? 0
      if (untilMs > nowMs)
        return { isGranted: false, retryAtMs: untilMs, reason: block_reason ?? 'The platform said to wait.' }
    }
    if (rule.kind === 'rolling') {
      const freeAtMs = (row?.full_at?.getTime() ?? nowMs) + (units - rule.burst) * unitMs(rule)
      return {
        isGranted: false,
        retryAtMs: Math.max(nowMs + 1, Math.ceil(freeAtMs)),
        reason: `Too many calls at once of ${spending.bucket}.`,
      }
    }
    const resetsAtMs = nextPacificDay(nowMs)
    if (row && row.used + units <= rule.units && spending.path === 'public') {
      const evenlyAtMs = publicRoomAt(rule.units, spending.credentialKey, row.used_public + units, nowMs)
      if (evenlyAtMs < resetsAtMs)
        return {
          isGranted: false,
          retryAtMs: Math.max(nowMs + 1, evenlyAtMs),
          reason: `The day's units of ${spending.bucket} are spread over the day.`,
        }
    }
    return {
      isGranted: false,
      retryAtMs: resetsAtMs,
      reason: `The day's units of ${spending.bucket} are used up.`,
    }
  }
}

function keyOf({ credentialKey, bucket, path }: Spending): string {
  return `${credentialKey} ${bucket} ${path}`
}

/** Nobody has stopped the credential as a whole. */
function isOpen(credentialKey: string, now: Date) {
  return sql`not exists (
    select from platform_quota b
    where b.credential_key = ${credentialKey} and b.bucket = ${wholeCredential} and b.blocked_until > ${now})`
}

function unitMs(rule: QuotaRule & { kind: 'rolling' }): number {
  return rule.windowMs / (rule.units - rule.burst)
}

/** How many of a day's units the public path may use in all. */
export function publicUnitsOfDay(units: number, credentialKey: string): number {
  return Math.floor(credentialKey.startsWith('operator:') ? units : units * publicPart)
}

/** How much the public path may have used by now. */
function publicUnitsMax(units: number, credentialKey: string, nowMs: number): number {
  const startMs = pacificDayStart(nowMs)
  const passed = (nowMs - startMs) / (nextPacificDay(nowMs) - startMs)
  return Math.floor(publicUnitsOfDay(units, credentialKey) * Math.min(1, passed + headStart))
}

/** When the public path may have used so many; the day's end when it may not at all today. */
function publicRoomAt(units: number, credentialKey: string, wanted: number, nowMs: number): number {
  const startMs = pacificDayStart(nowMs)
  const endMs = nextPacificDay(nowMs)
  const ofDay = publicUnitsOfDay(units, credentialKey)
  if (wanted > ofDay) return endMs
  return Math.min(endMs, Math.ceil(startMs + (wanted / ofDay - headStart) * (endMs - startMs)) + 1_000)
}

/** A bucket with the later one of its own block and that of its credential. */
function longerBlocked(row: QuotaRow, whole: QuotaRow | undefined): QuotaRow {
  const wholeMs = whole?.blocked_until?.getTime() ?? 0
  if (whole === undefined || wholeMs <= (row.blocked_until?.getTime() ?? 0)) return row
  return { ...row, blocked_until: whole.blocked_until, block_reason: whole.block_reason }
}

function stateOf(row: QuotaRow, rule: QuotaRule, nowMs: number): QuotaState {
  const blockedUntilMs = row.blocked_until && row.blocked_until.getTime() > nowMs ? row.blocked_until.getTime() : null
  const limit = rule.kind === 'day' ? rule.units : rule.burst
  const fullAtMs = Math.max(nowMs, row.full_at?.getTime() ?? nowMs)
  const isToday = row.window_start.getTime() >= pacificDayStart(nowMs)
  const used = rule.kind === 'day' ? (isToday ? row.used : 0) : Math.ceil((fullAtMs - nowMs) / unitMs(rule))
  return {
    credentialKey: row.credential_key,
    bucket: row.bucket,
    counts: rule.kind === 'day' ? 'day' : 'refilling',
    limit,
    used,
    left: blockedUntilMs === null ? Math.max(0, limit - used) : 0,
    resetsAtMs: rule.kind === 'day' ? nextPacificDay(nowMs) : fullAtMs,
    blockedUntilMs,
    blockReason: blockedUntilMs === null ? null : row.block_reason,
    usagePercent: row.usage_percent,
  }
}

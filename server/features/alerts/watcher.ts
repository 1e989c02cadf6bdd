/**
 * Looks at alerts: reads what each rule is about, and writes what came of it.
 *
 * A rule is due once a minute, because windows move, and as soon as readings that it is about were written:
 * messages that come close together are one pass, and no rule is read more often than its spacing allows. Equal rules,
 * whoever made them, are read once in a pass.
 *
 * Any number of nodes may do it at once. Rules are claimed with a lease in one statement that skips what another node is
 * claiming. What came of a rule (what it remembers, the firing, the mail, what webhooks are told) is written in one
 * transaction, and only while the lease is still the claim's own and the rule is the one that was read: so a firing is
 * written once, whoever dies or hangs in between. What was never written is found again after the lease.
 *
 * No reading happens inside a transaction.
 */
import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import type { AnalyticsContext } from '../../../analytics/context.ts'
import { type AlertFired, type AlertRule, AlertRuleSchema, firingRowsMax } from '../../../contracts/alerts.ts'
import type { BusEvents } from '../../../contracts/bus.ts'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { periodMs } from '../../../contracts/measures.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Log } from '../../../core/log.ts'
import { tellWebhooks, wakeSender } from '../webhooks/outbox.ts'
import { webhookKeyOf } from './firings.ts'
import { memoryFor, rememberedAs, type StoredMemory, withPast, withRemembered } from './memory.ts'
import { openReader, type RuleReader, readingKey, type SavedQueries } from './read-rule.ts'
import { sentenceOf } from './rule-text.ts'
import { type Observation, type Reading, stepRule } from './step-rule.ts'

const batchMax = 64
/** A batch works for half of it: the longest reading that it may begin then ends before. */
const leaseMs = 120_000
/** How often a rule is looked at when nothing is written. */
const everyMs = 60_000
/** Writes that come this close together are one pass. */
const debounceMs = 250
/** Clips that are remembered by name until the next pass. */
const namesMax = 5_000
/** The shortest time from the beginning of one pass to the next. */
const passMs = 2_000

export interface WatcherDeps {
  readonly db: Db
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  /** The numbers that are looked at now, with their clock. */
  readonly analytics: () => AnalyticsContext
  readonly queries: SavedQueries
}

const ClaimedSchema = z.object({
  id: z.uuid(),
  owner_id: UserIdSchema,
  name: z.string(),
  rule: z.unknown(),
  version: z.number().int(),
  muted_until: z.date().nullable(),
  memory: z.unknown(),
  spacing_seconds: z.number().int(),
})
type Claimed = Omit<z.infer<typeof ClaimedSchema>, 'rule'> & { readonly rule: AlertRule }

/** What was written. */
interface Touched {
  /** Platforms, and clips by their ids. */
  readonly names: Set<string>
  /** Platforms of which more clips were written than are named. */
  readonly wholePlatforms: Set<string>
  readonly at: Date
}

/** A rule that another pass holds, or that was changed meanwhile, is not ours to write. */
interface Lease {
  readonly id: string
  /** Before anything was read: what is written from then on is news. */
  readonly begunAt: Date
}

/** One per process that does jobs. */
export class AlertWatcher {
  readonly #deps: WatcherDeps
  readonly #closing = new AbortController()
  /** What was written since the last pass that found all of its rules. */
  #touched: Touched | null = null
  #running: Promise<void> | null = null
  #isWanted = false
  #timer: { readonly stop: NodeJS.Timeout; readonly dueMs: number } | null = null
  #begunMs = Number.NEGATIVE_INFINITY

  constructor(deps: WatcherDeps) {
    this.#deps = deps
  }

  /** Hears of readings that were written: rules over them are looked at soon. */
  note({ world, platforms, videos, isCut }: BusEvents['samples.written']): void {
    if (world !== this.#deps.analytics().world.database) return
    const { names = new Set<string>(), wholePlatforms = new Set<string>() } = this.#touched ?? {}
    for (const name of [...platforms, ...videos]) names.add(name)
    if (isCut || names.size > namesMax) for (const platform of platforms) wholePlatforms.add(platform)
    if (names.size > namesMax) for (const id of videos) names.delete(id)
    this.#touched = { names, wholePlatforms, at: new Date(this.#deps.clock.nowMs()) }
    this.#runIn(Math.max(debounceMs, this.#begunMs + passMs - performance.now()))
  }

  /** Looks at everything that is due; resolves when nothing is. Called while it runs, it looks once more at the end. */
  run(): Promise<void> {
    this.#isWanted = true
    this.#running ??= this.#drain().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** Gives up what is being read; it is due again after its lease. */
  async close(): Promise<void> {
    this.#closing.abort()
    if (this.#timer) clearTimeout(this.#timer.stop)
    await this.#running?.catch(() => undefined)
  }

  #runIn(ms: number): void {
    if (this.#closing.signal.aborted) return
    const dueMs = performance.now() + ms
    if (this.#timer && this.#timer.dueMs <= dueMs) return
    if (this.#timer) clearTimeout(this.#timer.stop)
    const stop = setTimeout(() => {
      this.#timer = null
      this.run().catch(err => this.#deps.log.warn({ err }, 'Alerts could not be looked at: tried again in a minute.'))
    }, ms).unref()
    this.#timer = { stop, dueMs }
  }

  async #drain(): Promise<void> {
    while (this.#isWanted && !this.#closing.signal.aborted) {
      this.#isWanted = false
      this.#begunMs = performance.now()
      const touched = this.#touched
      for (let rules = await this.#claim(touched); rules.length > 0; rules = await this.#claim(touched)) {
        await this.#look(rules)
        if (this.#closing.signal.aborted) return
      }
      await this.#forgetTouched(touched)
    }
  }

  /** What was touched stays noted until the rules that rest have had their turn. */
  async #forgetTouched(touched: Touched | null): Promise<void> {
    if (touched === null) return
    const { db, clock } = this.#deps
    const { rows } = await db.transaction(trx =>
      sql`select min(checked_at + spacing_seconds * interval '1 second') as next_at from alerts
        where is_enabled and ${isTouched(touched)}`.execute(trx),
    )
    const [next] = z.array(z.object({ next_at: z.date().nullable() })).parse(rows)
    if (next?.next_at) this.#runIn(Math.max(passMs, next.next_at.getTime() - clock.nowMs()))
    else if (this.#touched === touched) this.#touched = null
  }

  async #claim(touched: Touched | null): Promise<{ lease: Lease; rule: Claimed }[]> {
    const lease = { id: randomUUID(), begunAt: new Date(this.#deps.clock.nowMs()) }
    const leaseEnd = new Date(lease.begunAt.getTime() + leaseMs)
    const isRested = sql`checked_at + spacing_seconds * interval '1 second' <= ${lease.begunAt}`
    const isNews = touched === null ? sql`false` : sql`(${isTouched(touched)} and ${isRested})`
    const { rows } = await this.#deps.db.transaction(trx =>
      sql`
        with due as (
          select id from alerts
          where is_enabled and (lease_until is null or lease_until <= ${lease.begunAt})
            and (next_check_at <= ${lease.begunAt} or ${isNews})
          order by next_check_at, id limit ${batchMax} for update skip locked
        )
        update alerts a set lease_id = ${lease.id}, lease_until = ${leaseEnd} from due where a.id = due.id
        returning a.id, a.owner_id, a.name, a.rule, a.version, a.muted_until, a.memory, a.spacing_seconds`.execute(trx),
    )
    return z
      .array(ClaimedSchema)
      .parse(rows)
      .map(row => ({ lease, rule: { ...row, rule: AlertRuleSchema.parse(row.rule) } }))
  }

  /** One reading for all rules that read the same. */
  async #look(claimed: readonly { lease: Lease; rule: Claimed }[]): Promise<void> {
    const groups = [...Map.groupBy(claimed, ({ rule }) => readingKey(rule.owner_id, rule.rule)).values()]
    const endMs = performance.now() + leaseMs / 2
    for (const [index, group] of groups.entries()) {
      if (this.#closing.signal.aborted) return
      if (performance.now() > endMs) return await this.#release(groups.slice(index).flat())
      const found = await this.#read(group)
      for (const { lease, rule } of group) {
        try {
          const firing = await this.#settle(lease, rule, found)
          if (firing) await this.#tell(rule, firing)
        } catch (err) {
          // Its lease brings it back.
          this.#deps.log.error({ err, alertId: rule.id }, 'What came of an alert could not be written.')
        }
      }
    }
  }

  /** Gives back what there was no time for: it is still due, for whoever claims next. */
  async #release(claimed: readonly { lease: Lease; rule: Claimed }[]): Promise<void> {
    for (const { lease, rule } of claimed)
      await this.#deps.db.system
        .updateTable('alerts')
        .set({ lease_id: null, lease_until: null })
        .where('id', '=', rule.id)
        .where('lease_id', '=', lease.id)
        .execute()
  }

  async #read([first]: readonly { lease: Lease; rule: Claimed }[]): Promise<Found> {
    const ctx = this.#deps.analytics()
    const { signal } = this.#closing
    try {
      if (!first) throw new Error('A group has a rule.')
      const nowMs = ctx.world.clock.nowMs()
      const deps = { ctx, queries: this.#deps.queries, userId: first.rule.owner_id, signal }
      const reader = await openReader(deps, first.rule.rule, { fromMs: nowMs, toMs: nowMs })
      const observation = await reader.read(new Date(nowMs))
      if (ctx.world.gone?.aborted) return { kind: 'nothing' }
      return { kind: 'read', observation, reader, ctx }
    } catch (error) {
      if (ctx.world.gone?.aborted || signal.aborted) return { kind: 'nothing' }
      if (!(error instanceof AppError)) this.#deps.log.error({ err: error }, 'An alert could not be read.')
      const reason =
        error instanceof AppError ? error.message : 'It could not be read: the reason is in the log of the server.'
      return { kind: 'failed', reason }
    }
  }

  /** Writes what came of a rule, all or nothing; null when nothing fired, or the rule is not ours any more. */
  async #settle(lease: Lease, claimed: Claimed, found: Found): Promise<AlertFired | null> {
    const { db, clock } = this.#deps
    const now = new Date(clock.nowMs())
    const next = { lease_id: null, lease_until: null, next_check_at: new Date(now.getTime() + everyMs) }
    return await db.transaction(async trx => {
      const write = (change: Partial<AlertChange>) => writeIfOurs(trx, lease, claimed, { ...next, ...change })
      if (found.kind === 'nothing') {
        await write({ next_check_at: new Date(now.getTime() + passMs) })
        this.#runIn(passMs)
        return null
      }
      if (found.kind === 'failed') {
        await write({ last_error: found.reason.slice(0, 500), checked_at: lease.begunAt })
        return null
      }
      const outcome = evaluate(claimed, found)
      const { at } = found.observation
      const isOurs = await write({
        memory: JSON.stringify(outcome.memory),
        value: outcome.level,
        value_at: at,
        last_error: null,
        checked_at: lease.begunAt,
        ...(outcome.causes.length > 0 ? { fired_at: now } : {}),
      })
      if (!isOurs || outcome.causes.length === 0) return null
      return await writeFiring(trx, claimed, { ...outcome, at, now, world: found.ctx.world.database })
    })
  }

  /** What was written is told now; who was not there finds it in the list. */
  async #tell(rule: Claimed, fired: AlertFired): Promise<void> {
    const { bus, log } = this.#deps
    if (isMuted(rule, new Date(fired.firedAt))) return
    const { channels } = rule.rule
    if (channels.terminal)
      await bus
        .publish('alert.fired', { userId: rule.owner_id, fired })
        .catch(err => log.warn({ err }, 'The bus does not answer: terminals are not told of a firing.'))
    if (channels.webhook && !fired.isReplay) await wakeSender(this.#deps)
    if (channels.email && !fired.isReplay)
      await bus
        .publish('alert.mails', { atMs: this.#deps.clock.nowMs() })
        .catch(err => log.warn({ err }, 'The bus does not answer: mails are sent within a minute.'))
  }
}

/**
 * Gives back at once what a killed process had claimed. Only for an embedded store, on which nobody else works: elsewhere
 * the leases end by themselves.
 */
export async function takeBackAlerts(db: Db): Promise<void> {
  await db.system
    .updateTable('alerts')
    .set({ lease_id: null, lease_until: null })
    .where('lease_id', 'is not', null)
    .execute()
}

type Found =
  | {
      readonly kind: 'read'
      readonly observation: Observation
      readonly reader: Pick<RuleReader, 'lacksPast'>
      readonly ctx: AnalyticsContext
    }
  | { readonly kind: 'failed'; readonly reason: string }
  /** The numbers went away, or we are stopping: nothing was read, and nobody failed. */
  | { readonly kind: 'nothing' }

type Trx = Transaction<Database>

/** Columns that an evaluation writes. */
interface AlertChange {
  memory: string
  value: number | null
  value_at: Date
  last_error: string | null
  checked_at: Date
  fired_at: Date
  next_check_at: Date
}

function isTouched({ names, wholePlatforms, at }: Touched) {
  const isNamed = sql`reads && ${[...names]}::text[]`
  const isAmongThem = sql`split_part(reads[1], ':', 1) = any (${[...wholePlatforms]}::text[])`
  return sql`(checked_at < ${at} and (reads = '{}' or ${isNamed} or ${isAmongThem}))`
}

async function writeIfOurs(
  trx: Trx,
  lease: Lease,
  { id, version }: Claimed,
  change: Partial<AlertChange> & { lease_id: null; lease_until: null },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('alerts')
    .set(change)
    .where('id', '=', id)
    .where('lease_id', '=', lease.id)
    .where('version', '=', version)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** What one rule makes of a reading that others may share. */
function evaluate(
  { rule, memory }: Claimed,
  { observation, reader, ctx }: Extract<Found, { kind: 'read' }>,
): { memory: StoredMemory; causes: readonly Reading[]; level: number | null } {
  const atMs = observation.at.getTime()
  const known = memoryFor(memory, ctx.world.database, atMs)
  const overMs = rule.condition.kind === 'change' ? periodMs[rule.condition.over] : 0
  const seen = reader.lacksPast ? withRemembered(known, observation, overMs) : observation
  const step = stepRule(rule, known, seen)
  const kept = rememberedAs(known, step.memory, atMs)
  return { ...step, memory: reader.lacksPast ? withPast(kept, observation, overMs) : kept }
}

function isMuted({ muted_until }: Pick<Claimed, 'muted_until'>, now: Date): boolean {
  return muted_until !== null && muted_until > now
}

/** The firing, and with it what is to be told outside. */
async function writeFiring(
  trx: Trx,
  claimed: Claimed,
  o: {
    readonly causes: readonly Reading[]
    readonly level: number | null
    readonly at: Date
    readonly now: Date
    readonly world: 'cliptape' | 'replay'
  },
): Promise<AlertFired> {
  const { rule, owner_id } = claimed
  const { channels } = rule
  const fired: AlertFired = {
    id: randomUUID(),
    alertId: claimed.id,
    name: claimed.name,
    version: claimed.version,
    at: o.at.toISOString(),
    firedAt: o.now.toISOString(),
    isReplay: o.world === 'replay',
    sentence: sentenceOf(rule, o.causes),
    value: o.level,
    rows: o.causes.slice(0, firingRowsMax),
    rowCount: o.causes.length,
  }
  const isSilent = isMuted(claimed, o.now)
  await trx
    .insertInto('alert_firings')
    .values({
      id: fired.id,
      alert_id: fired.alertId,
      owner_id,
      version: fired.version,
      world: o.world,
      at: o.at,
      sentence: fired.sentence,
      value: fired.value,
      rows: JSON.stringify(fired.rows),
      row_count: fired.rowCount,
      is_muted: isSilent,
      channels: (['terminal', 'webhook', 'email'] as const).filter(channel => channels[channel]),
      fired_at: o.now,
      seen_at: null,
    })
    .execute()
  // A replay tells nobody outside.
  if (!isSilent && !fired.isReplay) await tellOutside(trx, owner_id, rule, fired)
  return fired
}

async function tellOutside(trx: Trx, userId: UserId, { channels }: AlertRule, fired: AlertFired): Promise<void> {
  const now = new Date(fired.firedAt)
  if (channels.webhook) {
    const happening = { event: 'alert.fired', dedupeKey: webhookKeyOf(fired.id), data: fired } as const
    await tellWebhooks(trx, [happening], { now, userId })
  }
  if (channels.email)
    await trx
      .insertInto('alert_mails')
      .values({ firing_id: fired.id, owner_id: userId, next_attempt_at: now, reason: null, sent_at: null })
      .execute()
}

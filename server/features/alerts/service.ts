import { type Selectable, sql, type Transaction } from 'kysely'
import {
  type Alert,
  type AlertMeasure,
  type AlertRequest,
  type AlertRule,
  AlertRuleSchema,
  type AlertState,
  type Alerts,
  alertsMax,
} from '../../../contracts/alerts.ts'
import { AppError, assertNever } from '../../../contracts/errors.ts'
import { CreatorIdSchema, type Platform, platforms, splitId, type UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { assertVersion } from '../../http/version-tag.ts'
import { recordAudit } from '../audit/record.ts'
import { billingAccount } from '../billing/account.ts'
import { findSavedQuery } from '../queries/service.ts'
import { readMemory } from './memory.ts'

type Trx = Transaction<Database>
type AlertRow = Selectable<Database['alerts']>
export type AlertDeps = Pick<ServerDeps, 'db' | 'bus' | 'clock' | 'log'>

/** The shortest time between two evaluations of a rule; what users' SQL costs nobody knows. */
const spacingSeconds = { measures: 5, query: 30 } as const

/**
 * Makes an alert. It is looked at as soon as it is there.
 * @throws AppError CONFLICT when the user has as many as the plan allows; NOT_FOUND for a saved query that they may not see
 */
export async function createAlert(deps: AlertDeps, caller: Caller, request: AlertRequest): Promise<Alert> {
  const userId = ownerOf(caller)
  await assertReadable(deps, userId, request.rule.measure)
  const row = await deps.db.asUser(userId, async trx => {
    await takeTurn(trx, userId)
    const now = new Date(deps.clock.nowMs())
    await assertRoom(trx, userId, now)
    const made = await trx
      .insertInto('alerts')
      .values({
        owner_id: userId,
        ...valuesOf(request),
        muted_until: null,
        value: null,
        value_at: null,
        last_error: null,
        fired_at: null,
        checked_at: null,
        lease_id: null,
        lease_until: null,
        next_check_at: now,
        created_at: now,
        updated_at: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await recordAudit(trx, userId, caller, {
      action: 'alert.created',
      target: `alert:${made.id}`,
      details: { name: made.name },
    })
    return made
  })
  await wakeWatcher(deps)
  return fromRow(row, 0, deps.clock.nowMs())
}

/** A user's alerts, the newest first, and how many there may be. */
export async function listAlerts(deps: AlertDeps, caller: Caller): Promise<Alerts> {
  const userId = ownerOf(caller)
  const nowMs = deps.clock.nowMs()
  return await deps.db.asUser(userId, async trx => {
    const rows = await trx
      .selectFrom('alerts')
      .selectAll()
      .where('owner_id', '=', userId)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(alertsMax)
      .execute()
    const unseen = await unseenCounts(trx, userId)
    return {
      data: rows.map(row => fromRow(row, unseen.get(row.id) ?? 0, nowMs)),
      limit: await limitOf(trx, userId, new Date(nowMs)),
    }
  })
}

/** @throws AppError NOT_FOUND */
export async function getAlert(deps: AlertDeps, caller: Caller, id: string): Promise<Alert> {
  const userId = ownerOf(caller)
  return await deps.db.asUser(userId, async trx => {
    const row = await alertOf(trx, userId, id)
    return fromRow(row, (await unseenCounts(trx, userId)).get(id) ?? 0, deps.clock.nowMs())
  })
}

/**
 * Puts another rule, name or switch in the place of an alert. Another rule forgets what the one before had seen, and so
 * does switching on.
 * @param ifMatch the entity tag that the caller knows; without it the last change wins
 * @throws AppError NOT_FOUND, also for a saved query; PRECONDITION_FAILED
 */
export async function changeAlert(
  deps: AlertDeps,
  caller: Caller,
  id: string,
  { ifMatch, ...request }: AlertRequest & { readonly ifMatch: string | undefined },
): Promise<Alert> {
  const userId = ownerOf(caller)
  await assertReadable(deps, userId, request.rule.measure)
  const now = new Date(deps.clock.nowMs())
  const changed = await deps.db.asUser(userId, async trx => {
    const known = await alertOf(trx, userId, id, { isLocked: true })
    assertVersion(ifMatch, known.version, 'alert')
    const isSameRule = JSON.stringify(AlertRuleSchema.parse(known.rule)) === JSON.stringify(request.rule)
    const isAnew = !isSameRule || (request.isEnabled && !known.is_enabled)
    const forgotten = { memory: '{}', value: null, value_at: null, last_error: null, checked_at: null } as const
    const row = await trx
      .updateTable('alerts')
      .set({
        ...valuesOf(request),
        ...(isAnew ? forgotten : {}),
        version: known.version + 1,
        // Whoever reads the old rule now must not write what came of it.
        lease_id: null,
        lease_until: null,
        next_check_at: now,
        updated_at: now,
      })
      .where('id', '=', id)
      .where('owner_id', '=', userId)
      .returningAll()
      .executeTakeFirstOrThrow()
    await recordAudit(trx, userId, caller, {
      action: 'alert.changed',
      target: `alert:${id}`,
      details: { name: row.name, isEnabled: row.is_enabled },
    })
    return fromRow(row, (await unseenCounts(trx, userId)).get(id) ?? 0, now.getTime())
  })
  await wakeWatcher(deps)
  return changed
}

/** Keeps an alert from telling anybody until an instant; null ends that. What fires meanwhile is kept. @throws AppError NOT_FOUND */
export async function muteAlert(deps: AlertDeps, caller: Caller, id: string, until: string | null): Promise<Alert> {
  const userId = ownerOf(caller)
  return await deps.db.asUser(userId, async trx => {
    await alertOf(trx, userId, id)
    const row = await trx
      .updateTable('alerts')
      .set({ muted_until: until })
      .where('id', '=', id)
      .where('owner_id', '=', userId)
      .returningAll()
      .executeTakeFirstOrThrow()
    await recordAudit(trx, userId, caller, {
      action: 'alert.changed',
      target: `alert:${id}`,
      details: { name: row.name, mutedUntil: until },
    })
    return fromRow(row, (await unseenCounts(trx, userId)).get(id) ?? 0, deps.clock.nowMs())
  })
}

/** Removes an alert with its firings. @throws AppError NOT_FOUND */
export async function deleteAlert(deps: AlertDeps, caller: Caller, id: string): Promise<void> {
  const userId = ownerOf(caller)
  await deps.db.asUser(userId, async trx => {
    const row = await trx
      .deleteFrom('alerts')
      .where('id', '=', id)
      .where('owner_id', '=', userId)
      .returning('name')
      .executeTakeFirst()
    if (!row) throw noSuchAlert()
    await recordAudit(trx, userId, caller, {
      action: 'alert.deleted',
      target: `alert:${id}`,
      details: { name: row.name },
    })
  })
}

/** A rule over a query that its maker may not see would only ever fail. */
async function assertReadable(deps: AlertDeps, userId: UserId, measure: AlertMeasure): Promise<void> {
  if (measure.source === 'query') await findSavedQuery(deps, userId, measure.queryId)
}

/** One alert of its owner. @throws AppError NOT_FOUND */
export async function alertOf(
  trx: Trx,
  userId: UserId,
  id: string,
  { isLocked = false }: { readonly isLocked?: boolean } = {},
): Promise<AlertRow> {
  const row = await trx
    .selectFrom('alerts')
    .selectAll()
    .where('id', '=', id)
    .where('owner_id', '=', userId)
    .limit(1)
    .$if(isLocked, query => query.forUpdate())
    .executeTakeFirst()
  if (!row) throw noSuchAlert()
  return row
}

function noSuchAlert(): AppError {
  return new AppError('NOT_FOUND', 'There is no such alert.')
}

/** Has new rules looked at now, and not when the minute has passed. */
async function wakeWatcher({ bus, clock, log }: AlertDeps): Promise<void> {
  await bus
    .publish('alerts.due', { atMs: clock.nowMs() })
    .catch(err => log.warn({ err }, 'The bus does not answer: alerts are looked at within a minute.'))
}

/** One creation of a user at a time: two would both find room for the last one. */
async function takeTurn(trx: Trx, userId: UserId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('alerts'), hashtext(${userId}))`.execute(trx)
}

async function limitOf(trx: Trx, userId: UserId, now: Date): Promise<number> {
  return (await billingAccount(trx, userId, now)).limits.alerts ?? alertsMax
}

async function assertRoom(trx: Trx, userId: UserId, now: Date): Promise<void> {
  const limit = await limitOf(trx, userId, now)
  const { count } = await trx
    .selectFrom('alerts')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('owner_id', '=', userId)
    .executeTakeFirstOrThrow()
  if (Number(count) < limit) return
  throw new AppError('CONFLICT', `You have ${limit} alerts, the most that your plan allows: delete one first.`)
}

async function unseenCounts(trx: Trx, userId: UserId): Promise<Map<string, number>> {
  const rows = await trx
    .selectFrom('alert_firings')
    .select(({ fn }) => ['alert_id', fn.countAll<string>().as('count')])
    .where('owner_id', '=', userId)
    .where('seen_at', 'is', null)
    .groupBy('alert_id')
    .execute()
  return new Map(rows.map(({ alert_id, count }) => [alert_id, Number(count)]))
}

function valuesOf({ name, rule, isEnabled }: AlertRequest) {
  return {
    name,
    rule: JSON.stringify(rule),
    is_enabled: isEnabled,
    reads: [...readsOf(rule.measure)],
    spacing_seconds: rule.measure.source === 'query' ? spacingSeconds.query : spacingSeconds.measures,
  }
}

/** Whose readings can change what a measure says: platforms, or one clip by its id; none where nobody knows. */
function readsOf(measure: AlertMeasure): readonly string[] {
  const asked = (platform: Platform | 'all') => (platform === 'all' ? platforms : [platform])
  switch (measure.source) {
    case 'subject':
      if (measure.type === 'clips') return [measure.id]
      return measure.type === 'topics' ? asked(measure.platform) : [splitId(CreatorIdSchema.parse(measure.id)).platform]
    case 'list':
      return asked(measure.platform)
    case 'query':
      return []
    default:
      return assertNever(measure)
  }
}

function fromRow(row: AlertRow, unseenCount: number, nowMs: number): Alert {
  const rule = AlertRuleSchema.parse(row.rule)
  return {
    id: row.id,
    name: row.name,
    rule,
    version: row.version,
    isEnabled: row.is_enabled,
    state: stateOf(row, rule, nowMs),
    mutedUntil: row.muted_until !== null && row.muted_until.getTime() > nowMs ? row.muted_until.toISOString() : null,
    value: row.value,
    valueAt: row.value_at?.toISOString() ?? null,
    error: row.last_error,
    firedAt: row.fired_at?.toISOString() ?? null,
    unseenCount,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}

function stateOf(row: AlertRow, { condition, cooldownSeconds }: AlertRule, nowMs: number): AlertState {
  if (!row.is_enabled) return 'off'
  if (row.last_error !== null) return 'error'
  if (row.muted_until !== null && row.muted_until.getTime() > nowMs) return 'muted'
  const memory = readMemory(row.memory)
  if (condition.kind !== 'entrant' && memory.raised.length > 0) return 'firing'
  const isCooling = memory.firedAtMs !== null && memory.atMs - memory.firedAtMs < cooldownSeconds * 1000
  return isCooling ? 'cooling' : 'armed'
}

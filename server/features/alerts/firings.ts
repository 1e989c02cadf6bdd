import type { Selectable, Transaction } from 'kysely'
import { z } from 'zod'
import { type Firing, type FiringDelivery, FiringRowSchema, firingDays } from '../../../contracts/alerts.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Caller } from '../../http/caller.ts'
import type { InstantCursor } from '../../http/instant-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { deliveriesOf, type ToldWebhook } from '../webhooks/service.ts'
import { type AlertDeps, alertOf } from './service.ts'

type FiringRecord = Selectable<Database['alert_firings']>
type Trx = Transaction<Database>

/** What webhooks know a firing by. */
export function webhookKeyOf(firingId: string): string {
  return `alert.fired ${firingId}`
}

/**
 * What fired, the newest first, with the rows that caused it and where it was told.
 * @param page.alertId of one alert; without it of all
 * @throws AppError NOT_FOUND for an alert that is not the caller's
 */
export async function listFirings(
  deps: AlertDeps,
  caller: Caller,
  page: {
    readonly alertId?: string
    readonly isUnseen: boolean
    readonly limit: number
    readonly before: InstantCursor | null
  },
): Promise<{ rows: Firing[]; hasMore: boolean }> {
  const userId = ownerOf(caller)
  const { alertId, before } = page
  return await deps.db.asUser(userId, async trx => {
    if (alertId !== undefined) await alertOf(trx, userId, alertId)
    const found = await trx
      .selectFrom('alert_firings')
      .innerJoin('alerts', 'alerts.id', 'alert_firings.alert_id')
      .selectAll('alert_firings')
      .select('alerts.name')
      .where('alert_firings.owner_id', '=', userId)
      .$if(alertId !== undefined, query => query.where('alert_id', '=', alertId ?? ''))
      .$if(page.isUnseen, query => query.where('seen_at', 'is', null))
      .$if(before !== null, query =>
        query.where(eb =>
          eb.or([
            eb('alert_firings.fired_at', '<', new Date(before?.createdAtMs ?? 0)),
            eb.and([
              eb('alert_firings.fired_at', '=', new Date(before?.createdAtMs ?? 0)),
              eb('alert_firings.id', '<', before?.id ?? ''),
            ]),
          ]),
        ),
      )
      .orderBy('alert_firings.fired_at', 'desc')
      .orderBy('alert_firings.id', 'desc')
      .limit(page.limit + 1)
      .execute()
    const shown = found.slice(0, page.limit)
    const told = await toldOf(trx, userId, shown)
    return { rows: shown.map(row => fromRow(row, told)), hasMore: found.length > page.limit }
  })
}

/** Says that firings were looked at, of one alert or all. */
export async function markSeen(deps: AlertDeps, caller: Caller, alertId: string | undefined): Promise<void> {
  const userId = ownerOf(caller)
  await deps.db.asUser(userId, async trx => {
    if (alertId !== undefined) await alertOf(trx, userId, alertId)
    await trx
      .updateTable('alert_firings')
      .set({ seen_at: new Date(deps.clock.nowMs()) })
      .where('owner_id', '=', userId)
      .where('seen_at', 'is', null)
      .$if(alertId !== undefined, query => query.where('alert_id', '=', alertId ?? ''))
      .execute()
  })
}

/** Removes firings that are older than they are kept. @returns how many */
export async function purgeFirings({ db, clock }: { db: Db; clock: AlertDeps['clock'] }): Promise<number> {
  const before = new Date(clock.nowMs() - firingDays * 86_400_000)
  const { numDeletedRows } = await db.system
    .deleteFrom('alert_firings')
    .where('fired_at', '<', before)
    .executeTakeFirst()
  return Number(numDeletedRows)
}

interface Told {
  readonly mails: ReadonlyMap<string, Selectable<Database['alert_mails']>>
  readonly webhooks: ReadonlyMap<string, readonly ToldWebhook[]>
}

async function toldOf(trx: Trx, userId: UserId, firings: readonly FiringRecord[]): Promise<Told> {
  const ids = firings.map(({ id }) => id)
  if (ids.length === 0) return { mails: new Map(), webhooks: new Map() }
  const mails = await trx.selectFrom('alert_mails').selectAll().where('firing_id', 'in', ids).execute()
  const webhooks = await deliveriesOf(trx, userId, ids.map(webhookKeyOf))
  return { mails: new Map(mails.map(mail => [mail.firing_id, mail])), webhooks }
}

function fromRow(row: FiringRecord & { readonly name: string }, told: Told): Firing {
  return {
    id: row.id,
    alertId: row.alert_id,
    name: row.name,
    version: row.version,
    at: row.at.toISOString(),
    firedAt: row.fired_at.toISOString(),
    isReplay: row.world === 'replay',
    sentence: row.sentence,
    value: row.value,
    rows: z.array(FiringRowSchema).parse(row.rows),
    rowCount: row.row_count,
    isMuted: row.is_muted,
    seenAt: row.seen_at?.toISOString() ?? null,
    deliveries: ChannelsSchema.parse(row.channels).map(channel => deliveryOf(row, channel, told)),
  }
}

const ChannelsSchema = z.array(z.enum(['terminal', 'webhook', 'email']))

function deliveryOf(row: FiringRecord, channel: FiringDelivery['channel'], told: Told): FiringDelivery {
  if (row.is_muted) return { channel, status: 'muted', detail: 'The alert was muted.' }
  if (channel === 'terminal') return { channel, status: 'delivered', detail: '' }
  if (row.world === 'replay') return { channel, status: 'nobody', detail: 'A replay tells nobody outside.' }
  if (channel === 'email') {
    const mail = told.mails.get(row.id)
    if (mail === undefined) return { channel, status: 'nobody', detail: '' }
    const status = ({ waiting: 'waiting', sent: 'delivered', failed: 'failed' } as const)[mail.status]
    return { channel, status, detail: mail.reason ?? '' }
  }
  return webhookDelivery(told.webhooks.get(webhookKeyOf(row.id)) ?? [])
}

/** One word for several webhooks: what has failed is said first, then what still waits. */
function webhookDelivery(told: readonly ToldWebhook[]): FiringDelivery {
  const channel = 'webhook'
  const [worst] = (['failed', 'waiting', 'delivered'] as const).flatMap(
    status => told.find(one => one.status === status) ?? [],
  )
  if (worst === undefined)
    return { channel, status: 'nobody', detail: 'No active webhook of yours is for alert.fired.' }
  return { channel, status: worst.status, detail: worst.error ?? '' }
}

import { randomBytes, randomUUID } from 'node:crypto'
import { type Selectable, sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import {
  type Delivery,
  type NewWebhook,
  type Webhook,
  WebhookEventSchema,
  type WebhookRequest,
  webhooksMax,
} from '../../../contracts/webhooks.ts'
import type { Database } from '../../../core/db/schema.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { SecretPlace } from '../../../core/vault/port.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { recordAudit } from '../audit/record.ts'
import { wakeSender } from './outbox.ts'

type Trx = Transaction<Database>
export type WebhookDeps = Pick<ServerDeps, 'db' | 'vault' | 'outbound' | 'webhookOrigins' | 'bus' | 'clock' | 'log'>

/** Deliveries of one webhook that may wait before no more are asked for by hand. */
const waitingMax = 100

/** Where the vault keeps what signs a user's webhooks. */
export function signingSecretOf(ownerId: UserId): SecretPlace {
  return { ownerId, purpose: 'webhook_secret' }
}

/**
 * Makes a webhook. Its secret is in the answer and nowhere else afterwards.
 * @throws AppError FORBIDDEN for an address inside; CONFLICT when the user has the most that one may have
 */
export async function createWebhook(deps: WebhookDeps, caller: Caller, request: WebhookRequest): Promise<NewWebhook> {
  const userId = ownerOf(caller)
  const url = new URL(request.url)
  if (!deps.webhookOrigins.includes(url.origin)) deps.outbound.checkForUser(url.href)
  const secret = `whsec_${randomBytes(32).toString('base64url')}`
  return await deps.db.asUser(userId, async trx => {
    await takeTurn(trx, userId)
    const { count } = await trx
      .selectFrom('webhooks')
      .select(({ fn }) => fn.countAll<string>().as('count'))
      .where('owner_id', '=', userId)
      .executeTakeFirstOrThrow()
    if (Number(count) >= webhooksMax)
      throw new AppError('CONFLICT', `You have ${webhooksMax} webhooks, the most there may be: delete one first.`)
    const now = new Date(deps.clock.nowMs())
    const row = await trx
      .insertInto('webhooks')
      .values({
        owner_id: userId,
        url: url.href,
        events: [...new Set(request.events)],
        secret_vault_id: await deps.vault.put(trx, signingSecretOf(userId), secret),
        status_reason: null,
        created_at: now,
        updated_at: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await audit(trx, { userId, caller }, 'webhook.created', row, { events: request.events })
    return { ...fromRow(row), secret }
  })
}

/** A user's webhooks, newest first: there are few. */
export async function listWebhooks(deps: WebhookDeps, caller: Caller): Promise<Webhook[]> {
  const userId = ownerOf(caller)
  const rows = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('webhooks')
      .selectAll()
      .where('owner_id', '=', userId)
      .orderBy('created_at', 'desc')
      .orderBy('id')
      .limit(webhooksMax)
      .execute(),
  )
  return rows.map(fromRow)
}

/** Pauses or resumes. Resuming one that was disabled forgets why. @throws AppError NOT_FOUND */
export async function changeWebhook(
  deps: WebhookDeps,
  caller: Caller,
  id: string,
  change: { status: 'active' | 'paused' },
): Promise<Webhook> {
  const userId = ownerOf(caller)
  const row = await deps.db.asUser(userId, async trx => {
    const changed = await trx
      .updateTable('webhooks')
      .set({ status: change.status, status_reason: null, updated_at: new Date(deps.clock.nowMs()) })
      .where('id', '=', id)
      .where('owner_id', '=', userId)
      .returningAll()
      .executeTakeFirst()
    if (!changed) throw noSuchWebhook()
    await audit(trx, { userId, caller }, 'webhook.changed', changed, { status: change.status })
    return changed
  })
  if (change.status === 'active') await wakeSender(deps)
  return fromRow(row)
}

/** Removes a webhook with its secret and its log. @throws AppError NOT_FOUND */
export async function deleteWebhook(deps: WebhookDeps, caller: Caller, id: string): Promise<void> {
  const userId = ownerOf(caller)
  await deps.db.asUser(userId, async trx => {
    const row = await trx
      .deleteFrom('webhooks')
      .where('id', '=', id)
      .where('owner_id', '=', userId)
      .returningAll()
      .executeTakeFirst()
    if (!row) throw noSuchWebhook()
    await deps.vault.remove(trx, signingSecretOf(userId), secretId(row.secret_vault_id))
    await audit(trx, { userId, caller }, 'webhook.deleted', row, {})
  })
}

/** Stops all webhooks of a user, in the transaction of what makes that necessary. Their owner may resume them. */
export async function pauseAllWebhooks(
  trx: Trx,
  userId: UserId,
  o: { caller: Caller; now: Date; reason: string },
): Promise<void> {
  const paused = await trx
    .updateTable('webhooks')
    .set({ status: 'paused', status_reason: o.reason, updated_at: o.now })
    .where('owner_id', '=', userId)
    .where('status', '=', 'active')
    .returning(['id', 'url'])
    .execute()
  for (const row of paused) await audit(trx, { userId, caller: o.caller }, 'webhook.changed', row, { status: 'paused' })
}

/** What was told to a webhook in the last 30 days, newest first. @throws AppError NOT_FOUND */
export async function listDeliveries(
  deps: WebhookDeps,
  caller: Caller,
  id: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<{ rows: Delivery[]; nextCursor: string | null }> {
  const userId = ownerOf(caller)
  const after = page.cursor === undefined ? null : readCursor(page.cursor)
  const rows = await deps.db.asUser(userId, async trx => {
    await webhookOf(trx, userId, id)
    return await trx
      .selectFrom('webhook_deliveries')
      .selectAll()
      // As text it keeps the microseconds.
      .select(sql<string>`created_at::text`.as('created_text'))
      .where('webhook_id', '=', id)
      .where('owner_id', '=', userId)
      .$if(after !== null, query =>
        query.where(sql<boolean>`(created_at, id) < (${after?.createdAt}::timestamptz, ${after?.id}::uuid)`),
      )
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(page.limit + 1)
      .execute()
  })
  const shown = rows.slice(0, page.limit)
  const last = shown.at(-1)
  return {
    rows: shown.map(fromDeliveryRow),
    nextCursor: rows.length > page.limit && last ? writeCursor({ createdAt: last.created_text, id: last.id }) : null,
  }
}

/** How a happening went at one webhook. */
export interface ToldWebhook {
  readonly status: Delivery['status']
  readonly error: string | null
}

/** How happenings were told, by their keys (`Happening`). @param trx of the user */
export async function deliveriesOf(
  trx: Trx,
  userId: UserId,
  dedupeKeys: readonly string[],
): Promise<Map<string, ToldWebhook[]>> {
  const rows = await trx
    .selectFrom('webhook_deliveries')
    .select(['dedupe_key', 'status', 'last_error'])
    .where('owner_id', '=', userId)
    .where('dedupe_key', 'in', [...dedupeKeys])
    .execute()
  const told = new Map<string, ToldWebhook[]>()
  for (const { dedupe_key, status, last_error } of rows)
    told.set(dedupe_key, [...(told.get(dedupe_key) ?? []), { status, error: last_error }])
  return told
}

/** Tells a webhook `webhook.test`, whatever events it is for. @throws AppError NOT_FOUND; CONFLICT unless it is active */
export async function testWebhook(deps: WebhookDeps, caller: Caller, id: string): Promise<Delivery> {
  const userId = ownerOf(caller)
  const row = await deps.db.asUser(userId, async trx => {
    await assertMayTell(trx, userId, id)
    const now = new Date(deps.clock.nowMs())
    return await trx
      .insertInto('webhook_deliveries')
      .values({
        webhook_id: id,
        owner_id: userId,
        event: 'webhook.test',
        dedupe_key: `webhook.test ${randomUUID()}`,
        payload: JSON.stringify({ message: 'Cliptape reaches you.' }),
        next_attempt_at: now,
        last_status: null,
        last_error: null,
        delivered_at: null,
        created_at: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
  await wakeSender(deps)
  return fromDeliveryRow(row)
}

/** Tells something once more, with all its attempts, under the same id. @throws AppError NOT_FOUND; CONFLICT as `testWebhook` */
export async function redeliver(
  deps: WebhookDeps,
  caller: Caller,
  ids: { webhookId: string; deliveryId: string },
): Promise<Delivery> {
  const userId = ownerOf(caller)
  const row = await deps.db.asUser(userId, async trx => {
    await assertMayTell(trx, userId, ids.webhookId)
    const changed = await trx
      .updateTable('webhook_deliveries')
      .set({ status: 'waiting', attempts: 0, next_attempt_at: new Date(deps.clock.nowMs()), delivered_at: null })
      .where('id', '=', ids.deliveryId)
      .where('webhook_id', '=', ids.webhookId)
      .where('owner_id', '=', userId)
      .where('status', '<>', 'waiting')
      .returningAll()
      .executeTakeFirst()
    if (changed) return changed
    const waiting = await trx
      .selectFrom('webhook_deliveries')
      .selectAll()
      .where('id', '=', ids.deliveryId)
      .where('webhook_id', '=', ids.webhookId)
      .where('owner_id', '=', userId)
      .limit(1)
      .executeTakeFirst()
    // It is on its way already.
    if (waiting) return waiting
    throw new AppError('NOT_FOUND', 'There is no such delivery of this webhook.')
  })
  await wakeSender(deps)
  return fromDeliveryRow(row)
}

async function assertMayTell(trx: Trx, userId: UserId, id: string): Promise<void> {
  const { status } = await webhookOf(trx, userId, id)
  if (status !== 'active') throw new AppError('CONFLICT', `This webhook is ${status}: resume it first.`)
  const { count } = await trx
    .selectFrom('webhook_deliveries')
    .select(({ fn }) => fn.countAll<string>().as('count'))
    .where('webhook_id', '=', id)
    .where('owner_id', '=', userId)
    .where('status', '=', 'waiting')
    .executeTakeFirstOrThrow()
  if (Number(count) >= waitingMax)
    throw new AppError(
      'CONFLICT',
      `${waitingMax} deliveries of this webhook wait already: see why it does not take them.`,
    )
}

async function webhookOf(trx: Trx, userId: UserId, id: string): Promise<{ status: Webhook['status'] }> {
  const row = await trx
    .selectFrom('webhooks')
    .select('status')
    .where('id', '=', id)
    .where('owner_id', '=', userId)
    .limit(1)
    .executeTakeFirst()
  if (!row) throw noSuchWebhook()
  return row
}

/** One creation of a user at a time: two would both find room for the last one. */
async function takeTurn(trx: Trx, userId: UserId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('webhooks'), hashtext(${userId}))`.execute(trx)
}

/** The host alone: the path of such an address is often a secret itself. */
async function audit(
  trx: Trx,
  { userId, caller }: { userId: UserId; caller: Caller },
  action: 'webhook.created' | 'webhook.changed' | 'webhook.deleted',
  row: { id: string; url: string },
  details: Record<string, unknown>,
): Promise<void> {
  const host = new URL(row.url).host
  await recordAudit(trx, userId, caller, {
    action,
    target: `webhook:${row.id}`,
    details: { host, ...details },
  })
}

function noSuchWebhook(): AppError {
  return new AppError('NOT_FOUND', 'There is no such webhook.')
}

const CursorSchema = z.strictObject({ createdAt: z.string().max(40), id: z.uuid() })

function readCursor(text: string): z.infer<typeof CursorSchema> {
  const [createdAt, id] = Buffer.from(text, 'base64url').toString('latin1').split(' id ')
  const parsed = CursorSchema.safeParse({ createdAt, id })
  if (parsed.success && !Number.isNaN(Date.parse(parsed.data.createdAt)) && writeCursor(parsed.data) === text)
    return parsed.data
  throw new AppError('BAD_REQUEST', 'The cursor is not one that was given out: start again without it.', {
    details: { field: 'cursor' },
  })
}

function writeCursor({ createdAt, id }: z.infer<typeof CursorSchema>): string {
  return Buffer.from(`${createdAt} id ${id}`, 'latin1').toString('base64url')
}

function fromRow(row: Selectable<Database['webhooks']>): Webhook {
  return {
    id: row.id,
    url: row.url,
    events: z.array(WebhookEventSchema).parse(row.events),
    status: row.status,
    statusReason: row.status_reason,
    createdAt: row.created_at.toISOString(),
  }
}

function fromDeliveryRow(row: Selectable<Database['webhook_deliveries']>): Delivery {
  return {
    id: row.id,
    event: row.event,
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.status === 'waiting' ? row.next_attempt_at.toISOString() : null,
    lastStatus: row.last_status,
    lastError: row.last_error,
    createdAt: row.created_at.toISOString(),
    deliveredAt: row.delivered_at?.toISOString() ?? null,
  }
}

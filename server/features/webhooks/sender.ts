/**
 * Sends what the outbox holds.
 *
 * Any number of nodes may do it at once. A delivery is claimed by counting its attempt and moving its next one behind a
 * lease, in one statement that skips what another node has in hand: two never send it at the same time, and when a node
 * dies in the middle the delivery is due again after the lease. What was sent may then be sent twice (the receiver sees
 * the same id); it is never lost. A receiver that is slow takes a few places of a batch, not all.
 *
 * No network call happens inside a transaction: the claim is committed before, the outcome is written after.
 */
import { sql } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import { UserIdSchema } from '../../../contracts/ids.ts'
import { WebhookEventSchema, type WebhookMessage } from '../../../contracts/webhooks.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Log } from '../../../core/log.ts'
import type { Outbound, OutboundAnswer } from '../../../core/outbound/port.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { Vault } from '../../../core/vault/port.ts'
import { recordAudit } from '../audit/record.ts'
import { pauseAfter, retryAfterMs } from './retry.ts'
import { signingSecretOf } from './service.ts'
import { signatureHeader, signatureOf } from './signature.ts'

const batchMax = 16
const batchOfOneWebhookMax = 4
/** Among the longest due, who is fair to whom. */
const lookedAtMax = 5_000
const sendMsMax = 10_000
/** Longer than a whole batch can take. */
const leaseMs = 60_000
/** The log of what was told. */
const keptMs = 30 * 86_400_000

export interface SenderDeps {
  readonly db: Db
  readonly vault: Vault
  readonly outbound: Outbound
  /** Origins of the operator's own network that may be sent to. */
  readonly webhookOrigins: readonly string[]
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  /** From 0 up to 1. */
  readonly random: () => number
}

const ClaimedSchema = z.object({
  id: z.uuid(),
  webhook_id: z.uuid(),
  owner_id: UserIdSchema,
  event: WebhookEventSchema,
  payload: z.record(z.string(), z.unknown()),
  attempts: z.number().int(),
  created_at: z.date(),
  url: z.string(),
  secret_vault_id: z.string(),
})
type Claimed = z.infer<typeof ClaimedSchema>

/** What came of one attempt. */
type Outcome =
  | { readonly kind: 'delivered'; readonly status: number }
  | { readonly kind: 'gone'; readonly status: number; readonly error: string }
  | { readonly kind: 'failed'; readonly status: number | null; readonly error: string; readonly askedMs: number | null }

/** One per process that does jobs. */
export class WebhookSender {
  readonly #deps: SenderDeps
  readonly #closing = new AbortController()
  #running: Promise<void> | null = null
  #isWanted = false

  constructor(deps: SenderDeps) {
    this.#deps = deps
  }

  /** Sends everything that is due; resolves when nothing is. Called while it runs, it looks once more at the end. */
  run(): Promise<void> {
    this.#isWanted = true
    this.#running ??= this.#drain().finally(() => {
      this.#running = null
    })
    return this.#running
  }

  /** Removes deliveries older than 30 days, with those that a pause kept waiting so long. */
  async purge(): Promise<number> {
    const before = new Date(this.#deps.clock.nowMs() - keptMs)
    const { numDeletedRows } = await this.#deps.db.system
      .deleteFrom('webhook_deliveries')
      .where('created_at', '<', before)
      .executeTakeFirst()
    return Number(numDeletedRows)
  }

  /** Gives up what is under way; it is sent again after its lease. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#running?.catch(() => undefined)
  }

  async #drain(): Promise<void> {
    while (this.#isWanted && !this.#closing.signal.aborted) {
      this.#isWanted = false
      for (let batch = await this.#claim(); batch.length > 0; batch = await this.#claim()) {
        const results = await Promise.allSettled(batch.map(delivery => this.#deliver(delivery)))
        for (const result of results) {
          // Its lease brings it back.
          if (result.status === 'rejected')
            this.#deps.log.error({ err: result.reason }, 'A delivery could not be made, or not be written down.')
        }
        if (this.#closing.signal.aborted) return
      }
    }
  }

  async #claim(): Promise<Claimed[]> {
    const now = new Date(this.#deps.clock.nowMs())
    const leaseEnd = new Date(now.getTime() + leaseMs)
    const { rows } = await this.#deps.db.transaction(trx =>
      sql`
        with oldest as (
          select d.id, d.webhook_id, d.next_attempt_at, d.created_at
          from webhook_deliveries d join webhooks w on w.id = d.webhook_id
          where d.status = 'waiting' and d.next_attempt_at <= ${now} and w.status = 'active'
          order by d.next_attempt_at limit ${lookedAtMax}
        ), due as (
          select id, next_attempt_at,
            row_number() over (partition by webhook_id order by next_attempt_at, created_at, id) as place
          from oldest
        ), taken as (
          select d.id from webhook_deliveries d
          where d.id in (
              select id from due where place <= ${batchOfOneWebhookMax}
              order by place, next_attempt_at, id limit ${batchMax}
            ) and d.status = 'waiting' and d.next_attempt_at <= ${now}
          for update skip locked
        )
        update webhook_deliveries d set attempts = d.attempts + 1, next_attempt_at = ${leaseEnd}
        from taken, webhooks w
        where d.id = taken.id and w.id = d.webhook_id
        returning d.id, d.webhook_id, d.owner_id, d.event, d.payload, d.attempts, d.created_at, w.url, w.secret_vault_id`.execute(
        trx,
      ),
    )
    return z.array(ClaimedSchema).parse(rows)
  }

  async #deliver(delivery: Claimed): Promise<void> {
    const { log } = this.#deps
    const secret = await this.#secretOf(delivery)
    const outcome = await this.#attempt(delivery, secret)
    // Ended by our own closing: nobody failed, and the lease brings it back.
    if (this.#closing.signal.aborted && outcome.kind === 'failed') return
    await this.#settle(delivery, outcome)
    const about = { webhookId: delivery.webhook_id, deliveryId: delivery.id, attempts: delivery.attempts }
    if (outcome.kind === 'delivered') log.debug(about, 'A webhook was told.')
    else log.info({ ...about, status: outcome.status }, 'A webhook could not be told.')
  }

  /** When the vault does not open (a key is missing here), nobody outside failed: the attempt does not count. */
  async #secretOf(delivery: Claimed): Promise<string> {
    const { db, vault } = this.#deps
    const owner = delivery.owner_id
    try {
      return await db.asUser(owner, trx => vault.read(trx, signingSecretOf(owner), secretId(delivery.secret_vault_id)))
    } catch (error) {
      await db.system
        .updateTable('webhook_deliveries')
        .set({ attempts: delivery.attempts - 1 })
        .where('id', '=', delivery.id)
        .where('attempts', '=', delivery.attempts)
        .execute()
      throw error
    }
  }

  async #attempt(delivery: Claimed, secret: string): Promise<Outcome> {
    const { clock } = this.#deps
    let answer: OutboundAnswer
    try {
      answer = await this.#send(delivery, secret)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { kind: 'failed', status: null, error: error.message.slice(0, 500), askedMs: null }
    }
    const { status } = answer
    if (status >= 200 && status <= 299) return { kind: 'delivered', status }
    if (status === 410) return { kind: 'gone', status, error: 'It answered 410: nobody wants this any more.' }
    const askedMs = retryAfterMs(answer.headers['retry-after'], clock.nowMs())
    const error =
      status >= 300 && status <= 399 ? `It answered ${status}: redirects are not followed.` : `It answered ${status}.`
    return { kind: 'failed', status, error, askedMs }
  }

  async #send(delivery: Claimed, secret: string): Promise<OutboundAnswer> {
    const { outbound, clock, version, webhookOrigins } = this.#deps
    const message: WebhookMessage = {
      id: delivery.id,
      event: delivery.event,
      createdAt: delivery.created_at.toISOString(),
      data: delivery.payload,
    }
    const body = JSON.stringify(message)
    const request = {
      method: 'POST',
      body,
      timeoutMs: sendMsMax,
      signal: this.#closing.signal,
      headers: {
        'content-type': 'application/json',
        'user-agent': `Cliptape/${version}`,
        'cliptape-event': delivery.event,
        'cliptape-delivery': delivery.id,
        [signatureHeader]: signatureOf(secret, body, clock.nowMs()),
      },
    } as const
    const isInside = webhookOrigins.includes(new URL(delivery.url).origin)
    return await (isInside
      ? outbound.fetchConfigured(delivery.url, request)
      : outbound.fetchForUser(delivery.url, request))
  }

  /** Only for the attempt that was claimed: after the lease another node may have begun the next one. */
  async #settle(delivery: Claimed, outcome: Outcome): Promise<void> {
    const now = new Date(this.#deps.clock.nowMs())
    await this.#deps.db.transaction(async trx => {
      const mine = trx
        .updateTable('webhook_deliveries')
        .where('id', '=', delivery.id)
        .where('attempts', '=', delivery.attempts)
        .where('status', '=', 'waiting')
      const failure = outcome.kind === 'delivered' ? null : outcome.error
      const pauseMs =
        outcome.kind === 'failed' ? pauseAfter(delivery.attempts, outcome.askedMs, this.#deps.random()) : null
      const change = { last_status: outcome.status, last_error: failure }
      if (outcome.kind === 'delivered') {
        await mine.set({ ...change, status: 'delivered', delivered_at: now }).execute()
        return
      }
      if (pauseMs !== null) {
        await mine.set({ ...change, next_attempt_at: new Date(now.getTime() + pauseMs) }).execute()
        return
      }
      // First, as everybody who may disable it does: two that took their deliveries first would wait for each other.
      await trx.selectFrom('webhooks').select('id').where('id', '=', delivery.webhook_id).limit(1).forUpdate().execute()
      const { numUpdatedRows } = await mine.set({ ...change, status: 'failed' }).executeTakeFirst()
      if (numUpdatedRows === 0n) return
      if (outcome.kind === 'gone') await disable(trx, delivery, now, outcome.error)
      else if (await nothingCameThrough(trx, delivery))
        await disable(trx, delivery, now, `Nothing could be delivered for a day. The last time: ${outcome.error}`)
    })
  }
}

type Trx = Parameters<Parameters<Db['transaction']>[0]>[0]

/** Whether no delivery of the webhook arrived since the failed one was made, a day of attempts ago. */
async function nothingCameThrough(trx: Trx, { webhook_id, created_at }: Claimed): Promise<boolean> {
  const arrived = await trx
    .selectFrom('webhook_deliveries')
    .select('id')
    .where('webhook_id', '=', webhook_id)
    .where('delivered_at', '>=', created_at)
    .limit(1)
    .executeTakeFirst()
  return arrived === undefined
}

async function disable(trx: Trx, { webhook_id: id, owner_id }: Claimed, now: Date, reason: string): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('webhooks')
    .set({ status: 'disabled', status_reason: reason.slice(0, 500), updated_at: now })
    .where('id', '=', id)
    .where('status', '=', 'active')
    .executeTakeFirst()
  if (numUpdatedRows === 0n) return
  await trx
    .updateTable('webhook_deliveries')
    .set({ status: 'failed', last_error: 'The webhook was disabled before this could be sent.' })
    .where('webhook_id', '=', id)
    .where('status', '=', 'waiting')
    .execute()
  await recordAudit(trx, owner_id, null, {
    action: 'webhook.changed',
    target: `webhook:${id}`,
    details: { status: 'disabled' },
  })
}

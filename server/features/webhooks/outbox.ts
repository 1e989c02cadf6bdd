import { sql, type Transaction } from 'kysely'
import type { UserId } from '../../../contracts/ids.ts'
import type { WebhookEvent } from '../../../contracts/webhooks.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Log } from '../../../core/log.ts'

/** Something that webhooks are told about. */
export interface Happening {
  readonly event: WebhookEvent
  /** One happening has one key for ever: no webhook is told of it twice. */
  readonly dedupeKey: string
  /** Nothing secret: it is stored as it is, and its receiver is outside. */
  readonly data: Readonly<Record<string, unknown>>
}

/**
 * Writes what is to be told in the transaction of what happened: both are kept, or neither. `wakeSender` afterwards.
 * Active webhooks for the event get it, of all users or of one.
 *
 * @param trx of our own bookkeeping, or of `userId` alone
 * @returns how many deliveries are new
 */
export async function tellWebhooks(
  trx: Transaction<Database>,
  happenings: readonly Happening[],
  to: { readonly now: Date; readonly userId?: UserId },
): Promise<number> {
  let count = 0
  for (const { event, dedupeKey, data } of happenings) {
    const result = await trx
      .insertInto('webhook_deliveries')
      .columns(['webhook_id', 'owner_id', 'event', 'dedupe_key', 'payload', 'next_attempt_at', 'created_at'])
      .expression(query =>
        query
          .selectFrom('webhooks')
          .select(({ ref, val, cast }) => [
            ref('id').as('webhook_id'),
            ref('owner_id').as('owner_id'),
            cast<string>(val(event), 'text').as('event'),
            cast<string>(val(dedupeKey), 'text').as('dedupe_key'),
            cast<string>(val(JSON.stringify(data)), 'jsonb').as('payload'),
            cast<Date>(val(to.now), 'timestamptz').as('next_attempt_at'),
            cast<Date>(val(to.now), 'timestamptz').as('created_at'),
          ])
          .where('status', '=', 'active')
          .where(sql<boolean>`${event} = any (events)`)
          .$if(to.userId !== undefined, own => own.where('owner_id', '=', to.userId ?? '')),
      )
      .onConflict(conflict => conflict.columns(['webhook_id', 'dedupe_key']).doNothing())
      .executeTakeFirst()
    count += Number(result.numInsertedOrUpdatedRows ?? 0)
  }
  return count
}

/**
 * Has what was written sent now, and not when the queue's minute has passed. What is to be told is durable, so a message
 * that does not get through is no failure.
 */
export async function wakeSender({ bus, clock, log }: { bus: Bus; clock: Clock; log: Log }): Promise<void> {
  await bus
    .publish('webhooks.due', { atMs: clock.nowMs() })
    .catch(err => log.warn({ err }, 'The bus does not answer: webhooks are told within a minute.'))
}

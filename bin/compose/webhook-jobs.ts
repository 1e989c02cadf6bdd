import type { NicheRules } from '../../analytics/niches/rules.ts'
import { systemClock } from '../../core/clock.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import type { Queue } from '../../core/queue/port.ts'
import type { Vault } from '../../core/vault/port.ts'
import type { World } from '../../core/world.ts'
import { tellBreakouts } from '../../server/features/webhooks/breakouts.ts'
import { WebhookSender } from '../../server/features/webhooks/sender.ts'
import { cliptapeVersion } from '../version.ts'
import type { OpenOptions, Stores } from './stores.ts'

const sendQueue = 'webhooks.send'
const purgeQueue = 'webhooks.purge'
const breakoutQueue = 'videos.breakout'

/**
 * The part of the role `jobs` that tells webhooks. What is new is sent as soon as the bus says so; once a minute the
 * queue has one worker of all processes look for what is due again, or was missed. Breakouts are looked for every five
 * minutes.
 *
 * @param world of real readings
 */
export async function startWebhookJobs(
  { config, scope, log }: Pick<OpenOptions, 'config' | 'scope' | 'log'>,
  stores: Stores,
  parts: { queue: Queue; vault: Vault; outbound: Outbound; niches: () => NicheRules; world: World },
): Promise<void> {
  const { queue, vault, outbound } = parts
  const sender = await scope.start(
    'webhooks',
    () =>
      new WebhookSender({
        db: stores.db,
        vault,
        outbound,
        webhookOrigins: config.webhookOrigins,
        clock: systemClock,
        log,
        version: cliptapeVersion,
        random: Math.random,
      }),
    sender => sender.close(),
  )
  const once = { batchSize: 1, pollingIntervalSeconds: 2 }
  await queue.declare(sendQueue, { retryLimit: 0, expireInSeconds: 600 })
  await queue.work(sendQueue, once, () => sender.run())
  await queue.schedule(sendQueue, '* * * * *', {})

  await queue.declare(purgeQueue, { retryLimit: 3, expireInSeconds: 600 })
  await queue.work(purgeQueue, once, async () => {
    await sender.purge()
  })
  await queue.schedule(purgeQueue, '17 3 * * *', {})

  await queue.declare(breakoutQueue, { retryLimit: 0, expireInSeconds: 300 })
  await queue.work(breakoutQueue, once, async () => {
    const analytics = { store: stores.store, world: parts.world, niches: parts.niches() }
    await tellBreakouts({ ...stores, clock: systemClock, log }, analytics)
  })
  await queue.schedule(breakoutQueue, '*/5 * * * *', {})

  await scope.start(
    'webhook nudges',
    () => stores.bus.subscribe('webhooks.due', () => sender.run()),
    unsubscribe => unsubscribe(),
  )
}

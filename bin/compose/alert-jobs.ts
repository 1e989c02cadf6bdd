import type { AnalyticsContext } from '../../analytics/context.ts'
import { systemClock } from '../../core/clock.ts'
import type { Mailer } from '../../core/mail/port.ts'
import type { Queue } from '../../core/queue/port.ts'
import type { ServerDeps } from '../../server/deps.ts'
import { purgeFirings } from '../../server/features/alerts/firings.ts'
import { sendAlertMails } from '../../server/features/alerts/mails.ts'
import { savedQueriesOf } from '../../server/features/alerts/saved-queries.ts'
import { AlertWatcher, takeBackAlerts } from '../../server/features/alerts/watcher.ts'
import type { OpenOptions, Stores } from './stores.ts'

const lookQueue = 'alerts.look'
const mailQueue = 'alerts.mail'
const purgeQueue = 'alerts.purge'

/**
 * The part of the role `jobs` that looks at alerts: when readings were written or a rule was made, as the bus says, and
 * once a minute, because windows move. Mails that a node left unsent are found once a minute as well.
 *
 * @param parts.analytics the numbers that are looked at now
 */
export async function startAlertJobs(
  { scope, log }: Pick<OpenOptions, 'scope' | 'log'>,
  stores: Stores,
  parts: {
    queue: Queue
    mailer: Mailer | null
    analytics: () => AnalyticsContext
    /** How users' SQL is run. */
    sql: Pick<ServerDeps, 'gate' | 'usage'>
  },
): Promise<void> {
  const { queue, mailer, analytics } = parts
  const queries = savedQueriesOf({ ...stores, ...parts.sql })
  const deps = { ...stores, clock: systemClock, log }
  if (stores.db.kind === 'pglite') await takeBackAlerts(stores.db)
  const watcher = await scope.start(
    'alerts',
    () => new AlertWatcher({ ...deps, analytics, queries }),
    watcher => watcher.close(),
  )
  const sendMails = () => sendAlertMails({ ...deps, mailer })
  const once = { batchSize: 1, pollingIntervalSeconds: 2 }
  await queue.declare(lookQueue, { retryLimit: 0, expireInSeconds: 600 })
  await queue.work(lookQueue, once, () => watcher.run())
  await queue.schedule(lookQueue, '* * * * *', {})
  await queue.declare(mailQueue, { retryLimit: 0, expireInSeconds: 600 })
  await queue.work(mailQueue, once, sendMails)
  await queue.schedule(mailQueue, '* * * * *', {})
  await queue.declare(purgeQueue, { retryLimit: 3, expireInSeconds: 600 })
  await queue.work(purgeQueue, once, async () => {
    await purgeFirings(deps)
  })
  await queue.schedule(purgeQueue, '27 3 * * *', {})
  const stops = [
    await stores.bus.subscribe('samples.written', event => watcher.note(event)),
    await stores.bus.subscribe('alerts.due', () => watcher.run()),
    await stores.bus.subscribe('alert.mails', sendMails),
  ]
  await scope.start(
    'alert nudges',
    () => undefined,
    async () => {
      for (const stop of stops) await stop()
    },
  )
  // What a process that is gone left due need not wait for the minute, nor the start for it.
  watcher.run().catch(err => log.warn({ err }, 'Alerts could not be looked at: tried again in a minute.'))
}

import { type Clock, systemClock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import type { Vault } from '../../core/vault/port.ts'
import type { IngestDeps } from '../../ingest/import.ts'
import { PollWorker, planWork } from '../../ingest/platforms/poll-worker.ts'
import { createWriter, pollLimits } from '../../ingest/writer.ts'
import type { PlatformRegistry } from '../../platforms/registry.ts'
import { operatorOf, platformAsking } from './platform-asking.ts'
import type { OpenOptions } from './stores.ts'

/** How often a worker looks for what is due, and for what is new to be read. */
const lookEveryMs = 2_000
const planEveryMs = 30_000

/**
 * The role `ingest`: reads linked accounts and monitored creators from the platforms. Work is shared through rows that are
 * claimed, not through jobs of the queue: there is one row for each thing that is read again and again, and a job for each
 * of its readings would be written only to say what the row says already.
 */
export async function startIngestJobs(
  { config, scope, log }: Pick<OpenOptions, 'config' | 'scope' | 'log'>,
  ingest: IngestDeps,
  parts: { vault: Vault; platforms: PlatformRegistry },
): Promise<void> {
  const { db } = ingest
  const clock = systemClock
  const writer = await scope.start(
    'writer of platforms',
    async () => createWriter(ingest, pollLimits),
    writer => writer.close(),
  )
  const worker = new PollWorker({
    ...ingest,
    ...platformAsking({ config, log }, ingest, parts),
    clock,
    writer,
    isOperatorAmended: config.isYoutubeAmended,
    onAccount: (accountId, problem) => tellAccount(db, clock, accountId, problem?.message ?? null),
    random: Math.random,
  })
  const operator = operatorOf({ config })
  const state: { plannedAtMs: number; looking: Promise<void> | null } = { plannedAtMs: 0, looking: null }
  const look = async (): Promise<void> => {
    const nowMs = clock.nowMs()
    if (nowMs - state.plannedAtMs >= planEveryMs) {
      state.plannedAtMs = nowMs
      await planWork({ db, clock, random: Math.random }, operator)
    }
    await worker.run()
  }
  await scope.start(
    'nudges of new accounts',
    () =>
      ingest.bus.subscribe('accounts.linked', async () => {
        state.plannedAtMs = 0
      }),
    unsubscribe => unsubscribe(),
  )
  await scope.start(
    'reading of platforms',
    async () =>
      setInterval(() => {
        state.looking ??= look()
          .catch(err => log.error({ err }, 'What is due on the platforms could not be looked for.'))
          .finally(() => {
            state.looking = null
          })
      }, lookEveryMs),
    async timer => {
      clearInterval(timer)
      await worker.close()
      await state.looking
    },
  )
}

/** What an account's user should know of its last reading. Who must link again was told so by the link itself. */
async function tellAccount(db: Db, clock: Clock, accountId: string, reason: string | null): Promise<void> {
  await db.system
    .updateTable('platform_accounts')
    .set({ reason: reason?.slice(0, 500) ?? null, updated_at: new Date(clock.nowMs()) })
    .where('id', '=', accountId)
    .where('status', '=', 'connected')
    .execute()
}

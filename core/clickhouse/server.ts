import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../contracts/errors.ts'
import type { Log } from '../log.ts'
import { createAnalyticsClient } from './client.ts'
import type { AnalyticsStatus, AnalyticsStore } from './port.ts'

const retryPauseMs = 500
/** Each attempt tries to connect for about a second of its own. */
const attemptsMax = 7

/**
 * The analytics store on a ClickHouse server.
 *
 * @param o.url `http[s]://user:password@host:port`, with `?database=` where the user's own is not the right one
 * @throws AppError UNAVAILABLE when it does not answer within about ten seconds, or refuses the user
 */
export async function openClickhouseServer(o: { url: string; log: Log }): Promise<AnalyticsStore> {
  let version = ''
  const status = (): AnalyticsStatus => ({
    kind: 'server',
    state: version === '' ? 'down' : 'up',
    version,
    restartCount: 0,
    pid: null,
  })
  const store = createAnalyticsClient({ url: o.url, whenUp: async () => {}, status, close: async () => {} })
  try {
    version = await readVersion(store, o.log)
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

async function readVersion(store: AnalyticsStore, log: Log): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const [row] = await store.query<{ version: string }>('SELECT version() AS version', { tag: 'open' })
      return row?.version ?? ''
    } catch (cause) {
      if (attempt >= attemptsMax || !(cause instanceof AppError && cause.isRetryable)) {
        const text = 'The ClickHouse server does not answer at CLICKHOUSE_URL: start it, or correct the address.'
        throw new AppError('UNAVAILABLE', text, { cause })
      }
      log.info({ attempt }, 'Waiting for the ClickHouse server.')
      await delay(retryPauseMs)
    }
  }
}

import { prepareHome } from '../core/home.ts'
import { createScope, watchProcessEnd } from '../core/lifecycle.ts'
import { createFileLog, type Log } from '../core/log.ts'
import type { OpenOptions, Stores } from './compose/stores.ts'
import { configOf, type VerbContext } from './verb-context.ts'

/**
 * Opens the home for one verb while no server runs on it, and closes it whatever happens. The first Ctrl-C aborts
 * `signal`: the work ends where it can be taken up again.
 */
export async function withLocalStores<T>(
  context: VerbContext,
  work: (stores: Stores, options: OpenOptions, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return withOpenOptions(context, async (options, signal) => {
    const { openStores } = await import('./compose/stores.ts')
    return work(await openStores(options), options, signal)
  })
}

/** The same without opening the stores, for verbs that do it in their own order. */
export async function withOpenOptions<T>(
  context: VerbContext,
  work: (options: OpenOptions, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const config = configOf(context)
  const paths = await prepareHome(config.home)
  const log: Log = createFileLog({ path: paths.log, level: config.logLevel })
  const scope = createScope(() => log)
  const stop = new AbortController()
  const end = watchProcessEnd({ log: () => log, restoreTerminal: () => undefined })
  end.requested.then(reason => stop.abort(new Error(`Interrupted (${reason}).`)))
  try {
    return await work({ config, paths, scope, log }, stop.signal)
  } finally {
    await scope.stop()
  }
}

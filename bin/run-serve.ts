import type { ReplayRequest } from '../contracts/control.ts'
import type { ConfigFlags } from '../core/config.ts'
import { prepareHome } from '../core/home.ts'
import { createScope, watchProcessEnd } from '../core/lifecycle.ts'
import { createStderrLog } from '../core/log.ts'
import { startRoles } from './compose/roles.ts'
import { openStores } from './compose/stores.ts'
import { type Role, roles } from './role.ts'
import { configOf, type VerbContext } from './verb-context.ts'

/** Runs roles without a terminal until a signal asks for the end; logs go to standard error. */
export async function runServe(
  context: VerbContext,
  options: { flags?: ConfigFlags; roles?: readonly Role[]; replay?: ReplayRequest } = {},
): Promise<void> {
  const config = configOf(context, options.flags)
  const paths = await prepareHome(config.home)
  const log = createStderrLog(config.logLevel)
  const end = watchProcessEnd({ log: () => log, restoreTerminal: () => undefined })
  const scope = createScope(() => log)
  const open = { config, paths, scope, log }
  try {
    const stores = await openStores(open)
    const { server } = await startRoles(open, stores, new Set(options.roles ?? roles), options.replay)
    context.out(
      server
        ? `Cliptape listens on ${server.url} (process ${process.pid}). Home: ${config.home}`
        : `Cliptape works (process ${process.pid}).`,
    )
    log.info({ reason: await end.requested }, 'Stopping.')
  } finally {
    await scope.stop()
  }
}

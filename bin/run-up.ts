import type { ReplayRequest } from '../contracts/control.ts'
import { type ConfigFlags, environmentWithoutSecrets, terminalVariables } from '../core/config.ts'
import { prepareHome } from '../core/home.ts'
import { createScope, watchProcessEnd } from '../core/lifecycle.ts'
import { createFileLog } from '../core/log.ts'
import { startRoles } from './compose/roles.ts'
import { openStores } from './compose/stores.ts'
import { roles } from './role.ts'
import { runServe } from './run-serve.ts'
import { systemBrowser } from './system-browser.ts'
import { endWithTerminal, openLocalTerminal, restoreLocalTerminal, type TerminalView } from './terminal-host.ts'
import { configOf, type VerbContext } from './verb-context.ts'

/**
 * Runs everything in one process tree and opens the terminal; leaving the terminal ends it all. Without a terminal (a
 * pipe, a service) it serves instead.
 */
export async function runUp(
  context: VerbContext,
  options: { flags?: ConfigFlags; replay?: ReplayRequest; view?: TerminalView } = {},
): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    context.note('There is no terminal here: serving without one.')
    await runServe(context, options)
    return
  }
  const config = configOf(context, options.flags)
  const paths = await prepareHome(config.home)
  const log = createFileLog({ path: paths.log, level: config.logLevel })
  const end = watchProcessEnd({ log: () => log, restoreTerminal: restoreLocalTerminal })
  endWithTerminal(end)
  const scope = createScope(() => log)
  const open = { config, paths, scope, log }
  try {
    context.note('Cliptape is starting …')
    const stores = await openStores(open)
    const { server, token } = await startRoles(open, stores, new Set(roles), options.replay)
    if (server === null) throw new Error('All roles were asked for, so there is a server.')
    const variables = terminalVariables(context.env)
    const browser = systemBrowser({ ...variables, env: environmentWithoutSecrets(context.env) })
    const terminal = await scope.start(
      'terminal',
      () =>
        openLocalTerminal({
          url: server.url,
          token,
          variables,
          openBrowser: browser.open,
          view: options.view ?? {},
          cwd: context.cwd,
          place: config.home,
        }),
      terminal => terminal.close(),
    )
    const reason = await Promise.race([end.requested, terminal.done.then(done => done.reason)])
    log.info({ reason }, 'Stopping.')
  } finally {
    await scope.stop()
  }
}

import type { Command } from 'commander'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { withLocalStores } from '../local-stores.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

export function addMigrate(program: Command, context: VerbContext): void {
  program
    .command('migrate')
    .description('Bring the tables of both stores up to date. Starting does the same.')
    .option('--json', 'Print one JSON object.')
    .action(async (options: { json?: boolean }) => {
      const server = await findServer(homePaths(configOf(context).home))
      // A running server has migrated when it started; the stores are its own meanwhile.
      if (server === null) await withLocalStores(context, async () => undefined)
      const text = server ? `up to date since the start of process ${server.status.pid}` : 'up to date'
      context.out(options.json ? JSON.stringify({ isUpToDate: true }) : `Both stores are ${text}.`)
    })
}

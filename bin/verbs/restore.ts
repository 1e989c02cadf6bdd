import { resolve } from 'node:path'
import type { Command } from 'commander'
import { AppError } from '../../contracts/errors.ts'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { withOpenOptions } from '../local-stores.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

export function addRestore(program: Command, context: VerbContext): void {
  program
    .command('restore')
    .description('Bring a backup back into the home (CLIPTAPE_HOME), after checking all of it.')
    .argument('<file>', 'a file that `cliptape backup` wrote')
    .option('--force', 'When the home holds data, put it aside first; it is not deleted.')
    .option('--json', 'Print one JSON object.')
    .action(async (file: string, options: { force?: boolean; json?: boolean }) => {
      const config = configOf(context)
      if (config.stores.profile === 'cluster') {
        throw new AppError(
          'NOT_CONFIGURED',
          'In the cluster profile the stores are restored with the tools of their servers.',
        )
      }
      const server = await findServer(homePaths(config.home))
      if (server) {
        throw new AppError('CONFLICT', `Process ${server.status.pid} runs Cliptape on ${config.home}: stop it first.`)
      }
      const result = await withOpenOptions(context, async open => {
        const { restoreBackup } = await import('../backup/restore-backup.ts')
        return restoreBackup(open, { path: resolve(context.cwd, file), force: options.force === true })
      })
      if (options.json)
        context.out(JSON.stringify({ home: config.home, asideAt: result.asideAt, madeAt: result.manifest.madeAt }))
      else {
        context.out(`The backup of ${result.manifest.madeAt} is restored in ${config.home}.`)
        if (result.asideAt) context.out(`What was there before lies in ${result.asideAt}.`)
      }
    })
}

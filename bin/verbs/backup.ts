import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { BackupProgress } from '../../contracts/control.ts'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { withLocalStores } from '../local-stores.ts'
import { configOf, type VerbContext } from '../verb-context.ts'
import { cliptapeVersion } from '../version.ts'

export function addBackup(program: Command, context: VerbContext): void {
  program
    .command('backup')
    .description('Write both stores into one file, while the server runs or without it.')
    .argument('<file>', 'a new file, e.g. cliptape-2026-11-21.tar')
    .option('--json', 'Print each step as one JSON object a line.')
    .action(async (file: string, options: { json?: boolean }) => {
      const path = resolve(context.cwd, file)
      const onProgress = (progress: BackupProgress): void => {
        if (options.json) context.out(JSON.stringify(progress))
        else if (progress.type === 'progress') context.note(`Backing up: ${progress.step} …`)
        else context.out(`The backup is in ${progress.path} (${(progress.bytes / 1024 / 1024).toFixed(1)} MiB).`)
      }
      const server = await findServer(homePaths(configOf(context).home))
      if (server) await server.backup({ path }, onProgress)
      else {
        await withLocalStores(context, async stores => {
          const { createBackup } = await import('../backup/create-backup.ts')
          await createBackup(stores, { path, version: cliptapeVersion }, onProgress)
        })
      }
    })
}

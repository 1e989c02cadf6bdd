import type { Command } from 'commander'
import { homePaths } from '../../core/home.ts'
import { findServer } from '../control-client.ts'
import { withLocalStores } from '../local-stores.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

export function addVault(program: Command, context: VerbContext): void {
  const vault = program.command('vault').description('The keys under which secrets are stored.')
  vault
    .command('rotate')
    .description('Change the master key of the vault, while everything goes on. Run it again when it was interrupted.')
    .option('--json', 'Print one JSON object.')
    .action(async (options: { json?: boolean }) => {
      const tell = (done: { rewrapped: number }) => {
        if (!options.json) context.note(`${done.rewrapped} secrets are under the new key …`)
      }
      const server = await findServer(homePaths(configOf(context).home))
      const done = server
        ? await server.rotateVault(tell)
        : await withLocalStores(context, async (stores, open, signal) => {
            const { openVault } = await import('../compose/vault.ts')
            return (await openVault(open, stores.db)).rotate(tell, signal)
          })
      if (done.unreadable > 0) context.exitCode = 1
      context.out(options.json ? JSON.stringify(done) : sentence(done))
    })
}

function sentence({ rewrapped, unreadable }: { rewrapped: number; unreadable: number }): string {
  const done = `The vault has a new master key: ${rewrapped} secrets were wrapped with it. A backup from before needs the old key.`
  return unreadable === 0
    ? done
    : `${done} ${unreadable} secrets could not be read: they were sealed with a key that is not here. Put it into VAULT_KEY_PREVIOUS and run this again.`
}

import type { Command } from 'commander'
import { prepareHome } from '../../core/home.ts'
import { configOf, type VerbContext } from '../verb-context.ts'

export function addToken(program: Command, context: VerbContext): void {
  program
    .command('token')
    .description('Print the access token of the local owner, for scripts (Authorization: Bearer …).')
    .option('--json', 'Print one JSON object.')
    .action(async (options: { json?: boolean }) => {
      const { ensureOwnerToken } = await import('../../server/auth/local-owner.ts')
      const token = await ensureOwnerToken((await prepareHome(configOf(context).home)).root)
      context.out(options.json ? JSON.stringify({ token }) : token)
    })
}

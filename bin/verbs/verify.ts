import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import type { VerifiedFigure } from '../../ingest/verify.ts'
import { withLocalStores } from '../local-stores.ts'
import type { VerbContext } from '../verb-context.ts'

export function addVerify(program: Command, context: VerbContext): void {
  program
    .command('verify')
    .description('Import every reference set into a scratch home and compare it with its published figures.')
    .argument('[folder]', 'folder of the reference sets', '../shared/data')
    .option('--json', 'Print one JSON object a line.')
    .action(async (folder: string, options: { json?: boolean }) => {
      const scratch = await mkdtemp(join(tmpdir(), 'cliptape-verify-'))
      try {
        const scratchContext = { ...context, env: { ...context.env, CLIPTAPE_HOME: scratch } }
        const figures = await withLocalStores(scratchContext, async (stores, open) => {
          const { ingestDeps } = await import('../compose/roles.ts')
          const { verifyReference } = await import('../../ingest/verify.ts')
          return verifyReference(ingestDeps(stores, open), resolve(context.cwd, folder), figure =>
            context.out(options.json ? JSON.stringify(figure) : lineOf(figure)),
          )
        })
        const wrong = figures.filter(figure => !figure.isEqual).length
        if (!options.json) context.out(`${figures.length - wrong} of ${figures.length} figures agree.`)
        if (wrong > 0) context.exitCode = 1
      } finally {
        await rm(scratch, { recursive: true, force: true })
      }
    })
}

function lineOf({ set, figure, expected, actual, isEqual }: VerifiedFigure): string {
  return `${isEqual ? 'ok   ' : 'WRONG'} ${set}: ${figure} = ${actual}${isEqual ? '' : `, expected ${expected}`}`
}

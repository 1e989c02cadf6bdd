import type { Command } from 'commander'
import type { VerbContext } from '../verb-context.ts'
import { cliptapeVersion } from '../version.ts'

export function addVersion(program: Command, context: VerbContext): void {
  program
    .command('version')
    .description('Print the version of Cliptape and of the Node it runs on.')
    .option('--json', 'Print one JSON object.')
    .action((options: { json?: boolean }) => {
      const versions = { cliptape: cliptapeVersion, node: process.versions.node }
      context.out(options.json ? JSON.stringify(versions) : `cliptape ${versions.cliptape} (Node ${versions.node})`)
    })
}

import type { Command } from 'commander'
import { addListenOptions, type ListenOptions } from '../listen-options.ts'
import type { VerbContext } from '../verb-context.ts'

export function addServe(program: Command, context: VerbContext): void {
  addListenOptions(program.command('serve').description('Run everything but the terminal.')).action(
    async (options: ListenOptions) => {
      const { runServe } = await import('../run-serve.ts')
      await runServe(context, { flags: options })
    },
  )
}

import type { Command } from 'commander'
import { addListenOptions, type ListenOptions } from '../listen-options.ts'
import type { VerbContext } from '../verb-context.ts'

export function addUp(program: Command, context: VerbContext): void {
  addListenOptions(program.command('up').description('Run everything and open the terminal (npm start).')).action(
    async (options: ListenOptions) => {
      const { runUp } = await import('../run-up.ts')
      await runUp(context, { flags: options })
    },
  )
}

import type { Command } from 'commander'
import { addListenOptions, type ListenOptions } from '../listen-options.ts'
import { addViewOptions, type ViewOptions, viewOf } from '../terminal-view.ts'
import type { VerbContext } from '../verb-context.ts'

export function addUp(program: Command, context: VerbContext): void {
  const verb = program.command('up').description('Run everything and open the terminal (npm start).')
  addViewOptions(addListenOptions(verb)).action(async (words: string[], options: ListenOptions & ViewOptions) => {
    const { runUp } = await import('../run-up.ts')
    const { theme: _, ...flags } = options
    await runUp(context, { flags, view: viewOf(words, options) })
  })
}

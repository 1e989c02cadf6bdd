import { type Command, InvalidArgumentError } from 'commander'
import { addThemeOption, type ViewOptions } from '../terminal-view.ts'
import type { VerbContext } from '../verb-context.ts'
import { addServerOptions, openOn, type ServerOptions } from './terminal.ts'

interface WallOptions extends ServerOptions, ViewOptions {
  every: string
}

export function addWall(program: Command, context: VerbContext): void {
  const verb = program
    .command('wall')
    .description('Show boards one after the other over the whole window, without a key; it reconnects by itself.')
    .argument('[boards...]', 'names or ids, as `cliptape dashboard list` shows them; all of them without any')
    .option('--every <span>', 'How long each stays, e.g. 30s or 5m.', parseSpan, '30s')
  addServerOptions(addThemeOption(verb)).action((boards: string[], { every, theme, ...server }: WallOptions) => {
    const names = boards.length === 0 ? '' : ` ${boards.join(',')}`
    const view = { startCommand: `BOARD WALL EVERY=${every}${names}` }
    return openOn(context, server, theme === undefined ? view : { ...view, theme })
  })
}

function parseSpan(text: string): string {
  if (/^[1-9]\d{0,3}[sm]$/.test(text)) return text
  throw new InvalidArgumentError('It must be a number of seconds or minutes, like 30s or 5m.')
}

import { type Command, Option } from 'commander'
import { themeNames } from '../terminal/theme/themes.ts'
import type { TerminalView } from './terminal-host.ts'

/** Flags of the verbs that open the terminal. */
export interface ViewOptions {
  theme?: string
}

/** Adds what the terminal shows first; the verb's action gets the words of the command, then its options. */
export function addViewOptions(verb: Command): Command {
  return addThemeOption(
    verb.argument('[command...]', 'a command of the terminal to begin with instead of TOP, e.g. @mrbeast GP VIEWS 7D'),
  )
}

/** Adds the colours of one run. */
export function addThemeOption(verb: Command): Command {
  return verb.addOption(
    new Option('--theme <name>', 'Colours of this run; THEME in the terminal remembers one.').choices(themeNames),
  )
}

export function viewOf(words: readonly string[], { theme }: ViewOptions): TerminalView {
  return {
    ...(theme === undefined ? {} : { theme }),
    ...(words.length === 0 ? {} : { startCommand: words.join(' ') }),
  }
}

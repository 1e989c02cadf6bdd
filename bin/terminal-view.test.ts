import { Command } from 'commander'
import { expect, it } from 'vitest'
import type { TerminalView } from './terminal-host.ts'
import { addViewOptions, type ViewOptions, viewOf } from './terminal-view.ts'

function parse(...args: string[]): TerminalView | null {
  let view: TerminalView | null = null
  const verb = addViewOptions(new Command('terminal'))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
    .action((words: string[], options: ViewOptions) => {
      view = viewOf(words, options)
    })
  verb.parse(args, { from: 'user' })
  return view
}

it('takes a theme and a first command, as one word or several', () => {
  expect(parse()).toEqual({})
  expect(parse('TOP CREATORS 7D', '--theme', 'light')).toEqual({ theme: 'light', startCommand: 'TOP CREATORS 7D' })
  expect(parse('@mrbeast', 'GP', 'VIEWS')).toEqual({ startCommand: '@mrbeast GP VIEWS' })
})

it('refuses a theme that there is not', () => {
  expect(() => parse('--theme', 'pink')).toThrow(/amber, light/)
})

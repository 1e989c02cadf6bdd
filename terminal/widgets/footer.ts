import { joinLine } from '../screens/join-line.ts'
import type { Candidate, InputLine } from '../state/input-line.ts'
import type { SessionState } from '../state/session.ts'
import { fitMessage } from '../text/fit-message.ts'
import { cellWidth, takeCells } from '../text/width.ts'
import type { Style } from '../theme/style.ts'

interface Place {
  width: number
  style: Style
}

/** What keys do in a form; `hasSecret` where something in it is not shown. */
export function formKeysHint(hasSecret: boolean): string {
  return ` Tab next field   Enter go on   Space choose${hasSecret ? '   Alt-r show password' : ''}   Esc leave`
}

const prompts = { command: ' > ', filter: ' / ', search: ' history: ', keys: ' ? ' } as const

/**
 * The command line, and the column of the cursor in it (null when nothing is being typed into it). Where keys type into the
 * screen instead, `formHint` says how.
 */
export function drawInput(
  input: InputLine | null,
  { width, style, formHint }: Place & { formHint: string | null },
): { line: string; cursorX: number | null } {
  if (input === null) {
    const hint = formHint ?? ' > Type a command: TOP CLIPS 24H   ? keys   F1 functions   / filter'
    return { line: style.paint('faint', style.fit(hint, width)), cursorX: null }
  }
  const prompt = prompts[input.kind]
  const room = Math.max(1, width - prompt.length - 1)
  const before = tail(input.text.slice(0, input.cursor), room)
  const after = takeCells(input.text.slice(input.cursor), Math.max(0, room - cellWidth(before)))
  const cursorX = prompt.length + cellWidth(before)
  const padding = ' '.repeat(Math.max(0, width - cursorX - cellWidth(after)))
  return { line: style.bold('accent', prompt) + style.paint('subject', before + after) + padding, cursorX }
}

/** The end of a text that fits into `width` cells. */
function tail(text: string, width: number): string {
  let shown = text
  while (cellWidth(shown) > width) shown = shown.slice((shown.codePointAt(0) ?? 0) > 0xffff ? 2 : 1)
  return shown
}

/** What happened: a message, or the last key and what it did; the most needed keys on the right. */
export function drawStatus(state: SessionState, { width, style, isInForm }: Place & { isInForm: boolean }): string {
  const isList = state.panes[state.focused]?.stack.at(-1)?.contexts[0] === 'list'
  const hints = state.input !== null ? inputHints[state.input.kind] : isInForm ? '' : isList ? listHints : screenHints
  const mouse = state.isMouseOn ? 'mouse on  ' : ''
  const right = style.paint('faint', `${mouse}${width >= 100 ? hints : ''} `)
  const { message, lastKey } = state
  if (message !== null) {
    const role = message.kind === 'error' ? 'error' : 'accent'
    const text = ` ${message.kind === 'error' ? '! ' : ''}${message.text}`
    return joinLine([style.paint(role, fitMessage(text, width, style.glyphs.ellipsis))], right, width)
  }
  if (lastKey === null) return joinLine([style.paint('muted', ' Ready.')], right, width)
  const key = style.bold('muted', ` ${lastKey.key}`)
  return joinLine(
    [key, style.paint('muted', style.fit(lastKey.title, Math.min(cellWidth(lastKey.title), width - 14)))],
    right,
    width,
  )
}

const screenHints = 'Tab pane  Esc back  C-c quit'
const listHints = `Enter open  c chart  s sort  p window  t kind  ${screenHints}`
const inputHints = {
  command: 'Enter GO  Tab complete  Up history  C-r search  Esc leave',
  filter: 'Enter keep  Esc clear',
  search: 'Enter run  Up/Down choose  Esc leave',
  keys: 'Enter run  Up/Down choose  Esc leave',
} as const

/** The list above the command line: at most `rowsMax` candidates around the selected one, and how many there are. */
export function drawCandidates(
  candidates: readonly Candidate[],
  selected: number,
  rowsMax: number,
  { width, style }: Place,
): string[] {
  const count = Math.min(rowsMax, candidates.length)
  const top = Math.max(0, Math.min(selected - count + 1, candidates.length - count))
  const labelWidth = Math.min(
    Math.floor(width / 2),
    Math.max(12, ...candidates.map(candidate => cellWidth(candidate.label) + 1)),
  )
  return candidates.slice(top, top + count).map((candidate, i) => {
    const label = style.fit(candidate.label, labelWidth)
    const description = style.fit(candidate.description, Math.max(0, width - labelWidth - 3))
    if (top + i === selected) return style.inverse(` ${label} ${description} `)
    return ` ${style.bold('accent', label)} ${style.paint('muted', description)} `
  })
}

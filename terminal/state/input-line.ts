import type { ActionName } from '../keys/actions.ts'
import { editLine, replaceIn, type TextLine, typeInto } from './text-line.ts'

/**
 * What a user is typing, and into what: the command line, the filter of a screen, a search in past commands, or the list
 * of keys. `selected` is the highlighted candidate, -1 when none is.
 */
export interface InputLine extends TextLine {
  kind: 'command' | 'filter' | 'search' | 'keys'
  selected: number
}

/** One line of the list above the input line. */
export interface Candidate {
  label: string
  description: string
}

/** Longest input, in UTF-16 units. */
const inputLengthMax = 1000

export function openInput(kind: InputLine['kind'], text = ''): InputLine {
  return { kind, text, cursor: text.length, selected: kind === 'keys' || kind === 'search' ? 0 : -1 }
}

/** The line with a text typed or pasted at the cursor; it must be clean. */
export function typeText(line: InputLine, text: string): InputLine {
  return edited(line, typeInto(line, text, inputLengthMax))
}

/** The line with `from`…`to` replaced. */
export function replaceText(line: InputLine, from: number, to: number, text: string): InputLine {
  return edited(line, replaceIn(line, from, to, text))
}

/** The line after an editing action, or null when the action does not edit. */
export function editInput(line: InputLine, action: ActionName): InputLine | null {
  const next = editLine(line, action)
  if (next === null) return null
  // A cursor that only moves leaves the highlighted candidate.
  return next.text === line.text ? { ...line, ...next } : edited(line, next)
}

function edited(line: InputLine, next: TextLine): InputLine {
  return { ...line, ...next, selected: line.kind === 'command' || line.kind === 'filter' ? -1 : 0 }
}

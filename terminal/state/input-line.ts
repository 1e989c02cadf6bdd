import type { ActionName } from '../keys/actions.ts'

/**
 * What a user is typing, and into what: the command line, the filter of a screen, a search in past commands, or the list
 * of keys. `selected` is the highlighted candidate, -1 when none is.
 */
export interface InputLine {
  kind: 'command' | 'filter' | 'search' | 'keys'
  text: string
  /** In UTF-16 units, at a character's edge. */
  cursor: number
  selected: number
}

/** One line of the list above the input line. */
export interface Candidate {
  label: string
  description: string
}

/** Longest input, in UTF-16 units. */
const inputLengthMax = 1000
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

export function openInput(kind: InputLine['kind'], text = ''): InputLine {
  return { kind, text, cursor: text.length, selected: kind === 'keys' || kind === 'search' ? 0 : -1 }
}

/** The line with a text typed or pasted at the cursor; it must be clean. */
export function typeText(line: InputLine, text: string): InputLine {
  const room = Math.max(0, inputLengthMax - line.text.length)
  const typed = text.slice(0, room)
  return edited(
    line,
    line.text.slice(0, line.cursor) + typed + line.text.slice(line.cursor),
    line.cursor + typed.length,
  )
}

/** The line with `from`…`to` replaced. */
export function replaceText(line: InputLine, from: number, to: number, text: string): InputLine {
  return edited(line, line.text.slice(0, from) + text + line.text.slice(to), from + text.length)
}

/** The line after an editing action, or null when the action does not edit. */
export function editInput(line: InputLine, action: ActionName): InputLine | null {
  const { text, cursor } = line
  switch (action) {
    case 'input.left':
      return { ...line, cursor: before(text, cursor) }
    case 'input.right':
      return { ...line, cursor: after(text, cursor) }
    case 'input.start':
      return { ...line, cursor: 0 }
    case 'input.end':
      return { ...line, cursor: text.length }
    case 'input.erase':
      return replaceText(line, before(text, cursor), cursor, '')
    case 'input.delete':
      return { ...replaceText(line, cursor, after(text, cursor), ''), cursor }
    case 'input.eraseWord':
      return replaceText(line, text.slice(0, cursor).search(/\S*\s*$/), cursor, '')
    case 'input.eraseLine':
      return replaceText(line, 0, cursor, '')
    default:
      return null
  }
}

function edited(line: InputLine, text: string, cursor: number): InputLine {
  return { ...line, text, cursor, selected: line.kind === 'command' || line.kind === 'filter' ? -1 : 0 }
}

function before(text: string, cursor: number): number {
  return [...segmenter.segment(text.slice(0, cursor))].at(-1)?.index ?? 0
}

function after(text: string, cursor: number): number {
  const [first] = segmenter.segment(text.slice(cursor))
  return cursor + (first?.segment.length ?? 0)
}

import type { ActionName } from '../keys/actions.ts'

/** A line of text that is being written: the command line, a field of a form. */
export interface TextLine {
  text: string
  /** In UTF-16 units, at a character's edge. */
  cursor: number
}

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** The line with a text typed or pasted at the cursor, cut where the line would pass `lengthMax` UTF-16 units. */
export function typeInto(line: TextLine, text: string, lengthMax: number): TextLine {
  const room = Math.max(0, lengthMax - line.text.length)
  const fitting = text.slice(0, room)
  // Half a surrogate pair is no character.
  const typed = /[\ud800-\udbff]$/.test(fitting) ? fitting.slice(0, -1) : fitting
  return replaceIn(line, line.cursor, line.cursor, typed)
}

/** The line with `from`…`to` replaced, and the cursor behind what came in. */
export function replaceIn(line: TextLine, from: number, to: number, text: string): TextLine {
  return { text: line.text.slice(0, from) + text + line.text.slice(to), cursor: from + text.length }
}

/** The line after an editing action (`input.*`), or null when the action does not edit. */
export function editLine(line: TextLine, action: ActionName): TextLine | null {
  const { text, cursor } = line
  switch (action) {
    case 'input.left':
      return { text, cursor: before(text, cursor) }
    case 'input.right':
      return { text, cursor: after(text, cursor) }
    case 'input.start':
      return { text, cursor: 0 }
    case 'input.end':
      return { text, cursor: text.length }
    case 'input.erase':
      return replaceIn(line, before(text, cursor), cursor, '')
    case 'input.delete':
      return replaceIn(line, cursor, after(text, cursor), '')
    case 'input.eraseWord':
      return replaceIn(line, text.slice(0, cursor).search(/\S*\s*$/), cursor, '')
    case 'input.eraseLine':
      return replaceIn(line, 0, cursor, '')
    default:
      return null
  }
}

/** How many characters a reader sees. */
export function characterCount(text: string): number {
  return [...segmenter.segment(text)].length
}

function before(text: string, cursor: number): number {
  return [...segmenter.segment(text.slice(0, cursor))].at(-1)?.index ?? 0
}

function after(text: string, cursor: number): number {
  const [first] = segmenter.segment(text.slice(cursor))
  return cursor + (first?.segment.length ?? 0)
}

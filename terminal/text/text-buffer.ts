import { cellWidth, takeCells } from './width.ts'

// A text of several lines that is being written. It is one string with a cursor in it: what is written here is at most some
// tens of thousands of characters, so that plain strings are quick enough, and every step back is just an older one.

/** Replaced, never changed in place. */
export interface TextBuffer {
  text: string
  /** In UTF-16 units, at a character's edge. */
  cursor: number
  /** Where the selection began; it reaches from here to the cursor. Null where nothing is selected. */
  anchor: number | null
  /** The cell that the cursor keeps to while it moves up and down; null after every other move. */
  goal: number | null
  past: readonly Written[]
  future: readonly Written[]
  /** What the last change was: a run of the same is undone at once. */
  run: 'type' | 'erase' | null
}

/** A state that can be gone back to. */
interface Written {
  text: string
  cursor: number
}

/** How the cursor moves. */
export type BufferMove =
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'wordLeft'
  | 'wordRight'
  | 'lineStart'
  | 'lineEnd'
  | 'pageUp'
  | 'pageDown'
  | 'start'
  | 'end'

/** Where something stands in a text: both count from 0, `column` in UTF-16 units. */
export interface TextPlace {
  line: number
  column: number
}

const stepsMax = 300
const indentText = '  '
const pairs: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}', "'": "'", '"': '"', '`': '`' }
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** A text with the cursor at its end, or where told. */
export function openBuffer(text: string, cursor = text.length): TextBuffer {
  return { text, cursor: edgeAt(text, cursor), anchor: null, goal: null, past: [], future: [], run: null }
}

/** The lines of a text. */
export function linesOf(text: string): string[] {
  return text.split('\n')
}

/** The place of an offset. */
export function placeOf(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset)
  const start = before.lastIndexOf('\n') + 1
  return { line: before.split('\n').length - 1, column: offset - start }
}

/** The offset of a place; one beyond the text is cut to it. */
export function offsetOf(text: string, { line, column }: TextPlace): number {
  let start = 0
  for (let i = 0; i < line; i++) {
    const next = text.indexOf('\n', start)
    if (next < 0) return text.length
    start = next + 1
  }
  return Math.min(start + Math.max(0, column), lineEndOf(text, start))
}

/** What is selected, in order; null where nothing is. */
export function selectionOf({ cursor, anchor }: TextBuffer): { from: number; to: number } | null {
  if (anchor === null || anchor === cursor) return null
  return { from: Math.min(anchor, cursor), to: Math.max(anchor, cursor) }
}

/** The selected text, or ''. */
export function selectedText(buffer: TextBuffer): string {
  const selected = selectionOf(buffer)
  return selected === null ? '' : buffer.text.slice(selected.from, selected.to)
}

/** Types a text over the selection, cut where the whole would pass `lengthMax` UTF-16 units. */
export function insertText(buffer: TextBuffer, typed: string, lengthMax: number): TextBuffer {
  const { from, to } = selectionOf(buffer) ?? { from: buffer.cursor, to: buffer.cursor }
  const room = Math.max(0, lengthMax - (buffer.text.length - (to - from)))
  const fitting = typed.slice(0, room)
  // Half a surrogate pair is no character.
  const text = /[\ud800-\udbff]$/.test(fitting) ? fitting.slice(0, -1) : fitting
  const isRun = text.length <= 2 && !text.includes('\n') && from === to
  return replaceSpan(buffer, { from, to, text }, isRun ? 'type' : null)
}

/**
 * Types one character as an editor of code does: an opening bracket or quote brings its other half where that is of use, a
 * closing one that is there already is passed over, and over a selection a pair is put around it.
 *
 * @param isInString whether the cursor stands in a string or comment: there nothing is paired
 */
export function typeCharacter(
  buffer: TextBuffer,
  typed: string,
  { lengthMax, isInString }: { lengthMax: number; isInString: boolean },
): TextBuffer {
  const { text, cursor } = buffer
  const closing = pairs[typed]
  const next = text[cursor] ?? ''
  const selected = selectedText(buffer)
  if (closing !== undefined && selected !== '' && !isInString) {
    const around = insertText(buffer, typed + selected + closing, lengthMax)
    return {
      ...around,
      anchor: around.cursor - closing.length - selected.length,
      cursor: around.cursor - closing.length,
    }
  }
  if (selected === '' && next === typed && Object.values(pairs).includes(typed) && (closing !== typed || isInString))
    return moved(buffer, cursor + 1, false)
  if (closing !== undefined && selected === '' && !isInString && /^[\s)\]},;]?$/.test(next)) {
    // A quote behind a word is no opening one.
    const isOpening = closing !== typed || !/[\w)\]'"`]$/.test(text.slice(0, cursor))
    const both = isOpening ? insertText(buffer, typed + closing, lengthMax) : null
    if (both !== null && both.cursor === cursor + 2) return { ...both, cursor: cursor + 1, run: null }
  }
  return insertText(buffer, typed, lengthMax)
}

/** A new line with the indent of this one, one step more behind an opening bracket; its closing half gets a line of its own. */
export function newLine(buffer: TextBuffer, lengthMax: number): TextBuffer {
  const { from, to } = selectionOf(buffer) ?? { from: buffer.cursor, to: buffer.cursor }
  const line = buffer.text.slice(lineStartOf(buffer.text, from), from)
  const indentOfLine = /^ */.exec(line)?.[0] ?? ''
  const isOpen = /[([{]\s*$/.test(line)
  const start = `\n${indentOfLine}${isOpen ? indentText : ''}`
  const rest = isOpen && /^[)\]}]/.test(buffer.text.slice(to)) ? `\n${indentOfLine}` : ''
  if (buffer.text.length - (to - from) + start.length + rest.length > lengthMax) return buffer
  return { ...replaceSpan(buffer, { from, to, text: start + rest }, null), cursor: from + start.length }
}

/** Erases the selection, else from the cursor to where a move leads. An empty pair goes at once. */
export function erase(buffer: TextBuffer, move: BufferMove): TextBuffer {
  const { text, cursor } = buffer
  const selected = selectionOf(buffer)
  if (selected !== null) return replaceSpan(buffer, { ...selected, text: '' }, null)
  if (move === 'left' && cursor > 0 && pairs[text[cursor - 1] ?? ''] === text[cursor] && text[cursor] !== undefined)
    return replaceSpan(buffer, { from: cursor - 1, to: cursor + 1, text: '' }, 'erase')
  const to = moveFrom(buffer, move, 1).cursor
  return replaceSpan(buffer, { from: Math.min(cursor, to), to: Math.max(cursor, to), text: '' }, 'erase')
}

/** Moves the cursor; `isSelecting` takes the selection along. `pageLines` is what a page is. */
export function moveCursor(
  buffer: TextBuffer,
  move: BufferMove,
  { isSelecting, pageLines }: { isSelecting: boolean; pageLines: number },
): TextBuffer {
  const selected = selectionOf(buffer)
  // Without Shift, left and right leave a selection at its end.
  if (!isSelecting && selected !== null && (move === 'left' || move === 'right'))
    return moved(buffer, move === 'left' ? selected.from : selected.to, false)
  const { cursor, goal } = moveFrom(buffer, move, pageLines)
  return { ...moved(buffer, cursor, isSelecting), goal }
}

/** The whole text is selected. */
export function selectAll(buffer: TextBuffer): TextBuffer {
  return { ...buffer, anchor: 0, cursor: buffer.text.length, goal: null, run: null }
}

/** The cursor stands at an offset, or the selection reaches to it. */
export function moved(buffer: TextBuffer, offset: number, isSelecting: boolean): TextBuffer {
  const anchor = isSelecting ? (buffer.anchor ?? buffer.cursor) : null
  return { ...buffer, cursor: edgeAt(buffer.text, offset), anchor, goal: null, run: null }
}

/** A span of the text replaced, the cursor behind it. */
export function replaceRange(buffer: TextBuffer, span: { from: number; to: number; text: string }): TextBuffer {
  return replaceSpan(buffer, span, null)
}

/** Another text as a whole, which can be undone. */
export function replaceAll(buffer: TextBuffer, text: string): TextBuffer {
  return replaceSpan(buffer, { from: 0, to: buffer.text.length, text }, null)
}

/** The lines of the selection, or of the cursor, one step to the right or left. */
export function indent(buffer: TextBuffer, by: 1 | -1, lengthMax: number): TextBuffer {
  return changeLines(buffer, lengthMax, lines =>
    lines.map(line => (by === 1 ? (line === '' ? line : indentText + line) : line.replace(/^ {1,2}/, ''))),
  )
}

/** The lines of the selection, or of the cursor, made comments of `--`, or taken out of them. */
export function toggleComment(buffer: TextBuffer, lengthMax: number): TextBuffer {
  return changeLines(buffer, lengthMax, lines => {
    const written = lines.filter(line => line.trim() !== '')
    const areComments = written.length > 0 && written.every(line => /^\s*--/.test(line))
    return lines.map(line => {
      if (areComments) return line.replace(/^(\s*)-- ?/, '$1')
      return line.trim() === '' ? line : line.replace(/^(\s*)/, '$1-- ')
    })
  })
}

/** The text as it was before the last change, or the same where there is none. */
export function undo(buffer: TextBuffer): TextBuffer {
  const before = buffer.past.at(-1)
  if (before === undefined) return buffer
  const { text, cursor, past, future } = buffer
  return { ...openBuffer(before.text, before.cursor), past: past.slice(0, -1), future: [...future, { text, cursor }] }
}

/** What was undone last, done again. */
export function redo(buffer: TextBuffer): TextBuffer {
  const next = buffer.future.at(-1)
  if (next === undefined) return buffer
  const { text, cursor, past, future } = buffer
  return { ...openBuffer(next.text, next.cursor), past: [...past, { text, cursor }], future: future.slice(0, -1) }
}

/** The bracket at the cursor, or before it, and its other half, by offsets; null where there is none. */
export function bracketsAt(text: string, cursor: number, isCode: (offset: number) => boolean) {
  for (const at of [cursor, cursor - 1]) {
    const bracket = text[at] ?? ''
    const isOpening = '([{'.includes(bracket)
    if (bracket === '' || !'([{)]}'.includes(bracket) || !isCode(at)) continue
    const other = isOpening ? pairs[bracket] : Object.keys(pairs).find(each => pairs[each] === bracket)
    const step = isOpening ? 1 : -1
    let depth = 0
    for (let i = at; i >= 0 && i < text.length; i += step) {
      if (!isCode(i)) continue
      if (text[i] === bracket) depth += 1
      else if (text[i] === other) depth -= 1
      if (depth === 0) return { at, other: i }
    }
    return { at, other: null }
  }
  return null
}

function replaceSpan(
  buffer: TextBuffer,
  { from, to, text: inserted }: { from: number; to: number; text: string },
  run: TextBuffer['run'],
): TextBuffer {
  const { text, cursor, past } = buffer
  if (from === to && inserted === '') return { ...buffer, anchor: null, goal: null }
  const isSameRun = run !== null && run === buffer.run
  return {
    text: text.slice(0, from) + inserted + text.slice(to),
    cursor: from + inserted.length,
    anchor: null,
    goal: null,
    past: isSameRun ? past : [...past.slice(-(stepsMax - 1)), { text, cursor }],
    future: [],
    run,
  }
}

/** Changes whole lines; what was selected stays selected. */
function changeLines(buffer: TextBuffer, lengthMax: number, change: (lines: string[]) => string[]): TextBuffer {
  const selected = selectionOf(buffer)
  const from = lineStartOf(buffer.text, selected?.from ?? buffer.cursor)
  const last = selected === null ? buffer.cursor : Math.max(selected.from, selected.to - 1)
  const to = lineEndOf(buffer.text, last)
  const lines = linesOf(buffer.text.slice(from, to))
  const text = change(lines).join('\n')
  if (buffer.text.length - (to - from) + text.length > lengthMax) return buffer
  const changed = replaceSpan(buffer, { from, to, text }, null)
  if (selected !== null) return { ...changed, anchor: from, cursor: from + text.length }
  const column = buffer.cursor - from + (text.length - (to - from))
  return { ...changed, cursor: from + Math.max(0, column) }
}

function moveFrom(
  { text, cursor, goal }: TextBuffer,
  move: BufferMove,
  pageLines: number,
): { cursor: number; goal: number | null } {
  const to = (offset: number) => ({ cursor: offset, goal: null })
  switch (move) {
    case 'left':
      return to(before(text, cursor))
    case 'right':
      return to(after(text, cursor))
    case 'wordLeft':
      return to(Math.max(0, text.slice(0, cursor).search(/([\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]+)\s*$|\s+$/u)))
    case 'wordRight':
      return to(cursor + (/^\s*([\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]+|$)/u.exec(text.slice(cursor))?.[0].length ?? 0))
    case 'lineStart': {
      // First where the text of the line begins, then where the line does.
      const start = lineStartOf(text, cursor)
      const first = start + (/^ */.exec(text.slice(start))?.[0].length ?? 0)
      return to(cursor === first ? start : first)
    }
    case 'lineEnd':
      return to(lineEndOf(text, cursor))
    case 'start':
      return to(0)
    case 'end':
      return to(text.length)
    case 'up':
      return moveLines(text, cursor, goal, -1)
    case 'down':
      return moveLines(text, cursor, goal, 1)
    case 'pageUp':
      return moveLines(text, cursor, goal, -pageLines)
    case 'pageDown':
      return moveLines(text, cursor, goal, pageLines)
  }
}

function moveLines(text: string, cursor: number, goal: number | null, by: number): { cursor: number; goal: number } {
  const { line, column } = placeOf(text, cursor)
  const lines = linesOf(text)
  const cell = goal ?? cellWidth((lines[line] ?? '').slice(0, column))
  const target = line + by
  if (target < 0) return { cursor: 0, goal: cell }
  if (target >= lines.length) return { cursor: text.length, goal: cell }
  return { cursor: offsetOf(text, { line: target, column: takeCells(lines[target] ?? '', cell).length }), goal: cell }
}

function lineStartOf(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1
}

function lineEndOf(text: string, offset: number): number {
  const next = text.indexOf('\n', offset)
  return next < 0 ? text.length : next
}

function before(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset - 1
  const start = lineStartOf(text, offset)
  return start + ([...segmenter.segment(text.slice(start, offset))].at(-1)?.index ?? 0)
}

function after(text: string, offset: number): number {
  if (text[offset] === '\n') return offset + 1
  const [first] = segmenter.segment(text.slice(offset, lineEndOf(text, offset)))
  return offset + (first?.segment.length ?? 0)
}

/** The offset, inside the text, and not between the halves of a surrogate pair. */
function edgeAt(text: string, offset: number): number {
  const inside = Math.max(0, Math.min(text.length, offset))
  return /[\ud800-\udbff]/.test(text[inside - 1] ?? '') && /[\udc00-\udfff]/.test(text[inside] ?? '')
    ? inside - 1
    : inside
}

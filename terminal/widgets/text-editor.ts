import { isInText, type SqlToken, sqlKeywords, sqlTokens } from '../text/sql-tokens.ts'
import { bracketsAt, linesOf, offsetOf, placeOf, selectionOf, type TextBuffer } from '../text/text-buffer.ts'
import { cellWidth, takeCells } from '../text/width.ts'
import type { Style } from '../theme/style.ts'
import type { ColorRole } from '../theme/themes.ts'

export interface TextEditorOptions {
  buffer: TextBuffer
  /** The first line that is shown; it is moved so that the cursor is among them. */
  top: number
  width: number
  height: number
  hasFocus: boolean
  style: Style
  /** The statement that would run, where there are several: its lines stand out. */
  current: { start: number; end: number } | null
  /** What the server found to be wrong. */
  problem: { from: number; to: number } | null
  /** Shown while there is no text. */
  hint: string
}

/** The first line to show in `height` lines so that the cursor is among them. */
export function editorTop({ text, cursor }: TextBuffer, top: number, height: number): number {
  const { line } = placeOf(text, cursor)
  if (line < top) return line
  return line >= top + height ? line - height + 1 : Math.min(top, Math.max(0, linesOf(text).length - 1))
}

/** SQL in colours with line numbers: exactly `height` lines of `width` cells, and where the cursor stands in them. */
export function drawTextEditor(options: TextEditorOptions): { lines: string[]; cursor: { x: number; y: number } } {
  const { buffer, width, height, style, current, hasFocus } = options
  const lines = linesOf(buffer.text)
  const top = editorTop(buffer, options.top, height)
  const gutter = gutterWidth(lines.length)
  const room = Math.max(1, width - gutter)
  const at = placeOf(buffer.text, buffer.cursor)
  const cursorCell = cellWidth((lines[at.line] ?? '').slice(0, at.column))
  const left = leftCell(cursorCell, room)
  const problemLine = options.problem === null ? -1 : placeOf(buffer.text, options.problem.from).line
  const marks = marksOf(options)
  const drawn = Array.from({ length: Math.max(0, height) }, (_, y) => {
    const number = top + y
    const line = lines[number]
    if (line === undefined) return ' '.repeat(Math.max(0, width))
    const start = offsetOf(buffer.text, { line: number, column: 0 })
    const isWrong = number === problemLine
    const label = `${isWrong ? '!' : ' '}${String(number + 1).padStart(gutter - 2)}`
    const isCurrent =
      current === null ? number === at.line : start <= current.end && start + line.length >= current.start
    const isMoved = number === at.line && left > 0
    const edge = isMoved ? style.paint('accent', style.glyphs.ellipsis) : ' '
    const head = style.paint(isWrong ? 'error' : isCurrent && hasFocus ? 'accent' : 'faint', label) + edge
    if (buffer.text === '') return head + style.paint('faint', style.fit(options.hint, room))
    return (
      head +
      drawLine(line, {
        start,
        left: number === at.line ? left : 0,
        room,
        marks,
        style,
      })
    )
  })
  return { lines: drawn, cursor: { x: gutter + cursorCell - left, y: at.line - top } }
}

/** The offset in the text under a cell of what was drawn. */
export function offsetUnder(
  options: Pick<TextEditorOptions, 'buffer' | 'top' | 'width' | 'height'>,
  at: { x: number; y: number },
) {
  const { buffer, width, height } = options
  const lines = linesOf(buffer.text)
  const gutter = gutterWidth(lines.length)
  const place = placeOf(buffer.text, buffer.cursor)
  const cursorCell = cellWidth((lines[place.line] ?? '').slice(0, place.column))
  const line = Math.min(lines.length - 1, editorTop(buffer, options.top, height) + at.y)
  const left = line === place.line ? leftCell(cursorCell, Math.max(1, width - gutter)) : 0
  const cell = Math.max(0, at.x - gutter) + left
  return offsetOf(buffer.text, { line, column: takeCells(lines[line] ?? '', cell).length })
}

function gutterWidth(lineCount: number): number {
  return Math.max(2, String(lineCount).length) + 2
}

/** How far the line of the cursor is moved to the left so that it can be seen. */
function leftCell(cursorCell: number, room: number): number {
  // The last cell says that the line goes on.
  const free = Math.max(1, room - 1)
  if (cursorCell < free) return 0
  const step = Math.max(1, Math.floor(free / 2))
  return Math.ceil((cursorCell - free + 1) / step) * step
}

/** What a part of the text looks like. */
interface Mark {
  from: number
  to: number
  role?: ColorRole
  isBold?: boolean
  isInverse?: boolean
}

/** Later marks go over earlier ones. */
function marksOf({ buffer, hasFocus, problem }: TextEditorOptions): Mark[] {
  const tokens = sqlTokens(buffer.text)
  const marks = tokens.map(
    (token, i): Mark => ({
      from: token.start,
      to: token.end,
      ...lookOf(token, { before: tokens[i - 1], next: tokens[i + 1] }),
    }),
  )
  if (problem !== null) marks.push({ ...problem, role: 'error', isBold: true })
  const selected = selectionOf(buffer)
  if (selected !== null) marks.push({ ...selected, isInverse: true })
  else if (hasFocus) {
    const brackets = bracketsAt(buffer.text, buffer.cursor, offset => !isInText(tokens, offset + 1))
    if (brackets !== null) {
      const role: ColorRole = brackets.other === null ? 'error' : 'flash'
      for (const at of [brackets.at, brackets.other])
        if (at !== null) marks.push({ from: at, to: at + 1, role, isBold: true })
    }
  }
  return marks
}

/** Units of INTERVAL are names as well, e.g. of a column. */
const units = new Set(['SECOND', 'MINUTE', 'HOUR', 'DAY', 'WEEK', 'MONTH', 'YEAR'])

function lookOf(
  token: SqlToken,
  { before, next }: { before: SqlToken | undefined; next: SqlToken | undefined },
): { role: ColorRole; isBold?: boolean } {
  switch (token.kind) {
    case 'comment':
      return { role: 'faint' }
    case 'string':
      return { role: token.isClosed ? 'good' : 'warn' }
    case 'number':
      return { role: 'up' }
    case 'parameter':
      return { role: 'flash', isBold: true }
    case 'quoted':
      return { role: 'subject' }
    case 'symbol':
      return { role: 'muted' }
    case 'word':
      if (next?.text === '(' && next.start === token.end) return { role: 'accent' }
      if (before?.text === '.') return { role: 'subject' }
      if (units.has(token.text.toUpperCase()) && before?.kind !== 'number') return { role: 'subject' }
      return sqlKeywords.has(token.text.toUpperCase()) ? { role: 'title', isBold: true } : { role: 'subject' }
  }
}

function drawLine(
  line: string,
  {
    start,
    left,
    room,
    marks,
    style,
  }: { start: number; left: number; room: number; marks: readonly Mark[]; style: Style },
): string {
  const from = takeCells(line, left).length
  const rest = line.slice(from)
  const isCut = cellWidth(rest) > room
  const visible = isCut ? takeCells(rest, room - 1) : rest
  const begin = start + from
  const end = begin + visible.length
  const here = marks.filter(mark => mark.from < end && mark.to > begin)
  const edges = [...new Set([begin, end, ...here.flatMap(mark => [mark.from, mark.to])])]
    .filter(edge => edge >= begin && edge <= end)
    .sort((a, b) => a - b)
  const painted = edges.slice(0, -1).map((edge, i) => {
    const text = visible.slice(edge - begin, (edges[i + 1] ?? end) - begin)
    const over = here.filter(mark => mark.from <= edge && edge < mark.to)
    const role = over.findLast(mark => mark.role !== undefined)?.role ?? 'text'
    const isBold = over.some(mark => mark.isBold === true)
    if (over.some(mark => mark.isInverse === true)) return style.inverse(text)
    return isBold ? style.bold(role, text) : style.paint(role, text)
  })
  const isLineSelected = here.some(mark => mark.isInverse === true && mark.to > end)
  const free = room - cellWidth(visible)
  if (isCut) return painted.join('') + ' '.repeat(free - 1) + style.paint('accent', style.glyphs.ellipsis)
  const filling = isLineSelected && free > 0 ? style.inverse(' ') + ' '.repeat(free - 1) : ' '.repeat(Math.max(0, free))
  return painted.join('') + filling
}

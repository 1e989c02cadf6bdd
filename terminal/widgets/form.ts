import { chosenIn, type Field, type FormSpec, type FormState } from '../state/form.ts'
import { characterCount } from '../state/text-line.ts'
import { cellWidth, takeCells, wrap } from '../text/width.ts'
import type { Style } from '../theme/style.ts'

/** A form as lines, and where in them things stand. */
export interface DrawnForm {
  /** Each exactly as wide as asked for. */
  lines: string[]
  /** Where the cursor stands; null when no text is being typed. */
  cursor: { x: number; y: number } | null
  /** The line that has the focus. */
  focusY: number
  /** What a press of the mouse meets. */
  targets: readonly { x: number; y: number; width: number; field: number; option: number }[]
}

interface Piece {
  text: string
  /** Painted, as wide as `text`. */
  painted: string
  field: number
  option: number
}

const gap = 2

/** Draws a form: a label and its field a line, options and buttons side by side where they fit, problems under their field. */
export function drawForm(
  spec: FormSpec,
  state: FormState,
  { width, style }: { width: number; style: Style },
): DrawnForm {
  const labelWidth = Math.min(
    Math.floor(width / 3),
    Math.max(0, ...spec.fields.map(field => (field.kind === 'button' ? 0 : cellWidth(field.label)))) + 3,
  )
  const into: Drawing = { lines: [], targets: [], cursor: null, focusY: 0, width, labelWidth, style, state }
  const buttons: Piece[] = []
  spec.fields.forEach((field, i) => {
    if (field.kind === 'button') buttons.push(buttonPiece(field, i, into))
    else if (field.kind === 'text') addText(field, i, into)
    else addChoice(field, i, into)
    if (state.problem !== null && state.problem.field === field.name) addProblem(state.problem.message, into)
  })
  addLine(into, '')
  addPieces(buttons, into)
  if (state.isBusy) addLine(into, style.paint('muted', `${' '.repeat(labelWidth)}One moment…`))
  else if (state.problem !== null && state.problem.field === null) addProblem(state.problem.message, into)
  const { lines, cursor, focusY, targets } = into
  return { lines, cursor, focusY, targets }
}

interface Drawing {
  lines: string[]
  targets: DrawnForm['targets'][number][]
  cursor: DrawnForm['cursor']
  focusY: number
  readonly width: number
  readonly labelWidth: number
  readonly style: Style
  readonly state: FormState
}

function addLine(into: Drawing, line: string): void {
  into.lines.push(line + ' '.repeat(Math.max(0, into.width - cellWidth(line))))
}

function label(field: Field, isFocused: boolean, { style, labelWidth }: Drawing): string {
  const text = style.fit(field.label, Math.max(0, labelWidth - 3))
  return isFocused ? style.bold('accent', ` > ${text}`) : style.paint('muted', `   ${text}`)
}

function addText(field: Extract<Field, { kind: 'text' }>, index: number, into: Drawing): void {
  const { style, state, width, labelWidth } = into
  const isFocused = state.at.field === index
  const y = into.lines.length
  const room = Math.max(8, Math.min(64, width - labelWidth - 4))
  const line = state.texts[field.name] ?? { text: '', cursor: 0 }
  const shownOf = (text: string) =>
    field.isMasked === true && !state.isRevealed
      ? style.glyphs.bullet.repeat(characterCount(text))
      : field.isMasked === true
        ? visible(text)
        : text
  // The window onto a long text keeps the cursor in it.
  const before = tailCells(shownOf(line.text.slice(0, line.cursor)), room - 1)
  const after = takeCells(shownOf(line.text.slice(line.cursor)), Math.max(0, room - 1 - cellWidth(before)))
  const isHint = line.text === '' && field.hint !== undefined && !isFocused
  const shown = isHint ? style.fit(field.hint ?? '', room) : style.fit(before + after, room)
  const edge = (mark: string) => style.paint(isFocused ? 'accent' : 'faint', mark)
  addLine(
    into,
    `${label(field, isFocused, into)} ${edge('[')}${style.paint(isHint ? 'faint' : 'subject', shown)}${edge(']')}`,
  )
  into.targets.push({ x: 0, y, width, field: index, option: 0 })
  if (!isFocused) return
  into.focusY = y
  into.cursor = { x: labelWidth + 2 + cellWidth(before), y }
}

function addChoice(field: Extract<Field, { kind: 'choice' }>, index: number, into: Drawing): void {
  const { style, state } = into
  const isFocused = state.at.field === index
  const chosen = chosenIn(state, field.name)
  const pieces = field.options.map((option, i): Piece => {
    const isChosen = chosen.includes(option.value)
    const [left, right] = field.isMultiple ? ['[', ']'] : ['(', ')']
    const text = `${left}${isChosen ? (field.isMultiple ? 'x' : style.glyphs.dot) : ' '}${right} ${option.title}`
    const isAt = isFocused && state.at.option === i
    const painted = isAt ? style.inverse(text) : style.paint(isChosen ? 'subject' : 'muted', text)
    return { text, painted, field: index, option: i }
  })
  addPieces(pieces, into, label(field, isFocused, into))
}

function buttonPiece(field: Extract<Field, { kind: 'button' }>, index: number, { style, state }: Drawing): Piece {
  const text = `[ ${field.label} ]`
  const isFocused = state.at.field === index
  const painted = isFocused ? style.inverse(text) : style.paint(state.isBusy ? 'faint' : 'accent', text)
  return { text, painted, field: index, option: 0 }
}

/** Pieces side by side behind the labels' column, on as many lines as they need. */
function addPieces(pieces: readonly Piece[], into: Drawing, firstLabel?: string): void {
  const { width, labelWidth, state } = into
  let line = firstLabel === undefined ? ' '.repeat(labelWidth) : firstLabel
  let x = labelWidth
  for (const piece of pieces) {
    const cells = cellWidth(piece.text)
    if (x > labelWidth && x + gap + cells > width) {
      addLine(into, line)
      line = ' '.repeat(labelWidth)
      x = labelWidth
    }
    const space = x === labelWidth ? 1 : gap
    line += ' '.repeat(space) + piece.painted
    x += space
    into.targets.push({ x, y: into.lines.length, width: cells, field: piece.field, option: piece.option })
    if (state.at.field === piece.field && state.at.option === piece.option) into.focusY = into.lines.length
    x += cells
  }
  addLine(into, line)
}

function addProblem(message: string, into: Drawing): void {
  const { style, width, labelWidth } = into
  for (const line of wrap(`! ${message}`, Math.max(10, width - labelWidth - 2)))
    addLine(into, `${' '.repeat(labelWidth + 1)}${style.paint('error', line)}`)
}

/** A revealed password may hold what would break the line. */
function visible(text: string): string {
  return text.replace(/[\p{C}\p{M}\p{Default_Ignorable_Code_Point}]/gu, '?')
}

/** The end of a text that fits into `width` cells. */
function tailCells(text: string, width: number): string {
  let shown = text
  while (cellWidth(shown) > width) shown = shown.slice((shown.codePointAt(0) ?? 0) > 0xffff ? 2 : 1)
  return shown
}

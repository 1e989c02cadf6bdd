import type { Style } from '../theme/style.ts'
import type { ColorRole } from '../theme/themes.ts'

/** One cell before it is cut to its column: plain text and what its colour means. */
export interface Cell {
  text: string
  role: ColorRole
  isBold?: boolean
}

/** One column. `flex` shares out what the fixed columns leave; `fromWidth` hides the column in narrower tables. */
export interface Column<R> {
  title: string
  width: number
  flex?: number
  align?: 'left' | 'right'
  fromWidth?: number
  /** Flashes when its row changes. */
  isLive?: boolean
  cell(row: R, style: Style): Cell
}

export interface TableOptions<R extends { key: string }> {
  rows: readonly R[]
  columns: readonly Column<R>[]
  width: number
  /** Lines for the head and the rows together. */
  height: number
  top: number
  /** -1 selects none. */
  selectedIndex: number
  hasFocus: boolean
  style: Style
  /** The column that the table is sorted by, by its title; none where it is left out. */
  sortedBy?: string | null
  /** Keys of marked rows. */
  marked?: ReadonlySet<string>
  /** When rows changed, by key; without it nothing flashes. */
  changedAtMs?: ReadonlyMap<string, number>
  nowMs: number
  /** What cells depend on beside their row, e.g. the hour for ages: part of the memo's key. */
  cellKey: string
}

/** How long a changed cell stands out. */
export const flashMs = 700

const drawn = new WeakMap<object, Map<string, string>>()
const variantsMax = 12

/**
 * A head line and one line a row, blank lines below: exactly `height` lines of `width` cells. Only visible rows are
 * formatted, each once for as long as it stays the same object: that is what makes a table cheap.
 */
export function drawTable<R extends { key: string }>(options: TableOptions<R>): string[] {
  const { rows, width, height, top, selectedIndex, style } = options
  const columns = layoutColumns(options.columns, width)
  const lines = [drawHead(columns, options)]
  const layoutKey = `${style.key} ${width} ${columns.map(each => each.column.title).join()} ${options.cellKey}`
  for (let i = top; i < Math.min(rows.length, top + height - 1); i++) {
    const row = rows[i]
    if (row === undefined) break
    const isSelected = i === selectedIndex
    const isFlashing = isFlash(options, row.key)
    const variant = `${isSelected ? (options.hasFocus ? 's' : 'w') : '-'}${isFlashing ? 'f' : '-'}${options.marked?.has(row.key) ? 'm' : '-'}`
    lines.push(
      memo(row, `${layoutKey} ${variant}`, () => drawRow(row, columns, { ...options, isSelected, isFlashing })),
    )
  }
  const blank = ' '.repeat(Math.max(0, width))
  while (lines.length < height) lines.push(blank)
  return lines.slice(0, Math.max(0, height))
}

function isFlash(
  options: Pick<TableOptions<{ key: string }>, 'style' | 'changedAtMs' | 'nowMs'>,
  key: string,
): boolean {
  if (options.style.isReducedMotion) return false
  const changedAtMs = options.changedAtMs?.get(key)
  return changedAtMs !== undefined && options.nowMs - changedAtMs < flashMs
}

function memo(row: object, key: string, draw: () => string): string {
  let variants = drawn.get(row)
  if (variants === undefined) {
    variants = new Map()
    drawn.set(row, variants)
  }
  const known = variants.get(key)
  if (known !== undefined) return known
  const line = draw()
  if (variants.size >= variantsMax) variants.clear()
  variants.set(key, line)
  return line
}

interface PlacedColumn<R> {
  column: Column<R>
  width: number
}

/** Columns that fit, with their widths: together with one cell between them and one at each side exactly `width`. */
function layoutColumns<R>(columns: readonly Column<R>[], width: number): PlacedColumn<R>[] {
  const shown = columns.filter(column => width >= (column.fromWidth ?? 0))
  const room = width - 2 - (shown.length - 1) - shown.reduce((sum, column) => sum + column.width, 0)
  const flexSum = shown.reduce((sum, column) => sum + (column.flex ?? 0), 0)
  let left = Math.max(0, room)
  let flexLeft = flexSum
  return shown.map(column => {
    const share = flexLeft === 0 ? 0 : Math.floor((left * (column.flex ?? 0)) / flexLeft)
    left -= share
    flexLeft -= column.flex ?? 0
    return { column, width: column.width + share }
  })
}

function drawHead<R extends { key: string }>(columns: readonly PlacedColumn<R>[], options: TableOptions<R>): string {
  const { style, sortedBy, width } = options
  const cells = columns.map(({ column, width: cells }) => {
    const isSorted = column.title === sortedBy
    const title = style.fit(isSorted ? `${style.glyphs.down}${column.title}` : column.title, cells, column.align)
    return isSorted ? style.bold('title', title) : style.paint('muted', title)
  })
  return closeLine(` ${cells.join(' ')} `, columns, width)
}

function drawRow<R extends { key: string }>(
  row: R,
  columns: readonly PlacedColumn<R>[],
  options: TableOptions<R> & { isSelected: boolean; isFlashing: boolean },
): string {
  const { style, isSelected, isFlashing, width } = options
  const mark = options.marked?.has(row.key) ? '*' : isSelected && !options.hasFocus ? '>' : ' '
  const isInverse = isSelected && options.hasFocus
  const cells = columns.map(({ column, width: cells }) => {
    const cell = column.cell(row, style)
    const text = style.fit(cell.text, cells, column.align)
    if (isInverse) return text
    if (isFlashing && column.isLive) return style.bold('flash', text)
    return cell.isBold ? style.bold(cell.role, text) : style.paint(cell.role, text)
  })
  const line = closeLine(`${mark}${cells.join(' ')} `, columns, width)
  return isInverse ? style.inverse(line) : line
}

/** Pads a line whose columns take less than the width (no flexible one among them). */
function closeLine<R>(line: string, columns: readonly PlacedColumn<R>[], width: number): string {
  const used = 2 + Math.max(0, columns.length - 1) + columns.reduce((sum, column) => sum + column.width, 0)
  return line + ' '.repeat(Math.max(0, width - used))
}

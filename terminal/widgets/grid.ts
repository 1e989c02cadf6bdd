import type { QueryColumn } from '../../contracts/queries.ts'
import { type GridState, gridTop } from '../state/grid-state.ts'
import { clean } from '../text/clean.ts'
import { cellWidth } from '../text/width.ts'
import type { Style } from '../theme/style.ts'
import type { ColorRole } from '../theme/themes.ts'

// A result as a grid: rows are numbered, columns as wide as what they hold, the first one stays where it is. Only the rows
// that are seen are asked for and formatted, so that a million rows cost what a page of them does.

/** Rows that are somewhere: in a file, in memory, in a live answer. */
export interface GridSource {
  /** The same array as long as the columns are the same. */
  columns: readonly QueryColumn[]
  rowCount: number
  rows(from: number, count: number): readonly (readonly unknown[])[]
}

export interface GridOptions {
  source: GridSource
  grid: GridState
  width: number
  /** Lines for the head and the rows together. */
  height: number
  hasFocus: boolean
  style: Style
  /** What is looked for, in lower case: cells that hold it stand out. */
  found?: string
}

/** A column that is seen: where it begins, and how much of it there is room for. */
export interface PlacedGridColumn {
  index: number
  x: number
  width: number
}

const widthMin = 4
const widthMax = 36
const wideMax = 400
/** Rows whose cells say how wide a column is. */
const sampledRowsMax = 400

interface Widths {
  sampled: number
  /** The widest cell seen, by column, in cells of the terminal. */
  widest: number[]
}

const known = new WeakMap<readonly QueryColumn[], Widths>()

/** Whether the engine's type is a number, behind whatever is put around it. */
export function isNumberType(type: string): boolean {
  return /^(U?Int\d+|Float\d+|BFloat16|Decimal)/.test(innerType(type))
}

/** Whether it is a date or an instant. */
export function isTimeType(type: string): boolean {
  return /^Date/.test(innerType(type))
}

function innerType(type: string): string {
  const inner = /^(?:Nullable|LowCardinality)\((.*)\)$/.exec(type)?.[1]
  return inner === undefined ? type : innerType(inner)
}

/** A cell as one line of text, and whether there is a value at all. */
export function cellText(cell: unknown): { text: string; isNull: boolean } {
  if (cell === null || cell === undefined) return { text: 'NULL', isNull: true }
  if (typeof cell === 'string') return { text: clean(cell), isNull: false }
  return { text: clean(typeof cell === 'object' ? JSON.stringify(cell) : String(cell)), isNull: false }
}

/** Where the columns stand. The selected one is always among them. */
export function placeGridColumns(
  { source, grid, width }: Pick<GridOptions, 'source' | 'grid' | 'width'>,
  widths = columnWidths(source),
): PlacedGridColumn[] {
  const count = source.columns.length
  const widthOf = (index: number) =>
    Math.max(
      widthMin,
      Math.min(
        grid.wide.includes(index) ? wideMax : widthMax,
        widths[index] ?? widthMin,
        width - numberWidth(source) - 2,
      ),
    )
  const start = numberWidth(source) + 2
  // A frozen column that takes most of the room would leave none for the one that is selected.
  const isFrozen = grid.isFrozen && count > 1 && widthOf(0) <= (width - start) / 2
  const placed: PlacedGridColumn[] = isFrozen ? [{ index: 0, x: start, width: widthOf(0) }] : []
  const from = isFrozen ? 1 : 0
  const room = width - start - (isFrozen ? widthOf(0) + 1 : 0)
  let left = Math.max(from, Math.min(grid.left, count - 1))
  if (grid.column >= from) {
    left = Math.min(left, grid.column)
    const needed = (first: number) => {
      let cells = 0
      for (let i = first; i <= grid.column; i++) cells += widthOf(i) + 1
      return cells - 1
    }
    while (left < grid.column && needed(left) > room) left++
  }
  let x = start + (isFrozen ? widthOf(0) + 1 : 0)
  for (let index = left; index < count && x < width; index++) {
    const cells = Math.min(widthOf(index), width - x)
    if (cells < widthOf(index) && cells < widthMin && placed.length > 0) break
    placed.push({ index, x, width: cells })
    x += widthOf(index) + 1
  }
  return placed
}

/** The first column that is shown beside the frozen one, to be kept so that the columns stay while one moves among them. */
export function gridLeft(placed: readonly PlacedGridColumn[], isFrozen: boolean): number {
  return placed.find(each => !isFrozen || each.index > 0)?.index ?? 0
}

/** The head and the rows: exactly `height` lines of `width` cells. */
export function drawGrid(options: GridOptions): string[] {
  const { source, grid, width, height, style, hasFocus } = options
  const rowsHigh = Math.max(0, height - 1)
  const top = gridTop(grid, { rowCount: source.rowCount, height: rowsHigh })
  const rows = source.rows(top, rowsHigh)
  widen(widthsOf(source.columns), rows)
  const placed = placeGridColumns(options)
  const numberCells = numberWidth(source)
  const lines = [drawHead(placed, options)]
  rows.forEach((row, i) => {
    const isSelected = top + i === grid.row
    const number = style.paint(isSelected ? 'accent' : 'faint', String(top + i + 1).padStart(numberCells))
    const cells = placed.map(column => drawCell(row[column.index], column, { ...options, isSelected }))
    const mark = isSelected && !hasFocus ? '>' : ' '
    lines.push(closed(`${mark}${number} ${cells.join(' ')}`, placed, width))
  })
  const blank = ' '.repeat(Math.max(0, width))
  while (lines.length < height) lines.push(blank)
  return lines.slice(0, Math.max(0, height))
}

function drawHead(placed: readonly PlacedGridColumn[], { source, grid, width, style, hasFocus }: GridOptions): string {
  const cells = placed.map(({ index, width: cells }) => {
    const column = source.columns[index]
    const name = style.fit(column?.name ?? '', cells, isNumberType(column?.type ?? '') ? 'right' : 'left')
    return hasFocus && index === grid.column ? style.bold('title', name) : style.paint('muted', name)
  })
  return closed(` ${' '.repeat(numberWidth(source))} ${cells.join(' ')}`, placed, width)
}

function drawCell(
  cell: unknown,
  { index, width }: PlacedGridColumn,
  { source, grid, style, hasFocus, isSelected, found }: GridOptions & { isSelected: boolean },
): string {
  const { text, isNull } = cellText(cell)
  const isRight = isNumberType(source.columns[index]?.type ?? '')
  const shown = style.fit(text, width, isRight ? 'right' : 'left')
  if (hasFocus && isSelected && index === grid.column) return style.inverse(shown)
  const isFound = found !== undefined && found !== '' && !isNull && text.toLowerCase().includes(found)
  if (isFound) return style.bold('flash', shown)
  return style.paint(roleOf({ isNull, isRight, isSelected }), shown)
}

function roleOf(cell: { isNull: boolean; isRight: boolean; isSelected: boolean }): ColorRole {
  if (cell.isNull) return 'faint'
  if (cell.isSelected) return 'accent'
  return cell.isRight ? 'text' : 'subject'
}

function closed(line: string, placed: readonly PlacedGridColumn[], width: number): string {
  const last = placed.at(-1)
  return line + ' '.repeat(Math.max(0, width - (last === undefined ? cellWidth(line) : last.x + last.width)))
}

function numberWidth({ rowCount }: GridSource): number {
  return Math.max(3, String(rowCount).length)
}

/** How wide each column would like to be, by its name, its first rows as they come, and those that were seen. */
function columnWidths(source: GridSource): readonly number[] {
  const widths = widthsOf(source.columns)
  const until = Math.min(sampledRowsMax, source.rowCount)
  if (widths.sampled < until) {
    widen(widths, source.rows(widths.sampled, until - widths.sampled))
    widths.sampled = until
  }
  return widths.widest
}

function widthsOf(columns: readonly QueryColumn[]): Widths {
  const before = known.get(columns)
  if (before !== undefined) return before
  const widths = { sampled: 0, widest: columns.map(({ name }) => cellWidth(name)) }
  known.set(columns, widths)
  return widths
}

/** Columns only ever get wider, so that they do not dance while one scrolls. */
function widen({ widest }: Widths, rows: readonly (readonly unknown[])[]): void {
  for (const row of rows)
    for (let i = 0; i < widest.length; i++) widest[i] = Math.max(widest[i] ?? 0, cellWidth(cellText(row[i]).text))
}

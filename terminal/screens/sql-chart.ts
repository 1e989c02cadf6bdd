import { lineMark } from '../charts/line-chart.ts'
import type { ChartPoint } from '../charts/plot.ts'
import { renderChart } from '../charts/render-chart.ts'
import { formatCount } from '../text/format.ts'
import { cellWidth } from '../text/width.ts'
import type { Style } from '../theme/style.ts'
import { cellText, type GridSource, isNumberType, isTimeType } from '../widgets/grid.ts'
import { chartLook } from './chart-data.ts'
import { seriesPaint } from './gp-lines.ts'
import { joinLine } from './join-line.ts'

/** How a result is charted: `line` and `bars` over time, or over the order of the rows; `ranked`: a bar for each row. */
export const sqlChartKinds = ['line', 'bars', 'ranked'] as const
export type SqlChartKind = (typeof sqlChartKinds)[number]

/** Which columns are drawn, by name, and how. */
export interface ChartChoice {
  /** '' is the order of the rows. */
  x: string
  /** One to four columns of numbers. */
  y: readonly string[]
  kind: SqlChartKind
}

/** A chart reads so many rows; what comes after them is said to be missing. */
const chartRowsMax = 5_000

/** Numbers smaller than the largest by more than this would lie on the axis beside them. */
const scaleMax = 50
const scaleRowsMax = 200

/**
 * What is drawn of a result where nobody has said: numbers over the first column of time, else ranked by one of text. The
 * numbers are those of the selected column where it has some, else of the first one and of others of its size.
 */
export function suggestChart(source: GridSource, selected: number): ChartChoice | null {
  const { columns } = source
  const numbers = columns.flatMap((column, index) => (isNumberType(column.type) ? [{ ...column, index }] : []))
  const time = columns.find(({ type }) => isTimeType(type))
  const text = columns.find(({ type }) => !isNumberType(type) && !isTimeType(type))
  const chosen = numbers.find(({ index }) => index === selected)
  const [first, second] = numbers
  if (first === undefined) return null
  const main = chosen ?? first
  if (time !== undefined)
    return { x: time.name, y: chosen === undefined ? ofOneSize(numbers, source) : [chosen.name], kind: 'line' }
  if (text !== undefined) return { x: text.name, y: [main.name], kind: 'ranked' }
  if (second === undefined) return { x: '', y: [first.name], kind: 'line' }
  return { x: first.name, y: [main === first ? second.name : main.name], kind: 'line' }
}

/** The names of the first column and of up to three that are as large as it, as far as the first rows tell. */
function ofOneSize(numbers: readonly { name: string; index: number }[], source: GridSource): string[] {
  const rows = source.rows(0, scaleRowsMax)
  const sized = numbers.map(({ name, index }) => ({
    name,
    size: rows.reduce((most, row) => Math.max(most, Math.abs(numberOf(row[index]) ?? 0)), 0),
  }))
  const [first] = sized
  return sized
    .filter(({ size }) => size <= (first?.size ?? 0) * scaleMax && size * scaleMax >= (first?.size ?? 0))
    .slice(0, 4)
    .map(({ name }) => name)
}

/** The chart: exactly `height` lines of `width` cells, the first of them saying what is what. */
export function drawSqlChart(
  choice: ChartChoice,
  source: GridSource,
  { width, height, style }: { width: number; height: number; style: Style },
): string[] {
  const rows = source.rows(0, chartRowsMax)
  const xIndex = source.columns.findIndex(({ name }) => name === choice.x)
  const yIndexes = choice.y.map(name => source.columns.findIndex(column => column.name === name)).filter(i => i >= 0)
  const area = { width, height: Math.max(1, height - 1), style }
  const head = headLine(choice, { rowCount: source.rowCount, shown: rows.length }, { width, style })
  if (yIndexes.length === 0) return [head, ...said('These rows have no such column of numbers: c chooses.', area)]
  if (choice.kind === 'ranked') return [head, ...drawRanked(rows, { xIndex, yIndex: yIndexes[0] ?? 0 }, area)]
  const axis = axisOf(source.columns[xIndex]?.type ?? '')
  const series = yIndexes.map(index => ({ points: pointsOf(rows, { xIndex, yIndex: index }, axis) }))
  const at = series.flatMap(({ points }) => points.map(({ atMs }) => atMs))
  const fromMs = at.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY)
  const toMs = at.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY)
  if (at.length < 2 || fromMs === toMs) return [head, ...said('There are too few different values to draw.', area)]
  const data = {
    fromMs,
    toMs,
    cursorAtMs: null,
    series,
    unit: axis === 'time' ? ('time' as const) : ('number' as const),
  }
  const options = { ...chartLook(style), width, height: area.height, data }
  return [head, ...(choice.kind === 'bars' ? renderChart('bars', options) : renderChart('line', options))]
}

type Axis = 'time' | 'number' | 'row'

function axisOf(type: string): Axis {
  if (isTimeType(type)) return 'time'
  return isNumberType(type) ? 'number' : 'row'
}

function pointsOf(
  rows: readonly (readonly unknown[])[],
  { xIndex, yIndex }: { xIndex: number; yIndex: number },
  axis: Axis,
): ChartPoint[] {
  const points = rows.flatMap((row, i) => {
    const atMs = axis === 'row' ? i + 1 : axis === 'time' ? instantOf(row[xIndex]) : numberOf(row[xIndex])
    return atMs === null ? [] : [{ atMs, value: numberOf(row[yIndex]) }]
  })
  return points.sort((a, b) => a.atMs - b.atMs)
}

/** A number, also one that is text because it is too large; null for none. */
function numberOf(cell: unknown): number | null {
  const value = typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : cell
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** The engine writes instants without a zone, in UTC. */
function instantOf(cell: unknown): number | null {
  if (typeof cell !== 'string') return null
  const text =
    cell.length === 10
      ? `${cell}T00:00:00Z`
      : `${cell.replace(' ', 'T')}${/[Zz]$|[+-]\d\d:\d\d$/.test(cell) ? '' : 'Z'}`
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? null : atMs
}

function headLine(
  { x, y, kind }: ChartChoice,
  { rowCount, shown }: { rowCount: number; shown: number },
  { width, style }: { width: number; style: Style },
): string {
  const look = chartLook(style)
  const mark = (i: number) => lineMark(i, y.length, { hasColor: look.depth !== 0, isAscii: look.ascii })
  const names = y.map((name, i) =>
    kind === 'ranked'
      ? style.paint('subject', name)
      : `${seriesPaint(style, i, mark(i))} ${style.paint('subject', name)}`,
  )
  const part = shown < rowCount ? `  first ${shown} of ${rowCount} rows` : ''
  const [first = '', ...others] = names
  const tail = style.paint('muted', `by ${x === '' ? 'row' : x}, ${kind}${part}`)
  return joinLine([` ${first}`, ...others, tail], '', width)
}

/** A line for each row, as many as fit: its name, a bar from zero, its number. */
function drawRanked(
  rows: readonly (readonly unknown[])[],
  { xIndex, yIndex }: { xIndex: number; yIndex: number },
  { width, height, style }: { width: number; height: number; style: Style },
): string[] {
  const shown = rows.slice(0, height).map((row, i) => ({
    label: xIndex < 0 ? String(i + 1) : cellText(row[xIndex]).text,
    value: numberOf(row[yIndex]),
  }))
  const labelWidth = Math.min(Math.floor(width / 3), Math.max(4, ...shown.map(({ label }) => cellWidth(label))))
  const numberWidth = 8
  const room = Math.max(1, width - labelWidth - numberWidth - 4)
  const most = Math.max(...shown.map(({ value }) => Math.abs(value ?? 0)), Number.MIN_VALUE)
  const lines = shown.map(({ label, value }) => {
    const cells = value === null ? 0 : Math.max(value === 0 ? 0 : 1, Math.round((Math.abs(value) / most) * room))
    const bar = (style.isAscii ? '#' : '█').repeat(cells)
    const number = value === null ? 'NULL' : formatCount(value)
    return ` ${style.paint('subject', style.fit(label, labelWidth))} ${style.paint(value !== null && value < 0 ? 'down' : 'accent', bar)}${' '.repeat(room - cells)} ${style.paint(value === null ? 'faint' : 'text', number.padStart(numberWidth))} `
  })
  return padded(lines, { width, height })
}

function said(text: string, { width, height, style }: { width: number; height: number; style: Style }): string[] {
  return padded([style.paint('muted', style.fit(` ${text}`, width))], { width, height })
}

function padded(lines: readonly string[], { width, height }: { width: number; height: number }): string[] {
  return Array.from({ length: height }, (_, y) => lines[y] ?? ' '.repeat(Math.max(0, width)))
}

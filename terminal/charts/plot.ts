import { CellGrid } from './cell-grid.ts'
import type { ChartTheme } from './color.ts'
import { type Tick, timeTicks, valueTicks } from './ticks.ts'

/** One reading of a series; null is a gap. */
export interface ChartPoint {
  atMs: number
  value: number | null
}

/** What every chart over time is given. `fromMs` < `toMs`. */
export interface TimeAxis {
  fromMs: number
  toMs: number
  /** The crosshair, or null for none. */
  cursorAtMs: number | null
  /** `number`: the axis counts something else than time, and `atMs` of points with it; time where it is left out. */
  unit?: 'time' | 'number'
}

/** The area inside the axes, in cells of the grid, and how values map to it. */
export interface Plot {
  grid: CellGrid
  left: number
  top: number
  columns: number
  rows: number
  minValue: number
  maxValue: number
  axis: TimeAxis
}

/** How a chart may look: colour or none, characters beyond ASCII or none. */
export interface PlotStyle {
  theme: ChartTheme
  hasColor: boolean
  isAscii: boolean
}

/** Draws axes with labels and grid lines, and returns the area for the data. `minValue` < `maxValue`. */
export function openPlot(
  size: { width: number; height: number },
  range: { minValue: number; maxValue: number },
  axis: TimeAxis,
  style: PlotStyle,
): Plot {
  const grid = new CellGrid(size.width, size.height)
  const plot: Plot = { grid, top: 0, ...plotArea(size, range), ...range, axis }
  drawValueAxis(plot, plotTicks(plot.rows, range), style)
  drawTimeAxis(plot, style)
  return plot
}

/** Where the data lies inside a chart of this size: what is left beside the labels and above the time axis. */
function plotArea(size: { width: number; height: number }, range: { minValue: number; maxValue: number }) {
  const rows = Math.max(1, size.height - 2)
  const labelWidth = size.width < 20 ? 0 : Math.max(3, ...plotTicks(rows, range).map(tick => tick.label.length))
  return { left: labelWidth + 1, columns: Math.max(1, size.width - labelWidth - 1), rows }
}

function plotTicks(rows: number, range: { minValue: number; maxValue: number }): Tick[] {
  return valueTicks(range.minValue, range.maxValue, Math.max(2, Math.floor(rows / 3)))
}

/** The instant under a column of a chart, counted from its left edge; null beside the data. The mouse asks for it. */
export function timeAtColumn(
  size: { width: number; height: number },
  range: { minValue: number; maxValue: number },
  axis: TimeAxis,
  column: number,
): number | null {
  const { left, columns } = plotArea(size, range)
  if (column < left || column >= left + columns) return null
  return axis.fromMs + ((column - left) / Math.max(1, columns - 1)) * (axis.toMs - axis.fromMs)
}

/** The range that holds every value, widened where all are equal; 0…1 when there is none. */
export function valueRange(values: Iterable<number | null>): { minValue: number; maxValue: number } {
  let minValue = Number.POSITIVE_INFINITY
  let maxValue = Number.NEGATIVE_INFINITY
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue
    if (value < minValue) minValue = value
    if (value > maxValue) maxValue = value
  }
  if (minValue > maxValue) return { minValue: 0, maxValue: 1 }
  if (minValue < maxValue) return { minValue, maxValue }
  const pad = Math.abs(minValue) * 0.05 || 1
  return { minValue: minValue - pad, maxValue: maxValue + pad }
}

/** The position of an instant on the time axis, 0 at its start and 1 at its end. */
export function timeShare(axis: TimeAxis, atMs: number): number {
  return (atMs - axis.fromMs) / (axis.toMs - axis.fromMs)
}

/** The position of a value, 0 at the lowest and 1 at the highest. */
export function valueShare(plot: Plot, value: number): number {
  return (value - plot.minValue) / (plot.maxValue - plot.minValue)
}

/** Draws the crosshair over what is there: a line through empty cells, inverse where it meets the data. */
export function drawCursor(plot: Plot, style: PlotStyle): void {
  const atMs = plot.axis.cursorAtMs
  if (atMs === null) return
  const share = timeShare(plot.axis, atMs)
  if (share < 0 || share > 1) return
  const x = plot.left + Math.round(share * (plot.columns - 1))
  for (let y = plot.top; y < plot.top + plot.rows; y++) {
    if (plot.grid.isEmpty(x, y)) plot.grid.put(x, y, style.isAscii ? '|' : '┊', style.theme.cursor)
    else plot.grid.invert(x, y)
  }
}

/** Dots through cells that are still empty, at the height of each mark of the value axis. */
export function drawGridLines(plot: Plot, style: PlotStyle): void {
  for (const tick of plotTicks(plot.rows, plot)) {
    const y = rowOf(plot, tick.value)
    for (let x = plot.left; x < plot.left + plot.columns; x += 2)
      if (plot.grid.isEmpty(x, y)) plot.grid.put(x, y, style.isAscii ? '.' : '┈', style.theme.grid)
  }
}

function rowOf(plot: Plot, value: number): number {
  return plot.top + Math.round((1 - valueShare(plot, value)) * (plot.rows - 1))
}

function drawValueAxis(plot: Plot, ticks: readonly Tick[], { theme, isAscii }: PlotStyle): void {
  const x = plot.left - 1
  for (let y = plot.top; y < plot.top + plot.rows; y++) plot.grid.put(x, y, isAscii ? '|' : '│', theme.axis)
  if (plot.left < 2) return
  for (const tick of ticks) {
    const y = rowOf(plot, tick.value)
    plot.grid.text(x - tick.label.length, y, tick.label, theme.text)
    plot.grid.put(x, y, isAscii ? '+' : '┤', theme.axis)
  }
}

const timeLabelWidth = 8

function drawTimeAxis(plot: Plot, { theme, isAscii }: PlotStyle): void {
  const y = plot.top + plot.rows
  const { grid, left, columns } = plot
  for (let x = left; x < left + columns; x++) grid.put(x, y, isAscii ? '-' : '─', theme.axis)
  grid.put(left - 1, y, isAscii ? '+' : '└', theme.axis)
  let free = 0
  const { fromMs, toMs, unit } = plot.axis
  const tickCount = Math.floor(columns / (timeLabelWidth + 2))
  for (const tick of unit === 'number' ? valueTicks(fromMs, toMs, tickCount) : timeTicks(fromMs, toMs, tickCount)) {
    const x = left + Math.round(timeShare(plot.axis, tick.value) * (columns - 1))
    grid.put(x, y, isAscii ? '+' : '┬', theme.axis)
    const start = Math.min(Math.max(0, x - (tick.label.length >> 1)), grid.width - tick.label.length)
    if (start < free) continue
    grid.text(start, y + 1, tick.label, theme.text)
    free = start + tick.label.length + 1
  }
}

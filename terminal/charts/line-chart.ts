import type { CellGrid } from './cell-grid.ts'
import {
  type ChartPoint,
  drawCursor,
  drawGridLines,
  openPlot,
  type Plot,
  type PlotStyle,
  type TimeAxis,
  timeShare,
  valueRange,
  valueShare,
} from './plot.ts'

/** One line: points in order of time. */
interface LineSeries {
  points: readonly ChartPoint[]
}

/** A line chart: at most four series on one value axis; the first is the main one and is drawn on top. */
export interface LineData extends TimeAxis {
  series: readonly LineSeries[]
}

/**
 * Lines over time. Every point is drawn, so a spike of one point survives however narrow the chart is; a missing value
 * breaks the line. Braille where possible; without colour several series are drawn with the digits 1 to 4.
 */
export function drawLineChart(data: LineData, size: { width: number; height: number }, style: PlotStyle): string[] {
  const visible = data.series.slice(0, 4).map(series => visiblePoints(series.points, data))
  const plot = openPlot(size, lineRange(data), data, style)
  const hasMarks = style.isAscii || (!style.hasColor && visible.length > 1)
  for (let i = visible.length - 1; i >= 0; i--) {
    const color = style.theme.series[i] ?? style.theme.text
    const mark = lineMark(i, visible.length, style)
    const draw = hasMarks ? markPen(plot.grid, mark, color) : dotPen(plot.grid, color)
    drawLine(plot, visible[i] ?? [], draw)
  }
  drawGridLines(plot, style)
  drawCursor(plot, style)
  return plot.grid.toLines(style.hasColor)
}

/** The values that a line chart reaches over. */
export function lineRange(data: LineData): { minValue: number; maxValue: number } {
  const visible = data.series.slice(0, 4).flatMap(series => visiblePoints(series.points, data))
  return valueRange(visible.map(point => point.value))
}

/** The character that stands for a series in a legend, and in the chart where it is drawn with characters. */
export function lineMark(index: number, count: number, style: Pick<PlotStyle, 'hasColor' | 'isAscii'>): string {
  if (count > 1 && (style.isAscii || !style.hasColor)) return String(index + 1)
  return style.isAscii ? '*' : '━'
}

/** A pen sets one point; `scaleX` × `scaleY` points make a cell. */
interface Pen {
  scaleX: number
  scaleY: number
  set(x: number, y: number): void
}

function dotPen(grid: CellGrid, color: string): Pen {
  return { scaleX: 2, scaleY: 4, set: (x, y) => grid.dot(x, y, color) }
}

function markPen(grid: CellGrid, mark: string, color: string): Pen {
  return { scaleX: 1, scaleY: 1, set: (x, y) => grid.put(x, y, mark, color) }
}

/** Points inside the window, with the one before and after it, so that lines reach the edges. */
function visiblePoints(points: readonly ChartPoint[], axis: TimeAxis): ChartPoint[] {
  return points.filter((_, i) => {
    const next = points[i + 1]?.atMs ?? Number.POSITIVE_INFINITY
    const previous = points[i - 1]?.atMs ?? Number.NEGATIVE_INFINITY
    return next >= axis.fromMs && previous <= axis.toMs
  })
}

function drawLine(plot: Plot, points: readonly ChartPoint[], pen: Pen): void {
  const left = plot.left * pen.scaleX
  const right = left + plot.columns * pen.scaleX - 1
  const height = plot.rows * pen.scaleY - 1
  const setInside = (x: number, y: number) => {
    if (x >= left && x <= right) pen.set(x, y)
  }
  let previous: { x: number; y: number } | null = null
  for (const { atMs, value } of points) {
    if (value === null || !Number.isFinite(value)) {
      previous = null
      continue
    }
    const x = left + Math.round(timeShare(plot.axis, atMs) * (right - left))
    const y = Math.round((1 - valueShare(plot, value)) * height)
    if (previous === null) setInside(x, y)
    else drawSegment(clipLeft(previous, { x, y }, left), clipRight(previous, { x, y }, right), setInside)
    previous = { x, y }
  }
}

interface Dot {
  x: number
  y: number
}

/** The start of a segment, moved to the left edge when it lies outside, so that far points cost nothing. */
function clipLeft(from: Dot, to: Dot, left: number): Dot {
  return from.x >= left || to.x < left ? from : { x: left, y: crossing(from, to, left) }
}

function clipRight(from: Dot, to: Dot, right: number): Dot {
  return to.x <= right || from.x > right ? to : { x: right, y: crossing(from, to, right) }
}

function crossing(from: Dot, to: Dot, x: number): number {
  return Math.round(from.y + ((to.y - from.y) * (x - from.x)) / (to.x - from.x))
}

/** Bresenham's line. */
function drawSegment(from: Dot, to: Dot, set: (x: number, y: number) => void): void {
  const dx = Math.abs(to.x - from.x)
  const dy = -Math.abs(to.y - from.y)
  const stepX = from.x < to.x ? 1 : -1
  const stepY = from.y < to.y ? 1 : -1
  let { x, y } = from
  let error = dx + dy
  for (;;) {
    set(x, y)
    if (x === to.x && y === to.y) return
    const doubled = 2 * error
    if (doubled >= dy) {
      error += dy
      x += stepX
    }
    if (doubled <= dx) {
      error += dx
      y += stepY
    }
  }
}

import { lineMark } from './line-chart.ts'
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
} from './plot.ts'

/** Bars over time, all from zero: at most four series, side by side at each instant. */
export interface BarsData extends TimeAxis {
  series: readonly { points: readonly ChartPoint[] }[]
}

/** What one column of the plot shows. */
interface Bar {
  value: number
  series: number
}

const eighths = ['', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/**
 * One bar for each point of each series while there is room, else for each column the point farthest from zero, so that a
 * spike survives. A zero is a thin foot on the zero line, a missing value nothing at all. Without colour several series
 * are drawn with their digits.
 */
export function drawBarChart(data: BarsData, size: { width: number; height: number }, style: PlotStyle): string[] {
  const plot = openPlot(size, barRange(data), data, style)
  const visible = visibleSeries(data)
  const zeroRow = Math.round((plot.rows * plot.maxValue) / (plot.maxValue - plot.minValue))
  columnBars(plot, visible).forEach((bar, column) => {
    if (bar !== null) drawBar(plot, { ...bar, column, zeroRow, count: visible.length }, style)
  })
  drawGridLines(plot, style)
  drawCursor(plot, style)
  return plot.grid.toLines(style.hasColor)
}

/** The values that a bar chart reaches over: always from zero. */
export function barRange(data: BarsData): { minValue: number; maxValue: number } {
  return valueRange([0, ...visibleSeries(data).flatMap(points => points.map(point => point.value))])
}

function visibleSeries({ series, fromMs, toMs }: BarsData): ChartPoint[][] {
  return series.slice(0, 4).map(({ points }) => points.filter(point => point.atMs >= fromMs && point.atMs <= toMs))
}

/** The bar that each column shows, null for none. */
function columnBars(plot: Plot, series: readonly (readonly ChartPoint[])[]): (Bar | null)[] {
  const columns = new Array<Bar | null>(plot.columns).fill(null)
  const pointCount = Math.max(1, ...series.map(points => points.length))
  const groupWidth = Math.floor(plot.columns / pointCount) - (pointCount * (series.length + 2) <= plot.columns ? 1 : 0)
  const barWidth = Math.max(1, Math.floor(groupWidth / series.length))
  // Where not every series has a column of its own, they share columns, and the farthest from zero is seen.
  const isShared = groupWidth < series.length
  const taken = isShared ? barWidth : barWidth * series.length
  series.forEach((points, index) => {
    for (const { atMs, value } of points) {
      if (value === null || !Number.isFinite(value)) continue
      const middle = Math.round(timeShare(plot.axis, atMs) * (plot.columns - 1))
      const left = Math.min(Math.max(0, middle - (taken >> 1)), plot.columns - taken)
      const start = isShared ? left : left + index * barWidth
      for (let column = start; column < start + barWidth; column++) {
        const there = columns[column]
        if (!there || Math.abs(value) > Math.abs(there.value)) columns[column] = { value, series: index }
      }
    }
  })
  return columns
}

/** `zeroRow` counts the rows above the zero line, `count` the series. */
function drawBar(plot: Plot, bar: Bar & { column: number; zeroRow: number; count: number }, style: PlotStyle): void {
  const x = plot.left + bar.column
  const isAlone = bar.count === 1
  const color = style.theme.series[isAlone ? (bar.value < 0 ? 1 : 0) : bar.series] ?? style.theme.text
  const mark = !isAlone && (style.isAscii || !style.hasColor) ? lineMark(bar.series, bar.count, style) : null
  const full = mark ?? (style.isAscii ? '#' : '█')
  const rowsHigh = (Math.abs(bar.value) / (plot.maxValue - plot.minValue)) * plot.rows
  if (bar.value < 0) {
    for (let i = 0; i < Math.max(1, Math.round(rowsHigh)); i++)
      plot.grid.put(x, plot.top + bar.zeroRow + i, full, color)
    return
  }
  const steps = Math.max(1, Math.round(rowsHigh * 8))
  for (let i = 0; i * 8 < steps && i < bar.zeroRow; i++) {
    const fill = Math.min(8, steps - i * 8)
    const isWhole = fill >= 4 || i === 0
    const part = mark !== null || style.isAscii ? (isWhole ? full : ' ') : (eighths[fill] ?? '')
    plot.grid.put(x, plot.top + bar.zeroRow - 1 - i, bar.value === 0 && style.isAscii ? '_' : part, color)
  }
}

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

/** Bars over time, all from zero. */
export interface BarsData extends TimeAxis {
  points: readonly ChartPoint[]
}

const eighths = ['', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/**
 * One bar for each point while there is room, else for each column the point farthest from zero, so that a spike survives.
 * A zero is a thin foot on the zero line, a missing value nothing at all.
 */
export function drawBarChart(data: BarsData, size: { width: number; height: number }, style: PlotStyle): string[] {
  const plot = openPlot(size, barRange(data), data, style)
  const columns = columnValues(plot, visiblePoints(data))
  const zeroRow = Math.round((plot.rows * plot.maxValue) / (plot.maxValue - plot.minValue))
  columns.forEach((value, column) => {
    if (value !== null) drawBar(plot, { column, value, zeroRow }, style)
  })
  drawGridLines(plot, style)
  drawCursor(plot, style)
  return plot.grid.toLines(style.hasColor)
}

/** The values that a bar chart reaches over: always from zero. */
export function barRange(data: BarsData): { minValue: number; maxValue: number } {
  return valueRange([0, ...visiblePoints(data).map(point => point.value)])
}

function visiblePoints({ points, fromMs, toMs }: BarsData): ChartPoint[] {
  return points.filter(point => point.atMs >= fromMs && point.atMs <= toMs)
}

/** The value that each column shows, null for none. */
function columnValues(plot: Plot, points: readonly ChartPoint[]): (number | null)[] {
  const columns = new Array<number | null>(plot.columns).fill(null)
  const barWidth = Math.max(
    1,
    Math.floor(plot.columns / Math.max(1, points.length)) - (points.length * 3 <= plot.columns ? 1 : 0),
  )
  for (const { atMs, value } of points) {
    if (value === null || !Number.isFinite(value)) continue
    const middle = Math.round(timeShare(plot.axis, atMs) * (plot.columns - 1))
    const start = Math.min(Math.max(0, middle - (barWidth >> 1)), plot.columns - barWidth)
    for (let column = start; column < start + barWidth; column++) {
      const there = columns[column] ?? null
      if (there === null || Math.abs(value) > Math.abs(there)) columns[column] = value
    }
  }
  return columns
}

/** `zeroRow` counts the rows above the zero line. */
function drawBar(plot: Plot, bar: { column: number; value: number; zeroRow: number }, style: PlotStyle): void {
  const x = plot.left + bar.column
  const color = style.theme.series[bar.value < 0 ? 1 : 0]
  const rowsHigh = (Math.abs(bar.value) / (plot.maxValue - plot.minValue)) * plot.rows
  if (bar.value < 0) {
    for (let i = 0; i < Math.max(1, Math.round(rowsHigh)); i++)
      plot.grid.put(x, plot.top + bar.zeroRow + i, style.isAscii ? '#' : '█', color)
    return
  }
  const steps = Math.max(1, Math.round(rowsHigh * 8))
  for (let i = 0; i * 8 < steps && i < bar.zeroRow; i++) {
    const fill = Math.min(8, steps - i * 8)
    const char = style.isAscii ? (bar.value === 0 ? '_' : fill >= 4 || i === 0 ? '#' : ' ') : (eighths[fill] ?? '')
    plot.grid.put(x, plot.top + bar.zeroRow - 1 - i, char, color)
  }
}

import { type BarsData, barRange, drawBarChart } from './bar-chart.ts'
import { type BigNumberData, drawBigNumber } from './big-number.ts'
import { CellGrid } from './cell-grid.ts'
import type { ChartTheme } from './color.ts'
import {
  type ColumnsData,
  type ContribLineData,
  type DonutData,
  drawContrib,
  type GaugeData,
  type MapData,
} from './contrib.ts'
import { drawHeatMap, type HeatMapData } from './heat-map.ts'
import { drawLineChart, type LineData, lineRange } from './line-chart.ts'
import { type PlotStyle, timeAtColumn } from './plot.ts'

// The one door to charts: data and a size in, lines out. `line`, `bars`, `heatMap` and `bigNumber` are our own (true colour, gaps, crosshair, a
// twentieth of the cost); `columns`, `donut`, `gauge`, `map` and `contribLine` are blessed-contrib's, drawn off-screen.
// Callers cannot tell, so a kind may change its maker.

interface ChartDataByKind {
  line: LineData
  bars: BarsData
  heatMap: HeatMapData
  bigNumber: BigNumberData
  columns: ColumnsData
  donut: DonutData
  gauge: GaugeData
  map: MapData
  contribLine: ContribLineData
}
/** The kinds of charts. */
export type ChartKind = keyof ChartDataByKind

/** What one chart is drawn from. Sizes are in cells; labels must be clean, narrow text. */
export interface ChartOptions<K extends ChartKind> {
  width: number
  height: number
  data: ChartDataByKind[K]
  theme: ChartTheme
  /** Bits of colour; every depth but 0 is drawn in true colour, which the frame writer maps down. */
  depth: 0 | 4 | 8 | 24
  /** Only characters of ASCII. */
  ascii: boolean
}

const smallest: Record<ChartKind, { width: number; height: number }> = {
  line: { width: 8, height: 4 },
  bars: { width: 8, height: 4 },
  heatMap: { width: 12, height: 3 },
  bigNumber: { width: 1, height: 1 },
  columns: { width: 12, height: 7 },
  donut: { width: 14, height: 7 },
  gauge: { width: 8, height: 5 },
  map: { width: 24, height: 7 },
  contribLine: { width: 24, height: 8 },
}

/**
 * Draws a chart as `height` lines, each exactly `width` cells and with self-contained colours. Where the size is too small
 * for the kind, the lines say so or stay empty. The same input gives the same lines.
 */
export function renderChart<K extends ChartKind>(kind: K, options: ChartOptions<K>): string[] {
  const size = { width: Math.max(0, Math.floor(options.width)), height: Math.max(0, Math.floor(options.height)) }
  const style = { theme: options.theme, hasColor: options.depth !== 0, isAscii: options.ascii }
  if (size.width < smallest[kind].width || size.height < smallest[kind].height) return tooSmall(size, style)
  return draw[kind](options.data, size, style)
}

/** The instant under a column of a chart over time, counted from its left edge, or null beside the data. */
export function chartTimeAt<K extends 'line' | 'bars'>(
  kind: K,
  options: Pick<ChartOptions<K>, 'width' | 'height' | 'data'>,
  column: number,
): number | null {
  return timeAtColumn(options, rangeOf[kind](options.data), options.data, column)
}

const rangeOf: { [K in 'line' | 'bars']: (data: ChartDataByKind[K]) => { minValue: number; maxValue: number } } = {
  line: lineRange,
  bars: barRange,
}

type Draw<K extends ChartKind> = (
  data: ChartDataByKind[K],
  size: { width: number; height: number },
  style: PlotStyle,
) => string[]

const draw: { [K in ChartKind]: Draw<K> } = {
  line: drawLineChart,
  bars: drawBarChart,
  heatMap: drawHeatMap,
  bigNumber: drawBigNumber,
  columns: (data, size, style) => drawContrib('columns', fitColumns(data, size.width), size, style),
  donut: (data, size, style) => drawContrib('donut', data, size, style),
  gauge: (data, size, style) => drawContrib('gauge', data, size, style),
  map: (data, size, style) => drawContrib('map', data, size, style),
  contribLine: (data, size, style) => drawContrib('contribLine', data, size, style),
}

/** As many columns as have room: ten cells each. */
function fitColumns(data: ColumnsData, width: number): ColumnsData {
  return { columns: data.columns.slice(0, Math.max(1, Math.floor((width - 3) / 10))) }
}

function tooSmall(size: { width: number; height: number }, style: PlotStyle): string[] {
  const grid = new CellGrid(size.width, size.height)
  grid.text(0, 0, 'too small', style.theme.text)
  return grid.toLines(style.hasColor)
}

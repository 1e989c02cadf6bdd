import type { PanelOf } from '../../contracts/dashboards.ts'
import type { HeatMapData } from '../charts/heat-map.ts'
import { lineMark } from '../charts/line-chart.ts'
import type { ChartPoint } from '../charts/plot.ts'
import { renderChart } from '../charts/render-chart.ts'
import { formatInstant } from '../text/format.ts'
import { cellWidth, truncate } from '../text/width.ts'
import type { Style } from '../theme/style.ts'
import { shareBar } from '../widgets/share-bar.ts'
import type { PanelRow } from './board-answers.ts'
import { numberText } from './board-lists.ts'
import { formatNumber, instantOf, numberOf, numbersOf, reduceRows, textOf } from './board-values.ts'
import { chartLook } from './chart-data.ts'
import { seriesPaint } from './gp-lines.ts'
import { joinLine } from './join-line.ts'
import type { ScreenView } from './screen.ts'

// Panels that draw all their rows as one picture. Each gives exactly `view.height` lines of `view.width` cells.

/** Panels that are no lists. */
export type PicturePanel = PanelOf<'line' | 'bar' | 'gauge' | 'donut' | 'heatmap' | 'worldmap' | 'number'>

type Draw<K extends PicturePanel['kind']> = (panel: PanelOf<K>, rows: readonly PanelRow[], view: ScreenView) => string[]

/** Draws the rows of a panel as one picture. */
export function drawPicture(panel: PicturePanel, rows: readonly PanelRow[], view: ScreenView): string[] {
  switch (panel.kind) {
    case 'line':
      return drawLines(panel, rows, view)
    case 'bar':
      return drawColumns(panel, rows, view)
    case 'gauge':
      return drawGauge(panel, rows, view)
    case 'donut':
      return drawDonut(panel, rows, view)
    case 'heatmap':
      return drawHeat(panel, rows, view)
    case 'worldmap':
      return drawMap(panel, rows, view)
    case 'number':
      return drawNumber(panel, rows, view)
  }
}

const seriesMax = 4

/** A legend line where there are several lines, then the chart over the time that the rows span. */
const drawLines: Draw<'line'> = (panel, rows, view) => {
  const { style, width, height } = view
  const series = seriesOf(panel, rows)
  const instants = series.flatMap(({ points }) => points.map(point => point.atMs))
  const fromMs = instants.reduce((least, atMs) => Math.min(least, atMs), Number.POSITIVE_INFINITY)
  const toMs = instants.reduce((most, atMs) => Math.max(most, atMs), Number.NEGATIVE_INFINITY)
  if (!(fromMs < toMs)) return single(series, view)
  const look = chartLook(style)
  const mark = (i: number) => lineMark(i, series.length, { hasColor: look.depth !== 0, isAscii: look.ascii })
  const legend = series.map(({ name }, i) => `${seriesPaint(style, i, mark(i))} ${style.paint('muted', name)}`)
  const head = series.length < 2 ? [] : [joinLine(legend, '', width)]
  const data = { fromMs, toMs, cursorAtMs: null, series }
  return [...head, ...renderChart('line', { ...look, width, height: height - head.length, data })]
}

interface Series {
  name: string
  points: readonly ChartPoint[]
}

/** A line needs two instants: one alone is said in words. */
function single(series: readonly Series[], { style, width, height }: ScreenView): string[] {
  const words = series.map(({ name, points }) => {
    const [point] = points
    return point === undefined ? '' : `${name} ${point.value ?? '-'} at ${formatInstant(point.atMs)}, alone`
  })
  return squared([style.fit(words.join('  '), width, 'center')], { width, height })
}

/** A series for each field of `y`, or one for each value of the field `series`, those with the most rows first. */
function seriesOf({ options }: PanelOf<'line'>, rows: readonly PanelRow[]): Series[] {
  const { x, y, series } = options
  const [first = ''] = y
  if (series === undefined)
    return y.slice(0, seriesMax).map(field => ({ name: field, points: pointsOf(rows, x, field) }))
  const groups = Map.groupBy(rows, row => textOf(row.values[series]))
  return [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, seriesMax)
    .map(([name, group]) => ({ name, points: pointsOf(group, x, first) }))
}

function pointsOf(rows: readonly PanelRow[], x: string, y: string): ChartPoint[] {
  return rows
    .flatMap(({ values }) => {
      const atMs = instantOf(values[x])
      return atMs === null ? [] : [{ atMs, value: numberOf(values[y]) }]
    })
    .sort((a, b) => a.atMs - b.atMs)
}

const drawColumns: Draw<'bar'> = ({ options }, rows, view) => {
  const columns = rows.map(({ values }, i) => {
    const value = numberOf(values[options.value]) ?? 0
    return {
      label: narrowName(textOf(values[options.label]), i, view.style),
      value,
      shown: formatNumber(value, options.format, view.dataNowMs),
    }
  })
  return renderChart('columns', { ...chartLook(view.style), ...sizeOf(view), data: { columns } })
}

/** The number with its bound, and a bar below. Full is not hidden: the bar then says so by its colour. */
const drawGauge: Draw<'gauge'> = (panel, rows, view) => {
  const { style, width, height, dataNowMs } = view
  const { options } = panel
  const value = reduceRows(rows, options.value, options.reduce)
  const max = typeof options.max === 'number' ? options.max : reduceRows(rows, options.max, options.reduce)
  const share = value === null || max === null || max <= 0 ? 0 : value / max
  const role = share >= 1 ? 'error' : share >= options.warnFrom ? 'warn' : 'good'
  const { full, empty } = shareBar(Math.min(1, Math.max(0, share)), Math.max(4, width - 4), style.isAscii)
  const bar = `  ${style.paint(role, full)}${style.paint('faint', empty)}  `
  const label = options.label === undefined ? '' : textOf(rows[0]?.values[options.label])
  const words = `${numberText(value, panel, dataNowMs)} of ${numberText(max, panel, dataNowMs)}  ${Math.round(share * 100)}%`
  const lines = [
    ...(label === '' || height < 3 ? [] : [style.paint('muted', style.fit(label, width, 'center'))]),
    style.bold(role, style.fit(words, width, 'center')),
    ...Array.from({ length: height >= 6 ? 2 : 1 }, () => bar),
  ]
  return centred(lines, view)
}

/** Whether every character of a label takes one cell, as the drawn charts need it. */
function isNarrow(label: string): boolean {
  return cellWidth(label) === label.length
}

/** A label for a drawn chart; in its place a number where it has wide characters. */
function narrowName(label: string, index: number, { glyphs }: Style): string {
  return isNarrow(label) ? truncate(label, 13, glyphs.ellipsis) : `#${index + 1}`
}

/** Arcs beside each other where they fit; what is left over is an arc as well. */
const drawDonut: Draw<'donut'> = ({ options }, rows, view) => {
  const { style, width, height, dataNowMs } = view
  const values = rows
    .map(({ values: row }) => ({
      label: textOf(row[options.label]),
      value: Math.max(0, numberOf(row[options.value]) ?? 0),
    }))
    .sort((a, b) => b.value - a.value)
  const total = values.reduce((sum, each) => sum + each.value, 0)
  const room = Math.max(1, Math.floor(width / 16))
  const shown = values.slice(0, Math.min(options.slices, room))
  const rest = total - shown.reduce((sum, each) => sum + each.value, 0)
  const slices = rest > 0 && shown.length < room ? [...shown, { label: 'others', value: rest }] : shown
  const parts = slices.map(({ label, value }, i) => ({
    label: narrowName(label, i, style),
    share: total === 0 ? 0 : value / total,
  }))
  const legend = slices.map(({ label, value }, i) => {
    const shown = truncate(label, 16, style.glyphs.ellipsis)
    const number = isNarrow(label) ? '' : `#${i + 1} `
    return style.paint('muted', `${number}${shown} ${formatNumber(value, options.format, dataNowMs)}`)
  })
  // An arc is as wide as it is high: more of them side by side are lower.
  const arcHeight = Math.min(height - 1, Math.max(7, Math.floor((width / Math.max(1, parts.length) + 8) / 2)))
  const chart = renderChart('donut', { ...chartLook(style), width, height: arcHeight, data: { parts } })
  return [...centred(chart, { width, height: height - 1 }), joinLine(legend, '', width)]
}

/** A heat map of single values, or of a list in each row. */
const drawHeat: Draw<'heatmap'> = ({ options }, rows, view) => {
  const shown = (value: number) => formatNumber(value, options.format, view.dataNowMs)
  const { x, y, value } = options
  const map = x === undefined ? heatOfLists(rows, { y, value }) : heatOfCells(rows, { x, y, value })
  return renderChart('heatMap', { ...chartLook(view.style), ...sizeOf(view), data: { ...map, shown } })
}

type Heat = Pick<HeatMapData, 'columns' | 'rows' | 'cells'>

/** The newest entries stand at the right edge, whatever the length of a list. */
function heatOfLists(rows: readonly PanelRow[], { y, value }: { y: string; value: string }): Heat {
  const lists = rows.map(row => ({ name: textOf(row.values[y]), values: numbersOf(row.values[value]) }))
  const filled = lists.filter(list => list.values.some(each => each !== null))
  const length = Math.max(1, ...filled.map(list => list.values.length))
  return {
    columns: Array.from({ length }, (_, i) => (i === length - 1 ? 'now' : String(i + 1 - length))),
    rows: filled.map(list => list.name),
    cells: filled.map(({ values }) => [...new Array<null>(length - values.length).fill(null), ...values]),
  }
}

/** Labels in the order in which they come, of columns by their numbers; of several rows for one cell the values are added up. */
function heatOfCells(rows: readonly PanelRow[], { x, y, value }: { x: string; y: string; value: string }): Heat {
  const labels = [...new Set(rows.map(row => textOf(row.values[x])))]
  // A column that no early row has comes late: where labels count, their numbers say where it belongs.
  const columns = labels.every(label => /\d/.test(label)) ? labels.sort(byNumber) : labels
  const lines = [...new Set(rows.map(row => textOf(row.values[y])))]
  const sums = new Map<string, number>()
  for (const { values } of rows) {
    const number = numberOf(values[value])
    const key = JSON.stringify([textOf(values[y]), textOf(values[x])])
    if (number !== null) sums.set(key, (sums.get(key) ?? 0) + number)
  }
  const cells = lines.map(line => columns.map(column => sums.get(JSON.stringify([line, column])) ?? null))
  return { columns, rows: lines, cells }
}

const numbers = new Intl.Collator('en', { numeric: true })
const byNumber = (a: string, b: string): number => numbers.compare(a, b)

const listWidth = 22
const strongShare = 0.25

/** Marks on the map, and beside it, where there is room, the countries with the most. */
const drawMap: Draw<'worldmap'> = ({ options }, rows, view) => {
  const { style, width, height, dataNowMs } = view
  const sums = new Map<string, number>()
  for (const { values } of rows) {
    const value = numberOf(values[options.value])
    const named = values[options.country]
    const codes = (Array.isArray(named) ? named.map(textOf) : textOf(named).split(/[\s,;]+/)).map(code =>
      code.toUpperCase(),
    )
    if (value !== null)
      for (const code of codes) if (/^[A-Z]{2}$/.test(code)) sums.set(code, (sums.get(code) ?? 0) + value)
  }
  const ranked = [...sums].sort(([, a], [, b]) => b - a)
  const most = ranked[0]?.[1] ?? 0
  const isStrong = ([, value]: [string, number]) => value >= most * strongShare
  const data = {
    countries: ranked.filter(isStrong).map(([code]) => code),
    weak: ranked.filter(each => !isStrong(each)).map(([code]) => code),
  }
  const side = width >= 64 ? listWidth : 0
  const map = renderChart('map', { ...chartLook(style), width: width - side, height, data })
  if (side === 0) return map
  const list = ranked.slice(0, height).map(([code, value]) => {
    const count = style.fit(formatNumber(value, options.format, dataNowMs), 8, 'right')
    const { full } = shareBar(most === 0 ? 0 : value / most, 8, style.isAscii)
    return `  ${style.paint('subject', code)} ${style.paint('accent', style.fit(full, 8))} ${style.paint('text', count)}`
  })
  return map.map((line, y) => line + (list[y] ?? ' '.repeat(side)))
}

const drawNumber: Draw<'number'> = (panel, rows, view) => {
  const { style, width, height, dataNowMs } = view
  const { options } = panel
  const value = reduceRows(rows, options.value, options.reduce)
  const change = options.change === undefined ? null : reduceRows(rows, options.change, options.reduce)
  const foot = [
    ...(change === null ? [] : [changeLine(change, panel, view)]),
    ...(options.label === undefined
      ? []
      : [style.paint('muted', style.fit(textOf(rows[0]?.values[options.label]), width, 'center'))]),
  ].slice(0, Math.max(0, height - 1))
  const data = { text: numberText(value, panel, dataNowMs) }
  return [...renderChart('bigNumber', { ...chartLook(style), width, height: height - foot.length, data }), ...foot]
}

function changeLine(change: number, { options }: PanelOf<'number'>, { style, width, dataNowMs }: ScreenView): string {
  const role = change > 0 ? 'up' : change < 0 ? 'down' : 'muted'
  const arrow = change > 0 ? style.glyphs.up : change < 0 ? style.glyphs.down : style.glyphs.flat
  return style.paint(
    role,
    style.fit(`${arrow} ${formatNumber(change, options.changeFormat, dataNowMs)}`, width, 'center'),
  )
}

function sizeOf({ width, height }: ScreenView): { width: number; height: number } {
  return { width, height }
}

function centred(lines: readonly string[], view: { width: number; height: number }): string[] {
  const above = Math.max(0, Math.floor((view.height - lines.length) / 2))
  return squared([...new Array<string>(above).fill(' '.repeat(view.width)), ...lines], view)
}

function squared(lines: readonly string[], { width, height }: { width: number; height: number }): string[] {
  const blank = ' '.repeat(width)
  return Array.from({ length: height }, (_, y) => lines[y] ?? blank)
}

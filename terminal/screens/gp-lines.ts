import type { SeriesPoint } from '../../contracts/measures.ts'
import { rgbOf, sgrRgb } from '../charts/color.ts'
import { lineMark } from '../charts/line-chart.ts'
import type { ChartPoint } from '../charts/plot.ts'
import type { Subject } from '../command/subject.ts'
import type { LiveSnapshot } from '../state/live-data.ts'
import { formatInstant, formatPercentChange, formatSpan } from '../text/format.ts'
import { truncate } from '../text/width.ts'
import type { Style } from '../theme/style.ts'
import { chartLook, instantsOf } from './chart-data.ts'
import { type ChartWindow, nearestIndex } from './chart-window.ts'
import type { GpState } from './gp-state.ts'
import { joinLine } from './join-line.ts'
import { notLiveMark } from './live-notice.ts'
import { describeMissing, formatMeasure } from './measure-text.ts'
import type { ScreenView } from './screen.ts'

/** One subject of the chart with what is known of it. */
export interface Curve {
  subject: Subject
  name: string
  snapshot: LiveSnapshot<'series'> | null
  points: readonly ChartPoint[]
}

/** A GP screen in the window: its curves, what is loaded and shown, and where the chart stands in the body. */
export interface GpLayout {
  curves: readonly Curve[]
  bounds: ChartWindow
  window: ChartWindow
  chart: { width: number; height: number; top: number }
}

/** Measure, window and steps; at the right edge whether the data is live. */
export function headLine(state: GpState, { bounds, window, curves }: GpLayout, view: ScreenView): string {
  const { style, width } = view
  const span = formatSpan(bounds.toMs - bounds.fromMs)
  const stepMs = stepOf(curves[0]?.points ?? [])
  const shown = state.window === null ? span : `${formatSpan(window.toMs - window.fromMs)} of ${span}`
  const parts = [
    style.bold('title', state.metric.toUpperCase()),
    style.paint('text', shown),
    stepMs === null ? '' : style.paint('muted', `every ${formatSpan(stepMs)}`),
    state.platform === 'all' ? '' : style.paint('muted', state.platform),
    style.paint('muted', `${formatInstant(window.fromMs)} ${style.glyphs.arrow} ${formatInstant(window.toMs)} UTC`),
  ]
  const [main] = curves
  const mark = main?.snapshot == null || main.snapshot.rows.length === 0 ? '' : notLiveMark(view, main.snapshot)
  return joinLine(parts, mark, width)
}

/** The time between two readings of a series; the last one may come early, so the first two tell. */
function stepOf([first, second]: readonly ChartPoint[]): number | null {
  return first === undefined || second === undefined ? null : second.atMs - first.atMs
}

/** One curve: its mark and name, the last value, how far it went, and how many readings are missing. */
export function legendLine(
  state: GpState,
  curve: Curve,
  look: { view: ScreenView; window: ChartWindow; index: number; count: number },
): string {
  const { view, window, index, count } = look
  const { style } = view
  const hasColor = chartLook(style).depth !== 0
  const mark = lineMark(index, count, { hasColor, isAscii: style.isAscii })
  const shown = curve.points.filter(({ atMs }) => atMs >= window.fromMs && atMs <= window.toMs)
  const values = shown.flatMap(({ value }) => (value === null ? [] : [value]))
  const first = values[0]
  const last = values.at(-1)
  const name = truncate(curve.name, Math.max(16, Math.floor(view.width * 0.4)), style.glyphs.ellipsis)
  const parts = [`${seriesPaint(style, index, mark)} ${style.paint('subject', name)}`]
  if (last === undefined)
    parts.push(style.paint('muted', curve.snapshot?.status === 'loading' ? 'loading' : 'no reading in this window'))
  else {
    parts.push(style.bold('text', formatMeasure(state.metric, last)))
    if (first !== undefined && first !== 0) parts.push(changeText(style, (last / first - 1) * 100))
    parts.push(style.paint('muted', `high ${formatMeasure(state.metric, Math.max(...values))}`))
    parts.push(style.paint('muted', `low ${formatMeasure(state.metric, Math.min(...values))}`))
    if (shown.length > values.length) parts.push(style.paint('faint', `${shown.length - values.length} gaps`))
  }
  return joinLine(parts, '', view.width)
}

/** A change in percent with arrow and sign, so that it can be read without colour. */
function changeText(style: Style, percent: number): string {
  const role = percent > 0 ? 'up' : percent < 0 ? 'down' : 'muted'
  const glyph = percent > 0 ? style.glyphs.up : percent < 0 ? style.glyphs.down : style.glyphs.flat
  return style.paint(role, `${glyph} ${formatPercentChange(percent)}`)
}

/** Text in the colour of a series. */
export function seriesPaint(style: Style, index: number, text: string): string {
  const color = style.theme.chart.series[index] ?? style.theme.chart.text
  return `${sgrRgb(38, rgbOf(color))}${text}\x1b[39m`
}

const keyHints = ['left right crosshair', '+ - zoom', '< > pan', 'm measure', 'p window', 'b steps', 's style']

/** What the crosshair meets, or which keys there are. */
export function readOutLine(state: GpState, { curves, bounds }: GpLayout, { style, width }: ScreenView): string {
  if (state.cursorAtMs === null)
    return joinLine(
      keyHints.map(hint => style.paint('faint', hint)),
      '',
      width,
    )
  const atMs = Math.min(Math.max(state.cursorAtMs, bounds.fromMs), bounds.toMs)
  const parts = [style.bold('accent', `${style.isAscii ? '|' : '┊'} ${formatInstant(atMs)} UTC`)]
  const isAlone = curves.length === 1
  curves.forEach((curve, i) => {
    const at = nearestIndex(instantsOf(curve.points), atMs)
    const text = readingText(state, curve.snapshot?.rows[at], isAlone)
    parts.push(seriesPaint(style, i, isAlone ? text : `${i + 1} ${text}`))
    if (isAlone) parts.push(stepText(state, curve, at, style))
  })
  return joinLine(parts, '', width)
}

/** A reading with its digits in full where there is room, or why there is none. */
function readingText(state: GpState, row: SeriesPoint | undefined, isInFull: boolean): string {
  if (row === undefined) return 'nothing'
  if (row.value === null) return describeMissing(row.state)
  const text = formatMeasure(state.metric, row.value)
  return isInFull && Math.abs(row.value) >= 1000 ? `${text} (${row.value.toLocaleString('en-US')})` : text
}

/** The change since the reading before, over any gap. */
function stepText(state: GpState, { points }: Curve, at: number, style: Style): string {
  const here = points[at]?.value ?? null
  const before = points.slice(0, Math.max(0, at)).findLast(point => point.value !== null)
  if (here === null || before?.value == null) return ''
  const change = here - before.value
  const text = `${change > 0 ? '+' : ''}${formatMeasure(state.metric, change)} since ${formatInstant(before.atMs)}`
  return style.paint(change < 0 ? 'down' : 'muted', text)
}

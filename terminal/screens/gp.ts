import type { Fact, SeriesPoint } from '../../contracts/measures.ts'
import { rgbOf, sgrRgb } from '../charts/color.ts'
import { lineMark } from '../charts/line-chart.ts'
import type { ChartPoint } from '../charts/plot.ts'
import { type ChartOptions, chartTimeAt, renderChart } from '../charts/render-chart.ts'
import { formatSubject, type Subject } from '../command/subject.ts'
import type { LiveQuery, LiveSnapshot } from '../state/live-data.ts'
import { formatInstant, formatPercentChange, formatSpan } from '../text/format.ts'
import { truncate } from '../text/width.ts'
import type { Style } from '../theme/style.ts'
import { type ChartWindow, nearestIndex } from './chart-window.ts'
import { type GpLoaded, type GpMove, type GpState, gpBounds, gpStateOf, moveGp, seriesParams } from './gp-state.ts'
import { joinLine } from './join-line.ts'
import { noRowsBox, noSubjectBox, notLiveMark } from './live-notice.ts'
import { describeMissing, formatMeasure } from './measure-text.ts'
import { type ActionCall, type ScreenDeps, type ScreenSpec, type ScreenView, screenFactory } from './screen.ts'

/** One subject of the chart with what is known of it. */
interface Curve {
  subject: Subject
  name: string
  snapshot: LiveSnapshot<'series'> | null
  points: readonly ChartPoint[]
}

/** GP: one measure of up to four subjects over time, with crosshair, zoom and pan. */
const gpScreen: ScreenSpec<GpState> = {
  fn: 'GP',
  contexts: ['chart'],
  open: gpStateOf,
  title: gpTitle,
  queries: gpQueries,
  draw: drawGp,
  act: actGp,
  subject: state => state.subjects[0] ?? null,
  follow: (state, subject) => ({ ...state, subjects: [subject], window: null, cursorAtMs: null }),
  list(state, view) {
    const curves = readCurves(state, view)
    const rows = curves.flatMap(({ subject, snapshot }) =>
      (snapshot?.rows ?? []).map(({ at, value, state: rowState }) => ({
        subject: formatSubject(subject),
        at,
        metric: state.metric,
        value,
        state: rowState,
      })),
    )
    return {
      title: gpTitle(state),
      columns: ['subject', 'at', 'metric', 'value', 'state'],
      rows,
      asOf: curves[0]?.snapshot?.asOf ?? null,
    }
  },
  copyText: state => state.subjects.map(formatSubject).join(' '),
}

export const gpFactory = screenFactory(gpScreen)

function gpTitle(state: GpState): string {
  const [first, ...others] = state.subjects
  const words = [
    first === undefined ? '' : formatSubject(first),
    'GP',
    state.metric.toUpperCase(),
    state.period?.toUpperCase() ?? '',
    state.bucket === null ? '' : `BUCKET=${state.bucket.toUpperCase()}`,
    state.platform === 'all' ? '' : state.platform.toUpperCase(),
    state.style === 'line' ? '' : state.style.toUpperCase(),
    state.range === null ? '' : `FROM=${state.range.from} TO=${state.range.to}`,
    others.length === 0 ? '' : `VS ${others.map(formatSubject).join(' ')}`,
  ]
  return words.filter(word => word !== '').join(' ')
}

function seriesQuery(state: GpState, subject: Subject): LiveQuery<'series'> | null {
  const params = seriesParams(state, subject)
  return params === null ? null : { name: 'series', params }
}

/** The description tells the title of a clip and the name of a creator; a topic is its own name. */
function nameQuery(subject: Subject): LiveQuery<'describe'> | null {
  if (subject.type === 'search' || subject.type === 'topic') return null
  return { name: 'describe', params: { type: `${subject.type}s`, id: subject.id, period: '24h' } }
}

function gpQueries(state: GpState): LiveQuery[] {
  const queries: LiveQuery[] = []
  for (const subject of state.subjects)
    for (const query of [seriesQuery(state, subject), nameQuery(subject)]) if (query !== null) queries.push(query)
  return queries
}

function readCurves(state: GpState, view: Pick<ScreenView, 'live'>): Curve[] {
  return state.subjects.map(subject => {
    const query = seriesQuery(state, subject)
    const naming = nameQuery(subject)
    const snapshot = query === null ? null : view.live(query)
    return {
      subject,
      name: nameIn(naming === null ? [] : view.live(naming).rows) ?? formatSubject(subject),
      snapshot,
      points: snapshot === null ? [] : chartPoints(snapshot.rows),
    }
  })
}

/** The title or name among the facts of a description. */
export function nameIn(facts: readonly Fact[]): string | null {
  const fact = facts.find(each => each.key === 'title') ?? facts.find(each => each.key === 'name')
  return typeof fact?.value === 'string' && fact.value !== '' ? fact.value : null
}

const parsedPoints = new WeakMap<readonly SeriesPoint[], readonly ChartPoint[]>()

/** Points of a chart; parsed once for the same rows, because rows stay the same array until one changes. */
export function chartPoints(rows: readonly SeriesPoint[]): readonly ChartPoint[] {
  const known = parsedPoints.get(rows)
  if (known !== undefined) return known
  const points = rows.map(({ at, value }) => ({ atMs: Date.parse(at), value }))
  parsedPoints.set(rows, points)
  return points
}

interface Layout {
  curves: readonly Curve[]
  bounds: ChartWindow
  window: ChartWindow
  chart: { width: number; height: number; top: number }
}

function layOut(state: GpState, view: ScreenView): Layout {
  const curves = readCurves(state, view)
  const asOf = curves[0]?.snapshot?.asOf ?? null
  const bounds = gpBounds(state, asOf === null ? view.dataNowMs : Date.parse(asOf))
  const top = 1 + curves.length
  return {
    curves,
    bounds,
    window: state.window ?? bounds,
    chart: { width: view.width, height: Math.max(1, view.height - top - 1), top },
  }
}

function drawGp(state: GpState, view: ScreenView): string[] {
  const [main] = state.subjects
  if (main === undefined || main.type === 'search') return noSubjectBox(view, 'GP', main ?? null)
  const layout = layOut(state, view)
  const { curves, chart } = layout
  const lines = [
    headLine(state, layout, view),
    ...curves.map((curve, i) =>
      legendLine(state, curve, { view, window: layout.window, index: i, count: curves.length }),
    ),
    ...drawPlot(state, layout, { ...view, height: chart.height }),
    readOutLine(state, layout, view),
  ]
  return lines.slice(0, view.height)
}

function headLine(state: GpState, { bounds, window, curves }: Layout, view: ScreenView): string {
  const { style, width } = view
  const span = formatSpan(bounds.toMs - bounds.fromMs)
  const shown = state.window === null ? span : `${formatSpan(window.toMs - window.fromMs)} of ${span}`
  const parts = [
    style.bold('title', state.metric.toUpperCase()),
    style.paint('text', shown),
    style.paint('muted', state.bucket === null ? 'steps by itself' : `steps ${state.bucket}`),
    state.platform === 'all' ? '' : style.paint('muted', state.platform),
    style.paint('muted', `${formatInstant(window.fromMs)} ${style.glyphs.arrow} ${formatInstant(window.toMs)} UTC`),
  ]
  const [main] = curves
  const mark = main?.snapshot == null || main.snapshot.rows.length === 0 ? '' : notLiveMark(view, main.snapshot)
  return joinLine(parts, mark, width)
}

function legendLine(
  state: GpState,
  curve: Curve,
  look: { view: ScreenView; window: ChartWindow; index: number; count: number },
): string {
  const { view, window, index, count } = look
  const { style } = view
  const hasColor = chartDepth(style) !== 0
  const mark = lineMark(index, count, { hasColor, isAscii: style.isAscii })
  const shown = curve.points.filter(({ atMs }) => atMs >= window.fromMs && atMs <= window.toMs)
  const values = shown.flatMap(({ value }) => (value === null ? [] : [value]))
  const first = values[0]
  const last = values.at(-1)
  const parts = [
    `${seriesPaint(style, index, mark)} ${style.paint('subject', truncate(curve.name, Math.max(16, Math.floor(view.width * 0.4)), style.glyphs.ellipsis))}`,
  ]
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
function seriesPaint(style: Style, index: number, text: string): string {
  const color = style.theme.chart.series[index] ?? style.theme.chart.text
  return `${sgrRgb(38, rgbOf(color))}${text}\x1b[39m`
}

function drawPlot(state: GpState, layout: Layout, area: ScreenView): string[] {
  const main = layout.curves[0]
  const hasReading = layout.curves.some(curve => curve.points.some(point => point.value !== null))
  if (main?.snapshot == null) return []
  if (!hasReading)
    return noRowsBox(
      area,
      main.snapshot,
      `There is no reading of ${state.metric} in this window; p takes a longer one.`,
    )
  const chart = chartOf(state, layout, area)
  return chart.kind === 'bars'
    ? renderChart('bars', chart.options)
    : chart.kind === 'line'
      ? renderChart('line', chart.options)
      : renderChart('contribLine', chart.options)
}

type Chart =
  | { kind: 'line'; options: ChartOptions<'line'> }
  | { kind: 'bars'; options: ChartOptions<'bars'> }
  | { kind: 'contribLine'; options: ChartOptions<'contribLine'> }

/** Bars show the main subject only; blessed-contrib's line cannot show gaps, so data with gaps gets our own. */
function chartOf(state: GpState, { curves, window, chart }: Layout, { style }: Pick<ScreenView, 'style'>): Chart {
  const look = {
    width: chart.width,
    height: chart.height,
    theme: style.theme.chart,
    depth: chartDepth(style),
    ascii: style.isAscii,
  }
  const axis = { fromMs: window.fromMs, toMs: window.toMs, cursorAtMs: state.cursorAtMs }
  if (state.style === 'bars')
    return { kind: 'bars', options: { ...look, data: { ...axis, points: curves[0]?.points ?? [] } } }
  const classic = state.style === 'classic' ? classicData(curves, window) : null
  if (classic !== null) return { kind: 'contribLine', options: { ...look, data: classic } }
  return { kind: 'line', options: { ...look, data: { ...axis, series: curves.map(({ points }) => ({ points })) } } }
}

function classicData(curves: readonly Curve[], window: ChartWindow): ChartOptions<'contribLine'>['data'] | null {
  const shown = curves.map(({ points }) => points.filter(({ atMs }) => atMs >= window.fromMs && atMs <= window.toMs))
  const series = shown.map(points => points.flatMap(({ value }) => (value === null ? [] : [value])))
  const length = shown[0]?.length ?? 0
  if (length < 2 || series.some(values => values.length !== length)) return null
  return { labels: (shown[0] ?? []).map(({ atMs }) => formatInstant(atMs).slice(5)), series }
}

/** The mono theme has one colour, so its charts are drawn as without colour: several lines get digits. */
export function chartDepth(style: Style): Style['depth'] {
  return style.theme.name === 'mono' ? 0 : style.depth
}

const keyHints = ['left right crosshair', '+ - zoom', '< > pan', 'm measure', 'p window', 'b steps', 's style']

function readOutLine(state: GpState, { curves, bounds }: Layout, { style, width }: ScreenView): string {
  if (state.cursorAtMs === null)
    return joinLine(
      keyHints.map(hint => style.paint('faint', hint)),
      '',
      width,
    )
  const atMs = Math.min(Math.max(state.cursorAtMs, bounds.fromMs), bounds.toMs)
  const parts = [style.bold('accent', `${style.isAscii ? '|' : '┊'} ${formatInstant(atMs)} UTC`)]
  curves.forEach((curve, i) => {
    const at = nearestIndex(instantsOf(curve.points), atMs)
    const row = curve.snapshot?.rows[at]
    const text =
      row === undefined
        ? 'nothing'
        : row.value === null
          ? describeMissing(row.state)
          : formatMeasure(state.metric, row.value)
    const full =
      row?.value === null || row === undefined || Math.abs(row.value) < 1000
        ? ''
        : ` (${row.value.toLocaleString('en-US')})`
    parts.push(seriesPaint(style, i, `${curves.length > 1 ? `${i + 1} ` : ''}${text}${curves.length > 1 ? '' : full}`))
    if (curves.length === 1) parts.push(stepText(state, curve, at, style))
  })
  return joinLine(parts, '', width)
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

const parsedInstants = new WeakMap<readonly ChartPoint[], readonly number[]>()

function instantsOf(points: readonly ChartPoint[]): readonly number[] {
  const known = parsedInstants.get(points)
  if (known !== undefined) return known
  const instants = points.map(point => point.atMs)
  parsedInstants.set(points, instants)
  return instants
}

const moves: Partial<Record<ActionCall['name'], GpMove>> = {
  'cursor.left': { type: 'cursor', by: -1 },
  'cursor.right': { type: 'cursor', by: 1 },
  'cursor.first': { type: 'cursor', by: Number.NEGATIVE_INFINITY },
  'cursor.last': { type: 'cursor', by: Number.POSITIVE_INFINITY },
  'zoom.in': { type: 'zoomIn' },
  'zoom.out': { type: 'zoomOut' },
  'zoom.reset': { type: 'zoomAll' },
  'pan.left': { type: 'panLeft' },
  'pan.right': { type: 'panRight' },
  'chart.metric': { type: 'metric', by: 1 },
  'chart.period': { type: 'period', by: 1 },
  'chart.bucket': { type: 'bucket', by: 1 },
  'chart.style': { type: 'style', by: 1 },
  'pointer.wheelUp': { type: 'zoomIn' },
  'pointer.wheelDown': { type: 'zoomOut' },
}

function actGp(state: GpState, call: ActionCall, deps: ScreenDeps): GpState | null {
  const layout = layOut(state, deps)
  const loaded: GpLoaded = { bounds: layout.bounds, instants: instantsOf(layout.curves[0]?.points ?? []) }
  if (call.name === 'chart.describe') {
    const [main] = state.subjects
    if (main !== undefined) deps.run(`${formatSubject(main)} DES`)
    return state
  }
  if (call.name === 'back') return state.cursorAtMs === null ? null : moveGp(state, { type: 'cursorOff' }, loaded)
  if (call.name.startsWith('platform.')) return changePlatform(state, call.name.slice('platform.'.length))
  const pointed = call.at === undefined ? state : pointAt(state, call.at, { layout, loaded, deps })
  if (call.name === 'pointer.press' || call.name === 'pointer.move') return pointed
  const move = moves[call.name]
  return move === undefined ? null : moveGp(pointed, move, loaded)
}

function changePlatform(state: GpState, name: string): GpState {
  const platform = (['all', 'youtube', 'tiktok', 'instagram'] as const).find(each => each === name)
  return platform === undefined ? state : { ...state, platform }
}

/** Puts the crosshair on the reading nearest to a cell of the body; beside the chart nothing happens. */
function pointAt(
  state: GpState,
  at: { x: number; y: number },
  { layout, loaded, deps }: { layout: Layout; loaded: GpLoaded; deps: ScreenDeps },
): GpState {
  if (at.y < layout.chart.top || at.y >= layout.chart.top + layout.chart.height) return state
  const chart = chartOf(state, layout, deps)
  if (chart.kind === 'contribLine') return state
  const atMs =
    chart.kind === 'bars' ? chartTimeAt('bars', chart.options, at.x) : chartTimeAt('line', chart.options, at.x)
  const nearest = atMs === null ? undefined : loaded.instants[nearestIndex(loaded.instants, atMs)]
  return nearest === undefined ? state : moveGp(state, { type: 'cursorTo', atMs: nearest }, loaded)
}

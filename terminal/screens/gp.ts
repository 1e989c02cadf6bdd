import { type ChartOptions, chartTimeAt, renderChart } from '../charts/render-chart.ts'
import { formatSubject, type Subject } from '../command/subject.ts'
import type { LiveQuery } from '../state/live-data.ts'
import { formatInstant } from '../text/format.ts'
import { chartLook, chartPoints, instantsOf, nameIn } from './chart-data.ts'
import { type ChartWindow, nearestIndex } from './chart-window.ts'
import { type Curve, type GpLayout, headLine, legendLine, readOutLine } from './gp-lines.ts'
import { type GpLoaded, type GpMove, type GpState, gpBounds, gpStateOf, moveGp, seriesParams } from './gp-state.ts'
import { noRowsBox, noSubjectBox } from './live-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenSpec, type ScreenView, screenFactory } from './screen.ts'

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

function layOut(state: GpState, view: ScreenView): GpLayout {
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

function drawPlot(state: GpState, layout: GpLayout, area: ScreenView): string[] {
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

/** blessed-contrib's line cannot show gaps, so data with gaps gets our own. */
function chartOf(state: GpState, { curves, window, chart }: GpLayout, { style }: Pick<ScreenView, 'style'>): Chart {
  const look = { ...chartLook(style), width: chart.width, height: chart.height }
  const axis = { fromMs: window.fromMs, toMs: window.toMs, cursorAtMs: state.cursorAtMs }
  const series = curves.map(({ points }) => ({ points }))
  if (state.style === 'bars') return { kind: 'bars', options: { ...look, data: { ...axis, series } } }
  const classic = state.style === 'classic' ? classicData(curves, window) : null
  if (classic !== null) return { kind: 'contribLine', options: { ...look, data: classic } }
  return { kind: 'line', options: { ...look, data: { ...axis, series } } }
}

function classicData(curves: readonly Curve[], window: ChartWindow): ChartOptions<'contribLine'>['data'] | null {
  const shown = curves.map(({ points }) => points.filter(({ atMs }) => atMs >= window.fromMs && atMs <= window.toMs))
  const series = shown.map(points => points.flatMap(({ value }) => (value === null ? [] : [value])))
  const length = shown[0]?.length ?? 0
  if (length < 2 || series.some(values => values.length !== length)) return null
  return { labels: (shown[0] ?? []).map(({ atMs }) => formatInstant(atMs).slice(5)), series }
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
  { layout, loaded, deps }: { layout: GpLayout; loaded: GpLoaded; deps: ScreenDeps },
): GpState {
  if (at.y < layout.chart.top || at.y >= layout.chart.top + layout.chart.height) return state
  const chart = chartOf(state, layout, deps)
  if (chart.kind === 'contribLine') return state
  const atMs =
    chart.kind === 'bars' ? chartTimeAt('bars', chart.options, at.x) : chartTimeAt('line', chart.options, at.x)
  const nearest = atMs === null ? undefined : loaded.instants[nearestIndex(loaded.instants, atMs)]
  return nearest === undefined ? state : moveGp(state, { type: 'cursorTo', atMs: nearest }, loaded)
}

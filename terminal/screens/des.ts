import { type Fact, type Period, periods } from '../../contracts/measures.ts'
import { renderChart } from '../charts/render-chart.ts'
import { formatSubject, type Subject } from '../command/subject.ts'
import { type ListState, listStart, moveInList, selectedIndexOf, topOf } from '../state/list-state.ts'
import type { LiveQuery, LiveSnapshot } from '../state/live-data.ts'
import { formatAge, formatInstant } from '../text/format.ts'
import { cellWidth } from '../text/width.ts'
import { ruleLine } from '../widgets/rule.ts'
import { chartLook, chartPoints, nameIn } from './chart-data.ts'
import { gpBounds, gpStateOf, seriesParams } from './gp-state.ts'
import { joinLine } from './join-line.ts'
import { noRowsBox, noSubjectBox, notLiveMark } from './live-notice.ts'
import { formatFact, formatMeasure } from './measure-text.ts'
import { type ActionCall, type ScreenDeps, type ScreenSpec, type ScreenView, screenFactory } from './screen.ts'

interface DesState {
  subject: Subject | null
  period: Period
  list: ListState
}

/** DES: everything known about one clip, creator or topic, each number with where it comes from. */
const desScreen: ScreenSpec<DesState> = {
  fn: 'DES',
  contexts: ['list'],
  open: ({ subject, args }) => ({
    subject,
    period: periods.find(each => each === args.period) ?? '24h',
    list: listStart,
  }),
  title: desTitle,
  queries: state => {
    const queries: LiveQuery[] = []
    const describing = describeQuery(state)
    if (describing !== null) queries.push(describing)
    const views = viewsQuery(state)
    if (views !== null) queries.push(views)
    return queries
  },
  draw: drawDes,
  act: actDes,
  subject: state => state.subject,
  follow: (state, subject) => ({ ...state, subject, list: listStart }),
  list(state, view) {
    const snapshot = readFacts(state, view)
    const columns = ['group', 'label', 'value', 'unit', 'state', 'source', 'observedAt', 'note']
    return { title: desTitle(state), columns, rows: snapshot?.rows ?? [], asOf: snapshot?.asOf ?? null }
  },
  known(state, view) {
    const title = nameIn(readFacts(state, view)?.rows ?? [])
    return state.subject === null || title === null ? [] : [{ subject: state.subject, title }]
  },
  copyText: state => (state.subject === null ? '' : formatSubject(state.subject)),
}

export const desFactory = screenFactory(desScreen)

function desTitle({ subject, period }: DesState): string {
  return `${subject === null ? '' : `${formatSubject(subject)} `}DES ${period.toUpperCase()}`
}

function describeQuery({ subject, period }: DesState): LiveQuery<'describe'> | null {
  if (subject === null || subject.type === 'search') return null
  return { name: 'describe', params: { type: `${subject.type}s`, id: subject.id, period } }
}

function viewsQuery({ subject, period }: DesState): LiveQuery<'series'> | null {
  if (subject === null) return null
  const params = seriesParams(gpStateOf({ subject, args: { period } }), subject)
  return params === null ? null : { name: 'series', params }
}

function readFacts(state: DesState, view: Pick<ScreenView, 'live'>): LiveSnapshot<'describe'> | null {
  const query = describeQuery(state)
  return query === null ? null : view.live(query)
}

/**
 * How the body is divided, above the foot: facts, and panels (course of views, map) beside them, or below them in a narrow
 * pane, where the facts take what they need and the panels the rest.
 */
function layOut({ width, height }: { width: number; height: number }, rows: readonly Fact[]) {
  const room = height - 1
  if (width >= 110) {
    const factsWidth = Math.floor(width * 0.62)
    return { isBeside: true, factsWidth, factsHeight: room, panelsWidth: width - factsWidth - 1, panelsHeight: room }
  }
  const groupCount = new Set(rows.map(fact => fact.group)).size
  const left = room - rows.length - groupCount - 1
  const panelsHeight = left >= 7 ? left : room >= 19 ? 7 : 0
  return { isBeside: false, factsWidth: width, factsHeight: room - panelsHeight, panelsWidth: width, panelsHeight }
}

function drawDes(state: DesState, view: ScreenView): string[] {
  const snapshot = readFacts(state, view)
  if (snapshot === null) return noSubjectBox(view, 'DES', state.subject)
  if (snapshot.rows.length === 0) return noRowsBox(view, snapshot, 'Nothing is known by this name.')
  const { rows } = snapshot
  const layout = layOut(view, rows)
  const selected = selectedIndexOf(state.list, rows)
  const facts = drawFacts(
    { rows, selected, list: state.list },
    { ...view, width: layout.factsWidth, height: layout.factsHeight },
  )
  const panels = drawPanels(state, rows, { ...view, width: layout.panelsWidth, height: layout.panelsHeight })
  const foot = provenanceLine(rows[selected], snapshot, view)
  return layout.isBeside ? [...facts.map((line, y) => `${line} ${panels[y] ?? ''}`), foot] : [...facts, ...panels, foot]
}

interface Facts {
  rows: readonly Fact[]
  selected: number
  list: ListState
}

/** Facts under the titles of their groups. Where there is room each line tells source and age; else the foot tells those of the selected one. */
function drawFacts({ rows, selected, list }: Facts, view: ScreenView): string[] {
  const { style, width, height } = view
  const lines: { text: string; fact: number }[] = []
  rows.forEach((fact, i) => {
    if (fact.group !== rows[i - 1]?.group)
      lines.push({ text: ruleLine(fact.group.toUpperCase(), { width, style }), fact: -1 })
    lines.push({ text: factLine(fact, i === selected, view), fact: i })
  })
  const selectedLine = lines.findIndex(line => line.fact === selected)
  // The first fact brings the title of its group with it.
  const first = selected === 0 ? 0 : topOf(list, selectedLine, lines.length, height)
  const blank = ' '.repeat(width)
  return Array.from({ length: height }, (_, y) => lines[first + y]?.text ?? blank)
}

function factLine(fact: Fact, isSelected: boolean, { style, width, dataNowMs }: ScreenView): string {
  const hasProvenance = width >= 64
  const labelWidth = Math.min(27, Math.floor(width * 0.3))
  const sourceWidth = hasProvenance ? Math.floor(width * 0.28) : 0
  const ageWidth = hasProvenance ? 6 : 0
  const valueWidth = width - labelWidth - sourceWidth - ageWidth - 2
  const label = style.fit(` ${fact.label}`, labelWidth)
  const value = style.fit(formatFact(fact), valueWidth)
  const source = style.fit(fact.source, Math.max(0, sourceWidth - 1))
  const age = style.fit(fact.observedAt === null ? '' : formatAge(fact.observedAt, dataNowMs), ageWidth, 'right')
  const gap = hasProvenance ? ' ' : ''
  // The foot tells where the selected one comes from, so that its value may take the whole line.
  if (isSelected) return style.inverse(`${label}  ${style.fit(formatFact(fact), width - labelWidth - 2)}`)
  const role = fact.value === null ? 'faint' : fact.unit === 'text' ? 'subject' : 'text'
  return `${style.paint('muted', label)}  ${style.paint(role, value)}${style.paint('faint', `${gap}${source}${age}`)}`
}

/** Where the selected number comes from: source, instant of the reading, and the definition behind it. */
function provenanceLine(fact: Fact | undefined, snapshot: LiveSnapshot, view: ScreenView): string {
  const { style, width, dataNowMs } = view
  if (fact === undefined) return ' '.repeat(width)
  const at =
    fact.observedAt === null
      ? ''
      : `read ${formatInstant(Date.parse(fact.observedAt))} UTC, ${formatAge(fact.observedAt, dataNowMs)} ago`
  const mark = notLiveMark(view, snapshot)
  const origin = fact.source || fact.label
  const source = style.fit(origin, Math.min(cellWidth(origin), 40))
  const room = width - cellWidth(source) - cellWidth(at) - cellWidth(mark) - 6
  const note = style.fit(fact.note, Math.max(0, Math.min(cellWidth(fact.note), room)))
  const parts = [style.paint('accent', source), style.paint('muted', at), style.paint('muted', note)]
  return joinLine(parts, mark, width)
}

const panelHeightMin = 9
const gaugeHeight = 7

/** The course of views, and where there is room the countries on a map or the engagement as a gauge. */
function drawPanels(state: DesState, facts: readonly Fact[], view: ScreenView): string[] {
  if (view.height === 0) return []
  const countries = countriesIn(facts)
  const engagement = facts.find(fact => fact.key === 'engagement')?.value
  const hasExtra = view.height >= 2 * panelHeightMin && (countries.length > 0 || typeof engagement === 'number')
  if (!hasExtra) return drawViews(state, view)
  const extraHeight = countries.length > 0 ? Math.floor(view.height / 2) : gaugeHeight
  const extra = { ...view, height: extraHeight }
  const chart = drawViews(state, { ...view, height: view.height - extraHeight })
  return [...chart, ...(countries.length > 0 ? drawMap(countries, extra) : drawGauge(Number(engagement), extra))]
}

function drawMap(countries: readonly string[], { style, width, height }: ScreenView): string[] {
  const count = style.paint('muted', String(countries.length))
  const head = joinLine([style.paint('muted', 'SEEN TRENDING IN')], count, width)
  return [head, ...renderChart('map', { ...chartLook(style), width, height: height - 1, data: { countries } })]
}

function drawGauge(share: number, { style, width, height }: ScreenView): string[] {
  const value = style.bold('text', formatMeasure('engagement', share))
  const head = joinLine([style.paint('muted', 'ENGAGEMENT'), value], '', width)
  return [head, ...renderChart('gauge', { ...chartLook(style), width, height: height - 1, data: { share } })]
}

function countriesIn(facts: readonly Fact[]): string[] {
  const value = facts.find(fact => fact.key === 'regions')?.value
  return typeof value === 'string' ? value.split(/[\s,;]+/).filter(code => /^[A-Z]{2}$/.test(code)) : []
}

/** The course of views over the screen's window. */
function drawViews(state: DesState, view: ScreenView): string[] {
  const { style, width, height } = view
  const query = viewsQuery(state)
  const snapshot = query === null ? null : view.live(query)
  const head = joinLine(
    [style.paint('muted', `VIEWS, LAST ${state.period.toUpperCase()}`)],
    style.paint('faint', 'c: chart'),
    width,
  )
  if (snapshot === null) return [head]
  const points = chartPoints(snapshot.rows)
  if (!points.some(point => point.value !== null))
    return [
      head,
      ...noRowsBox({ ...view, height: height - 1 }, snapshot, 'No reading in this window; p takes a longer one.'),
    ]
  const bounds = gpBounds(
    gpStateOf({ subject: state.subject, args: { period: state.period } }),
    snapshot.asOf === null ? view.dataNowMs : Date.parse(snapshot.asOf),
  )
  const look = chartLook(style)
  return [
    head,
    ...renderChart('line', {
      ...look,
      width,
      height: height - 1,
      data: { ...bounds, cursorAtMs: null, series: [{ points }] },
    }),
  ]
}

function actDes(state: DesState, call: ActionCall, deps: ScreenDeps): DesState | null {
  const rows = readFacts(state, deps)?.rows ?? []
  const pageRows = layOut(deps, rows).factsHeight
  const moved = moveInList(state.list, call.name, rows, pageRows)
  if (moved !== null) return { ...state, list: moved }
  switch (call.name) {
    case 'row.open':
    case 'row.chart':
      if (state.subject !== null) deps.run(`${formatSubject(state.subject)} GP VIEWS ${state.period.toUpperCase()}`)
      return state
    case 'period.next':
      return { ...state, period: step(state.period, 1) }
    case 'period.previous':
      return { ...state, period: step(state.period, -1) }
    default:
      return null
  }
}

function step(period: Period, by: 1 | -1): Period {
  return periods[(periods.indexOf(period) + by + periods.length) % periods.length] ?? period
}

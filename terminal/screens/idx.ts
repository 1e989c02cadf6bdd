import { type IndexRow, type Period, periodMs, periods } from '../../contracts/measures.ts'
import type { ChartPoint } from '../charts/plot.ts'
import { renderChart } from '../charts/render-chart.ts'
import { sparkline } from '../charts/sparkline.ts'
import { type ListState, listStart, moveInList, pressInList, selectedIndexOf, topOf } from '../state/list-state.ts'
import type { LiveQuery, LiveSnapshot } from '../state/live-data.ts'
import { formatCount, formatInstant, formatPercentChange } from '../text/format.ts'
import type { Style } from '../theme/style.ts'
import { type Cell, type Column, drawTable } from '../widgets/table.ts'
import { chartLook } from './chart-data.ts'
import { joinLine } from './join-line.ts'
import { noRowsBox, notLiveMark } from './live-notice.ts'
import { type ActionCall, type ScreenDeps, type ScreenSpec, type ScreenView, screenFactory } from './screen.ts'

const sorts = ['velocity', 'change', 'level', 'niche'] as const
const platformChoices = ['all', 'youtube', 'tiktok', 'instagram'] as const

interface IdxState {
  period: Period
  platform: (typeof platformChoices)[number]
  /** Only this niche, or null for all. */
  niche: string | null
  sort: (typeof sorts)[number]
  list: ListState
}

/** IDX: the clip index of every niche, with the course of the selected one. */
const idxScreen: ScreenSpec<IdxState> = {
  fn: 'IDX',
  contexts: ['list'],
  open: ({ args }) => ({
    period: periods.find(each => each === args.period) ?? '7d',
    platform: platformChoices.find(each => each === args.platform) ?? 'all',
    niche: args.niche ?? null,
    sort: 'velocity',
    list: listStart,
  }),
  title: idxTitle,
  queries: state => [indexQuery(state)],
  draw: drawIdx,
  act: actIdx,
  list(state, view) {
    const { asOf } = view.live(indexQuery(state))
    const columns = ['niche', 'label', 'level', 'changePct', 'velocity', 'constituents', 'baseAt', 'spark']
    return { title: idxTitle(state), columns, rows: sortedRows(state, view), asOf }
  },
  copyText: (state, view) => selectedRow(state, view)?.niche ?? '',
}

export const idxFactory = screenFactory(idxScreen)

function idxTitle(state: IdxState): string {
  const words = [
    'IDX',
    state.niche ?? '',
    state.period.toUpperCase(),
    state.platform === 'all' ? '' : state.platform.toUpperCase(),
  ]
  return words.filter(word => word !== '').join(' ')
}

function indexQuery(state: IdxState): LiveQuery<'index'> {
  const { period, platform, niche } = state
  return { name: 'index', params: { period, platform, ...(niche === null ? {} : { niche }) } }
}

function sortedRows(state: IdxState, view: Pick<ScreenView, 'live'>): readonly IndexRow[] {
  const { rows } = view.live(indexQuery(state))
  const by = (value: (row: IndexRow) => number | null) =>
    [...rows].sort((a, b) => (value(b) ?? -1e300) - (value(a) ?? -1e300))
  switch (state.sort) {
    case 'level':
      return by(row => row.level)
    case 'change':
      return by(row => row.changePct)
    case 'velocity':
      return by(row => row.velocity)
    case 'niche':
      return [...rows].sort((a, b) => (a.label < b.label ? -1 : 1))
  }
}

function selectedRow(state: IdxState, view: Pick<ScreenView, 'live'>): IndexRow | null {
  const rows = sortedRows(state, view)
  return rows[selectedIndexOf(state.list, rows)] ?? null
}

/** How the body is divided: the table, below it the course of the selected niche, and beside that its rivals where there is room. */
function layOut(rowCount: number, { width, height }: { width: number; height: number }) {
  const wanted = 2 + rowCount
  const chartHeight = height < 14 ? 0 : Math.max(8, height - wanted)
  const tableHeight = height - chartHeight
  const columnsWidth = width >= 100 && chartHeight >= 8 ? Math.floor(width * 0.36) : 0
  const donutWidth = width >= 150 && chartHeight >= 10 ? Math.floor(width * 0.22) : 0
  return { tableHeight, chartHeight, columnsWidth, donutWidth, chartWidth: width - columnsWidth - donutWidth }
}

function drawIdx(state: IdxState, view: ScreenView): string[] {
  const snapshot = view.live(indexQuery(state))
  const rows = sortedRows(state, view)
  if (rows.length === 0)
    return noRowsBox(
      view,
      snapshot,
      'No niche has enough clips for an index yet: import some history, or wait for readings.',
    )
  const selected = selectedIndexOf(state.list, rows)
  const layout = layOut(rows.length, view)
  const table = drawNiches(state, { rows, selected, snapshot }, { ...view, height: layout.tableHeight })
  const row = rows[selected]
  if (layout.chartHeight === 0 || row === undefined) return table
  const panels = [
    drawCourse(state, row, snapshot, { ...view, width: layout.chartWidth, height: layout.chartHeight }),
    drawRivals(rows, { ...view, width: layout.columnsWidth, height: layout.chartHeight }),
    drawShares(rows, { ...view, width: layout.donutWidth, height: layout.chartHeight }),
  ]
  const below = Array.from({ length: layout.chartHeight }, (_, y) => panels.map(lines => lines[y] ?? '').join(''))
  return [...table, ...below]
}

const numberCell = (value: number | null, text: (value: number) => string): Cell =>
  value === null ? { text: '-', role: 'faint' } : { text: text(value), role: 'text' }

function changeCell(percent: number | null, { glyphs }: Style): Cell {
  if (percent === null) return { text: '-', role: 'faint' }
  if (percent === 0) return { text: `${glyphs.flat} 0%`, role: 'muted' }
  const isUp = percent > 0
  return { text: `${isUp ? glyphs.up : glyphs.down} ${formatPercentChange(percent)}`, role: isUp ? 'up' : 'down' }
}

function nicheColumns(state: IdxState, sparkWidth: number): Column<IndexRow>[] {
  return [
    { title: 'NICHE', width: 8, flex: 1, cell: row => ({ text: row.label, role: 'subject' }) },
    {
      title: 'LEVEL',
      width: 8,
      align: 'right',
      isLive: true,
      cell: row => numberCell(row.level, level => level.toFixed(2)),
    },
    { title: 'CHANGE', width: 9, align: 'right', cell: (row, style) => changeCell(row.changePct, style) },
    { title: 'VIEWS/H', width: 8, align: 'right', fromWidth: 44, cell: row => numberCell(row.velocity, formatCount) },
    {
      title: 'CLIPS',
      width: 6,
      align: 'right',
      fromWidth: 50,
      cell: row => ({ text: String(row.constituents), role: 'muted' }),
    },
    {
      title: `COURSE ${state.period}`,
      width: sparkWidth,
      fromWidth: 64,
      cell: (row, style) => ({
        text: sparkline(stretch(row.spark, sparkWidth), sparkWidth, style.isAscii),
        role: 'accent',
      }),
    },
  ]
}

/** A few levels as many: each repeated as often as the width allows, so that seven days fill their column. */
function stretch(levels: readonly (number | null)[], width: number): (number | null)[] {
  const times = Math.max(1, Math.floor(width / Math.max(1, levels.length)))
  return levels.flatMap(level => new Array<number | null>(times).fill(level))
}

const sortTitles: Record<IdxState['sort'], string> = {
  level: 'LEVEL',
  change: 'CHANGE',
  velocity: 'VIEWS/H',
  niche: 'NICHE',
}

interface Niches {
  rows: readonly IndexRow[]
  selected: number
  snapshot: LiveSnapshot<'index'>
}

function drawNiches(state: IdxState, { rows, selected, snapshot }: Niches, view: ScreenView): string[] {
  const { style, width, height, nowMs, isFocused } = view
  const sparkWidth = Math.min(60, Math.max(16, Math.floor((width - 40) / 2)))
  const table = drawTable({
    rows,
    columns: nicheColumns(state, sparkWidth),
    width,
    height: height - 1,
    top: topOf(state.list, selected, rows.length, height - 2),
    selectedIndex: selected,
    hasFocus: isFocused,
    style,
    sortedBy: sortTitles[state.sort],
    changedAtMs: snapshot.changedAtMs,
    nowMs,
    cellKey: `${sparkWidth} ${state.period}`,
  })
  return [
    ...table,
    joinLine([style.paint('faint', ' 100 = the base day of each niche')], notLiveMark(view, snapshot), width),
  ]
}

/** The course of one niche: 100 at its base, then evenly spaced levels up to the instant of the data. */
function coursePoints(row: IndexRow, fromMs: number, toMs: number): ChartPoint[] {
  const baseMs = row.baseAt === null ? fromMs : Date.parse(row.baseAt)
  const stepMs = (toMs - baseMs) / Math.max(1, row.spark.length)
  return [{ atMs: baseMs, value: 100 }, ...row.spark.map((value, i) => ({ atMs: baseMs + (i + 1) * stepMs, value }))]
}

function drawCourse(state: IdxState, row: IndexRow, snapshot: LiveSnapshot, view: ScreenView): string[] {
  const { style, width, height } = view
  const toMs = snapshot.asOf === null ? view.dataNowMs : Date.parse(snapshot.asOf)
  const points = coursePoints(row, toMs - periodMs[state.period], toMs)
  const fromMs = points[0]?.atMs ?? toMs - periodMs[state.period]
  const base = row.baseAt === null ? '' : `base ${formatInstant(Date.parse(row.baseAt)).slice(0, 10)}`
  const head = joinLine(
    [style.bold('title', style.fit(row.label, Math.min(30, row.label.length))), style.paint('muted', base)],
    '',
    width,
  )
  if (!row.spark.some(level => level !== null))
    return [head, ...noRowsBox({ ...view, height: height - 1 }, snapshot, 'This niche has no level in this window.')]
  const data = { fromMs, toMs, cursorAtMs: null, series: [{ points }] }
  return [head, ...renderChart('line', { ...chartLook(style), width, height: height - 1, data })]
}

/** Which niches draw how many views an hour, the fastest first. */
function drawRivals(rows: readonly IndexRow[], { style, width, height }: ScreenView): string[] {
  if (width === 0) return []
  const columns = fastest(rows).map(row => ({
    label: row.niche,
    value: row.velocity ?? 0,
    shown: formatCount(row.velocity ?? 0),
  }))
  const head = joinLine([style.paint('muted', ' VIEWS AN HOUR')], '', width)
  return [head, ...renderChart('columns', { ...chartLook(style), width, height: height - 1, data: { columns } })]
}

/** The share of the fastest niche in the views of all. */
function drawShares(rows: readonly IndexRow[], { style, width, height }: ScreenView): string[] {
  if (width === 0) return []
  const total = rows.reduce((sum, row) => sum + Math.max(0, row.velocity ?? 0), 0)
  const parts = fastest(rows)
    .slice(0, 1)
    .map(row => ({ label: row.niche.slice(0, 16), share: total === 0 ? 0 : (row.velocity ?? 0) / total }))
  const head = joinLine([style.paint('muted', ' LARGEST SHARE')], '', width)
  return [head, ...renderChart('donut', { ...chartLook(style), width, height: height - 1, data: { parts } })]
}

function fastest(rows: readonly IndexRow[]): IndexRow[] {
  return rows.filter(row => (row.velocity ?? 0) > 0).sort((a, b) => (b.velocity ?? 0) - (a.velocity ?? 0))
}

function actIdx(state: IdxState, call: ActionCall, deps: ScreenDeps): IdxState | null {
  const rows = sortedRows(state, deps)
  const tableRows = layOut(rows.length, deps).tableHeight - 2
  const moved = moveInList(state.list, call.name, rows, tableRows)
  if (moved !== null) return { ...state, list: moved }
  switch (call.name) {
    case 'row.open':
    case 'row.chart': {
      const niche = selectedRow(state, deps)?.niche
      if (niche !== undefined) deps.run(`TOP NICHE=${niche} ${state.period.toUpperCase()}`)
      return state
    }
    case 'sort.next':
      return { ...state, sort: step(sorts, state.sort, 1) }
    case 'sort.previous':
      return { ...state, sort: step(sorts, state.sort, -1) }
    case 'period.next':
      return { ...state, period: step(periods, state.period, 1) }
    case 'period.previous':
      return { ...state, period: step(periods, state.period, -1) }
    case 'pointer.press':
      return { ...state, list: pressInList(state.list, (call.at?.y ?? 0) - 1, rows, tableRows) }
    default: {
      const platform = platformChoices.find(each => call.name === `platform.${each}`)
      return platform === undefined ? null : { ...state, platform }
    }
  }
}

function step<T>(choices: readonly T[], current: T, by: 1 | -1): T {
  return choices[(choices.indexOf(current) + by + choices.length) % choices.length] ?? current
}

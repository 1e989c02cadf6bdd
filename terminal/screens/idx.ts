import { type IndexRow, type Period, periodMs, periods } from '../../contracts/measures.ts'
import { renderChart } from '../charts/render-chart.ts'
import { sparkline } from '../charts/sparkline.ts'
import type { LiveQuery, LiveSnapshot } from '../state/live-data.ts'
import { formatCount, formatInstant, formatPercentChange } from '../text/format.ts'
import type { Style } from '../theme/style.ts'
import type { ColorRole } from '../theme/themes.ts'
import { chartDepth } from './gp.ts'
import { joinLine } from './join-line.ts'
import { noRowsBox, notLiveMark } from './live-notice.ts'
import { firstVisible, moveSelection, selectedIndex, selectionMoves } from './row-window.ts'
import { type ActionCall, type ScreenDeps, type ScreenSpec, type ScreenView, screenFactory } from './screen.ts'

const sorts = ['server', 'level', 'change', 'velocity', 'niche'] as const
const platformChoices = ['all', 'youtube', 'tiktok', 'instagram'] as const

interface IdxState {
  period: Period
  platform: (typeof platformChoices)[number]
  /** Only this niche, or null for all. */
  niche: string | null
  sort: (typeof sorts)[number]
  selectedKey: string | null
}

/** IDX: the clip index of every niche, with the course of the selected one. */
const idxScreen: ScreenSpec<IdxState> = {
  fn: 'IDX',
  contexts: ['list'],
  open: ({ args }) => ({
    period: periods.find(each => each === args.period) ?? '7d',
    platform: platformChoices.find(each => each === args.platform) ?? 'all',
    niche: args.niche ?? null,
    sort: 'server',
    selectedKey: null,
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
    case 'server':
      return rows
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
  return rows[selectedIndex(rows, state.selectedKey)] ?? null
}

/** How the body is divided: the table, below it the course of the selected niche, and beside that its rivals where there is room. */
function layOut(rowCount: number, { width, height }: { width: number; height: number }) {
  const wanted = 2 + rowCount
  const chartHeight = height < 14 ? 0 : Math.max(8, height - wanted)
  const tableHeight = height - chartHeight
  const columnsWidth = width >= 120 && chartHeight >= 8 ? Math.floor(width * 0.36) : 0
  const donutWidth = width >= 170 && chartHeight >= 10 ? Math.floor(width * 0.22) : 0
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
  const selected = selectedIndex(rows, state.selectedKey)
  const layout = layOut(rows.length, view)
  const table = drawTable(state, { rows, selected, snapshot }, { ...view, height: layout.tableHeight })
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

interface Column {
  title: string
  width: number
  cell(row: IndexRow, style: Style): { text: string; role: ColorRole }
}

const numberCell = (value: number | null, text: (value: number) => string, role: ColorRole = 'text') =>
  value === null ? { text: '-', role: 'faint' as const } : { text: text(value), role }

const tableColumns: readonly Column[] = [
  { title: 'LEVEL', width: 9, cell: row => numberCell(row.level, level => level.toFixed(2)) },
  {
    title: 'CHANGE',
    width: 11,
    cell: ({ changePct }, { glyphs }) =>
      changePct === null
        ? { text: '-', role: 'faint' }
        : changePct > 0
          ? { text: `${glyphs.up} ${formatPercentChange(changePct)}`, role: 'up' }
          : changePct < 0
            ? { text: `${glyphs.down} ${formatPercentChange(changePct)}`, role: 'down' }
            : { text: `${glyphs.flat} 0%`, role: 'muted' },
  },
  { title: 'VIEWS/H', width: 9, cell: row => numberCell(row.velocity, formatCount) },
  { title: 'CLIPS', width: 7, cell: row => ({ text: String(row.constituents), role: 'muted' }) },
]

interface Table {
  rows: readonly IndexRow[]
  selected: number
  snapshot: LiveSnapshot<'index'>
}

function drawTable(state: IdxState, { rows, selected, snapshot }: Table, view: ScreenView): string[] {
  const { style, width, height } = view
  const numbersWidth = tableColumns.reduce((sum, column) => sum + column.width, 0)
  const sparkWidth = width >= 70 ? Math.min(60, Math.floor((width - numbersWidth) / 2)) : 0
  const labelWidth = width - numbersWidth - (sparkWidth === 0 ? 0 : sparkWidth + 2)
  const heads = tableColumns.map(column => style.fit(column.title, column.width, 'right')).join('')
  const order = state.sort === 'server' ? '' : style.paint('muted', `by ${state.sort}`)
  const mark = notLiveMark(view, snapshot)
  const headLine = style.paint(
    'muted',
    `${style.fit('NICHE', labelWidth)}${heads}${sparkWidth === 0 ? '' : `  ${style.fit(`COURSE ${state.period}`, sparkWidth)}`}`,
  )
  const first = firstVisible(rows.length, height - 2, selected)
  const lines = rows.slice(first, first + height - 2).map((row, i) => {
    const label = style.fit(row.label, labelWidth)
    const cells = tableColumns.map(column => ({ ...column.cell(row, style), width: column.width }))
    const spark = sparkWidth === 0 ? '' : `  ${sparkline(row.spark, sparkWidth, style.isAscii)}`
    if (first + i === selected)
      return style.inverse(label + cells.map(cell => style.fit(cell.text, cell.width, 'right')).join('') + spark)
    const painted = cells.map(cell => style.paint(cell.role, style.fit(cell.text, cell.width, 'right'))).join('')
    return style.paint('subject', label) + painted + style.paint('accent', spark)
  })
  const foot = joinLine([style.paint('faint', '100 = the base day of each niche'), order], mark, width)
  const blank = ' '.repeat(width)
  return [headLine, ...Array.from({ length: height - 2 }, (_, y) => lines[y] ?? blank), foot]
}

/** The course of one niche. Its levels are evenly spaced over the window. */
function drawCourse(state: IdxState, row: IndexRow, snapshot: LiveSnapshot, view: ScreenView): string[] {
  const { style, width, height } = view
  const toMs = snapshot.asOf === null ? view.dataNowMs : Date.parse(snapshot.asOf)
  const fromMs = toMs - periodMs[state.period]
  const stepMs = (toMs - fromMs) / Math.max(1, row.spark.length - 1)
  const points = row.spark.map((value, i) => ({ atMs: fromMs + i * stepMs, value }))
  const base = row.baseAt === null ? '' : `base ${formatInstant(Date.parse(row.baseAt)).slice(0, 10)}`
  const head = joinLine(
    [style.bold('title', style.fit(row.label, Math.min(30, row.label.length))), style.paint('muted', base)],
    '',
    width,
  )
  const data = { fromMs, toMs, cursorAtMs: null, series: [{ points }] }
  return [head, ...renderChart('line', { ...look(style), width, height: height - 1, data })]
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
  return [head, ...renderChart('columns', { ...look(style), width, height: height - 1, data: { columns } })]
}

/** The share of the fastest niche in the views of all. */
function drawShares(rows: readonly IndexRow[], { style, width, height }: ScreenView): string[] {
  if (width === 0) return []
  const total = rows.reduce((sum, row) => sum + Math.max(0, row.velocity ?? 0), 0)
  const parts = fastest(rows)
    .slice(0, 1)
    .map(row => ({ label: row.niche.slice(0, 16), share: total === 0 ? 0 : (row.velocity ?? 0) / total }))
  const head = joinLine([style.paint('muted', ' LARGEST SHARE')], '', width)
  return [head, ...renderChart('donut', { ...look(style), width, height: height - 1, data: { parts } })]
}

function fastest(rows: readonly IndexRow[]): IndexRow[] {
  return rows.filter(row => (row.velocity ?? 0) > 0).sort((a, b) => (b.velocity ?? 0) - (a.velocity ?? 0))
}

function look(style: Style) {
  return { theme: style.theme.chart, depth: chartDepth(style), ascii: style.isAscii }
}

function actIdx(state: IdxState, call: ActionCall, deps: ScreenDeps): IdxState | null {
  const rows = sortedRows(state, deps)
  const tableRows = layOut(rows.length, deps).tableHeight - 2
  if (selectionMoves.includes(call.name))
    return { ...state, selectedKey: moveSelection(rows, state.selectedKey, call.name, tableRows) }
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
    case 'pointer.wheelUp':
      return { ...state, selectedKey: moveSelection(rows, state.selectedKey, 'move.up', tableRows) }
    case 'pointer.wheelDown':
      return { ...state, selectedKey: moveSelection(rows, state.selectedKey, 'move.down', tableRows) }
    case 'pointer.press': {
      const y = (call.at?.y ?? 0) - 1
      if (y < 0 || y >= tableRows) return state
      const first = firstVisible(rows.length, tableRows, selectedIndex(rows, state.selectedKey))
      return { ...state, selectedKey: rows[first + y]?.key ?? state.selectedKey }
    }
    default: {
      const platform = platformChoices.find(each => call.name === `platform.${each}`)
      return platform === undefined ? null : { ...state, platform }
    }
  }
}

function step<T>(choices: readonly T[], current: T, by: 1 | -1): T {
  return choices[(choices.indexOf(current) + by + choices.length) % choices.length] ?? current
}

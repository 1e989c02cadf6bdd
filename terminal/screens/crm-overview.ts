import { type Kpi, type KpiName, kpiNames, type Performance } from '../../contracts/crm.ts'
import { renderChart } from '../charts/render-chart.ts'
import { selectedIndexOf, topOf } from '../state/list-state.ts'
import { formatInstant } from '../text/format.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { chartLook } from './chart-data.ts'
import { platformTitles } from './credential-kinds.ts'
import { type AccountRow, type CrmPerformance, performanceResource } from './crm-resources.ts'
import type { CrmState } from './crm-state.ts'
import { joinLine } from './join-line.ts'
import { formatKpi, kpiCell, kpiChange, kpiTitles } from './kpi-text.ts'
import { noticeBox } from './live-notice.ts'
import { noResourceBox } from './resource-notice.ts'
import type { ScreenView } from './screen.ts'

const chartFromHeight = 15

/** Tiles, the course of one measure, and the accounts: exactly `view.height` lines. */
export function drawOverview(state: CrmState, view: ScreenView): string[] {
  const resource = view.resource(performanceResource(state))
  const { body } = resource
  if (body === null || body.accounts.length === 0)
    return noResourceBox(view, resource, 'No account is linked yet: KEYS links one; its numbers come by themselves.')
  const tiles = drawTiles(body.total.kpis, state.kpi, view)
  const { chartHeight, tableHeight } = layOverview(body.accounts.length, view.height)
  const chart = chartHeight === 0 ? [] : drawCourse(state.kpi, body, { ...view, height: chartHeight })
  return [...tiles, ...chart, ...drawAccounts(state, body.accounts, { ...view, height: tableHeight })].slice(
    0,
    view.height,
  )
}

/** How the lines below the tiles are shared out. */
export function layOverview(accountCount: number, height: number): { chartHeight: number; tableHeight: number } {
  const room = Math.max(2, height - 3)
  if (height < chartFromHeight) return { chartHeight: 0, tableHeight: room }
  const chartHeight = Math.max(8, room - accountCount - 2)
  return { chartHeight, tableHeight: room - chartHeight }
}

function drawTiles(kpis: Readonly<Record<KpiName, Kpi>>, selected: KpiName, { style, width }: ScreenView): string[] {
  const cells = Math.max(4, Math.min(16, Math.floor((width - 1) / kpiNames.length)))
  const line = (cell: (name: KpiName) => string) => {
    const used = 1 + cells * kpiNames.length
    return ` ${kpiNames.map(cell).join('')}${' '.repeat(Math.max(0, width - used))}`
  }
  const inTile = (text: string) => style.fit(text, cells - 1)
  return [
    line(name => {
      const title = inTile(kpiTitles[name])
      return `${name === selected ? style.inverse(title) : style.paint('muted', title)} `
    }),
    line(name => {
      const cell = kpiCell(name, kpis[name])
      return `${style.bold(cell.role === 'text' ? 'subject' : cell.role, inTile(cell.text))} `
    }),
    line(name => {
      const cell = kpiChange(kpis[name], style)
      return `${style.paint(cell.role, inTile(cell.text))} `
    }),
  ]
}

/** The course of one measure; a step without a reading is a gap. */
function drawCourse(
  kpi: KpiName,
  body: Pick<Performance, 'from' | 'asOf' | 'bucket' | 'total'>,
  view: ScreenView,
): string[] {
  const { style, width, height } = view
  const points = body.total.series[kpi].map(({ at, value }) => ({ atMs: Date.parse(at), value }))
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]))
  const head = joinLine(
    [
      ` ${style.bold('title', kpi.toUpperCase())}`,
      style.paint('muted', body.bucket === '1h' ? 'each hour' : 'each day'),
      values.length === 0 ? '' : style.paint('text', `high ${formatKpi(kpi, Math.max(...values))}`),
      values.length === points.length ? '' : style.paint('faint', gapText(points.length - values.length)),
    ],
    style.paint('muted', `as of ${formatInstant(Date.parse(body.asOf))} UTC`),
    width,
  )
  if (values.length === 0) {
    const notice = { role: 'muted', head: 'No reading', text: `No ${kpi} were read in this period.` } as const
    return [head, ...noticeBox({ ...view, height: height - 1 }, notice)]
  }
  const only = values.length === 1 ? points.find(({ value }) => value !== null) : undefined
  if (only !== undefined && only.value !== null) {
    const text = `${formatKpi(kpi, only.value)} at ${formatInstant(only.atMs)} UTC: a course needs two.`
    return [head, ...noticeBox({ ...view, height: height - 1 }, { role: 'muted', head: 'One value yet', text })]
  }
  const [fromMs, toMs] = [Date.parse(body.from), Date.parse(body.asOf)]
  const data = { fromMs, toMs: Math.max(toMs, fromMs + 1), cursorAtMs: null, series: [{ points }] }
  return [head, ...renderChart('line', { ...chartLook(style), width, height: height - 1, data })]
}

function gapText(count: number): string {
  return count === 1 ? '1 gap' : `${count} gaps`
}

const accountColumns: readonly Column<AccountRow>[] = [
  {
    title: 'ACCOUNT',
    width: 12,
    flex: 1,
    cell: ({ account }) => ({ text: account.name || account.handle || account.platformAccountId, role: 'subject' }),
  },
  {
    title: 'ON',
    width: 9,
    fromWidth: 72,
    cell: ({ account }) => ({ text: platformTitles[account.platform], role: 'muted' }),
  },
  kpiColumn('followers', 0),
  kpiColumn('views', 0),
  kpiColumn('likes', 58),
  kpiColumn('comments', 66),
  kpiColumn('shares', 84),
  kpiColumn('saves', 92),
  kpiColumn('engagement', 46),
  {
    title: 'CHANGE',
    width: 8,
    align: 'right',
    fromWidth: 76,
    cell: ({ kpis }, style) => kpiChange(kpis.views, style),
  },
]

function kpiColumn(name: KpiName, fromWidth: number): Column<AccountRow> {
  return {
    title: kpiTitles[name],
    width: 7,
    align: 'right',
    fromWidth,
    cell: ({ kpis }) => kpiCell(name, kpis[name]),
  }
}

function drawAccounts(state: CrmState, rows: CrmPerformance['accounts'], view: ScreenView): string[] {
  const selectedIndex = selectedIndexOf(state.accounts, rows)
  return drawTable({
    rows,
    columns: accountColumns,
    width: view.width,
    height: view.height,
    top: topOf(state.accounts, selectedIndex, rows.length, Math.max(1, view.height - 1)),
    selectedIndex,
    hasFocus: view.isFocused,
    style: view.style,
    nowMs: view.nowMs,
    cellKey: 'accounts',
  })
}

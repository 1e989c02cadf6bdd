import type { AlertCondition, Backtest } from '../../contracts/alerts.ts'
import type { ChartPoint } from '../charts/plot.ts'
import { type ChartOptions, chartTimeAt, renderChart } from '../charts/render-chart.ts'
import { type ListState, selectedIndexOf, topOf } from '../state/list-state.ts'
import { formatInstant, formatSpan } from '../text/format.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { levelText, limitOf } from './alrt-text.ts'
import { chartLook } from './chart-data.ts'
import { joinLine } from './join-line.ts'
import { noticeBox } from './live-notice.ts'
import type { ScreenView } from './screen.ts'

/** A rule that was tried on the past. */
export interface Trial {
  name: string
  condition: AlertCondition
  /** Null while the server works. */
  result: TrialResult | null
  /** Ends the server's work. */
  stop: AbortController
}

export interface TrialResult extends Backtest {
  rows: readonly TrialRow[]
}
export type TrialRow = Backtest['firings'][number] & { key: string }

/** The answer with a key for each row. */
export function trialResult(answer: Backtest): TrialResult {
  return { ...answer, rows: answer.firings.map((row, index) => ({ ...row, key: `${row.at} ${index}` })) }
}

const columns = (condition: AlertCondition): readonly Column<TrialRow>[] => [
  { title: 'AT', width: 16, cell: row => ({ text: formatInstant(Date.parse(row.at)), role: 'muted' }) },
  {
    title: 'VALUE',
    width: 9,
    align: 'right',
    cell: row => ({ text: levelText(condition, row.value), role: 'accent' }),
  },
  { title: 'ROWS', width: 4, align: 'right', cell: row => ({ text: String(row.rowCount), role: 'muted' }) },
  { title: 'WHAT IT WOULD HAVE TOLD', width: 20, flex: 1, cell: row => ({ text: row.sentence, role: 'subject' }) },
]

/** Lines of the chart with its marks; the table has the rest. */
function chartHeightOf(height: number): number {
  return height < 14 ? 0 : Math.floor(height * 0.45)
}

/** Rows of the table of what a trial found. */
export function trialRowCount({ height }: Pick<ScreenView, 'height'>): number {
  return Math.max(1, height - chartHeightOf(height) - 2)
}

/** The course of what the rule read with a mark at each firing, and below it the firings. */
export function drawTrial(trial: Trial, list: ListState, view: ScreenView): string[] {
  const { style, width, height, nowMs } = view
  const { result, condition } = trial
  if (result === null)
    return noticeBox(view, {
      role: 'muted',
      head: `${style.glyphs.ring} Trying ${trial.name}`,
      text: 'The server reads the past; Esc stops it.',
    })
  const chartHeight = chartHeightOf(height)
  const chart = chartHeight === 0 ? [] : drawCourse(condition, result, { ...view, height: chartHeight })
  const { rows } = result
  const tableHeight = height - chartHeight - 1
  const selectedIndex = selectedIndexOf(list, rows)
  const table =
    rows.length === 0
      ? noticeBox(
          { ...view, height: tableHeight },
          {
            role: 'text',
            head: `${style.glyphs.flat} It would not have fired`,
            text: 'Take another value, or a longer past.',
          },
        )
      : drawTable({
          rows,
          columns: columns(condition),
          width,
          height: tableHeight,
          top: topOf(list, selectedIndex, rows.length, Math.max(1, tableHeight - 1)),
          selectedIndex,
          hasFocus: view.isFocused,
          style,
          nowMs,
          cellKey: `trial ${condition.kind}`,
        })
  return [...chart, ...table, footOf(result, view)].slice(0, height)
}

function footOf(result: TrialResult, { style, width }: ScreenView): string {
  const span = `${formatInstant(Date.parse(result.from))} to ${formatInstant(Date.parse(result.to))}`
  const cut = result.isCut ? style.paint('warn', 'cut short: it took too long') : ''
  const steps = `${result.steps} steps of ${formatSpan(result.stepSeconds * 1000)}`
  const count = result.rows.length === 1 ? '1 firing' : `${result.rows.length} firings`
  return joinLine(
    [style.paint('accent', ` ${count}`), style.paint('muted', span), style.paint('muted', steps), cut],
    style.paint('muted', 'Enter describes  Esc back '),
    width,
  )
}

function drawCourse(condition: AlertCondition, result: TrialResult, view: ScreenView): string[] {
  const { style, width, height } = view
  const points: ChartPoint[] = result.points.map(({ at, value }) => ({ atMs: Date.parse(at), value }))
  const fromMs = Date.parse(result.from)
  const toMs = Date.parse(result.to)
  const limit = limitOf(condition)
  const level: ChartPoint[] = limit === null ? [] : [fromMs, toMs].map(atMs => ({ atMs, value: limit }))
  const series = [{ points }, ...(level.length === 0 ? [] : [{ points: level }])]
  const options: ChartOptions<'line'> = {
    ...chartLook(style),
    width,
    height: height - 1,
    data: { fromMs, toMs, cursorAtMs: null, series },
  }
  return [...renderChart('line', options), markLine(options, result, view)]
}

/** A mark under each column of the chart in which the rule fired. */
function markLine(options: ChartOptions<'line'>, result: TrialResult, { style, width }: ScreenView): string {
  const firedMs = result.rows.map(({ at }) => Date.parse(at))
  const times = Array.from({ length: width }, (_, x) => chartTimeAt('line', options, x))
  const marks = times.map((atMs, x) => {
    if (atMs === null) return ' '
    const before = times[x - 1] ?? null
    const isMarked = firedMs.some(fired => fired <= atMs && (before === null ? fired >= atMs : fired > before))
    return isMarked ? (style.isAscii ? '^' : '▲') : ' '
  })
  return style.bold('warn', marks.join(''))
}

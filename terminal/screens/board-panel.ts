import type { Panel } from '../../contracts/dashboards.ts'
import { type ListState, selectedIndexOf, topOf } from '../state/list-state.ts'
import { cellWidth, truncate } from '../text/width.ts'
import { drawTable } from '../widgets/table.ts'
import type { PanelAnswer, PanelRow } from './board-answers.ts'
import { drawPicture } from './board-charts.ts'
import { isListPanel, type ListPanel, listColumns } from './board-lists.ts'
import { reduceRows } from './board-values.ts'
import { noRowsBox, noticeBox, notLiveMark } from './live-notice.ts'
import type { ScreenView } from './screen.ts'

/** What a panel is drawn from. `answer` null: what it is about is not chosen yet. */
export interface PanelLook {
  panel: Panel
  answer: PanelAnswer | null
  list: ListState
  hasFocus: boolean
}

/** The rows that a panel shows. */
export function shownRows(panel: Panel, answer: PanelAnswer | null): readonly PanelRow[] {
  const rows = answer?.rows ?? []
  return panel.rows === undefined ? rows : rows.slice(0, panel.rows)
}

/** A panel: its title on a rule, and what its rows are drawn as; without rows, why there are none. */
export function drawPanel(look: PanelLook, view: ScreenView): string[] {
  const { panel, answer } = look
  const body = { ...view, height: Math.max(0, view.height - 1) }
  return [titleLine(look, view), ...drawBody(panel, answer, look, body)].slice(0, view.height)
}

function drawBody(panel: Panel, answer: PanelAnswer | null, look: PanelLook, view: ScreenView): string[] {
  if (answer === null)
    return noticeBox(view, { role: 'muted', head: 'Nothing is chosen', text: 'i chooses what the board is about.' })
  const rows = shownRows(panel, answer)
  const isCount = panel.kind === 'number' && panel.options.reduce === 'count' && answer.status === 'live'
  if (rows.length === 0 && !isCount) return noRowsBox(view, answer, panel.empty ?? 'There are no such rows.')
  if (isListPanel(panel)) return drawList(panel, { ...answer, rows }, look, view)
  if (!isCount && hasNoNumber(panel, rows))
    return noticeBox(view, {
      role: 'text',
      head: `${view.style.glyphs.flat} No number`,
      text: panel.empty ?? 'Its rows have none yet.',
    })
  return drawPicture(panel, rows, view)
}

/** A panel of one number says why it has none, as one without rows does. */
function hasNoNumber(panel: Panel, rows: readonly PanelRow[]): boolean {
  if (panel.kind !== 'number' && panel.kind !== 'gauge') return false
  return reduceRows(rows, panel.options.value, panel.options.reduce) === null
}

/** A rule with the title in it, and at its end what is wrong with the rows: in full where there is room, else in a word. */
function titleLine({ panel, answer, hasFocus }: PanelLook, view: ScreenView): string {
  const { style, width } = view
  const mark = answer === null || answer.rows.length === 0 ? '' : markOf(answer, view)
  const room = Math.max(1, width - 3 - (mark === '' ? 0 : cellWidth(mark) + 1))
  const text = truncate(panel.title, room, style.glyphs.ellipsis)
  const title = hasFocus ? style.inverse(style.bold('title', ` ${text} `)) : style.paint('title', ` ${text} `)
  const { line } = style.glyphs
  const rule = style.paint('faint', line.repeat(Math.max(0, room - cellWidth(text))))
  return `${style.paint('faint', line)}${title}${rule}${mark === '' ? '' : ` ${mark}`}`
}

const markWords = { live: '', loading: 'loading', stale: 'STALE', disconnected: 'OFFLINE', error: 'REFUSED' } as const

function markOf(answer: PanelAnswer, view: ScreenView): string {
  const full = notLiveMark(view, answer)
  if (cellWidth(full) <= view.width / 2) return full
  const word = markWords[answer.status]
  return word.length <= view.width / 2 ? view.style.paint('error', word) : ''
}

function drawList(panel: ListPanel, answer: PanelAnswer, { list, hasFocus }: PanelLook, view: ScreenView): string[] {
  const { style, width, nowMs, dataNowMs } = view
  const selected = selectedIndexOf(list, answer.rows)
  const headHeight = headHeightOf(panel)
  const height = view.height + 1 - headHeight
  const lines = drawTable({
    rows: answer.rows,
    columns: listColumns(panel, answer, view),
    width,
    height,
    top: topOf(list, selected, answer.rows.length, Math.max(1, height - 1)),
    selectedIndex: hasFocus ? selected : -1,
    hasFocus,
    style,
    sortedBy: null,
    changedAtMs: answer.changedAtMs,
    nowMs,
    // Bars depend on the largest of all values, ages on the hour.
    cellKey: `${panel.id} ${Math.floor(dataNowMs / 3_600_000)} ${scaleKey(panel, answer.rows)}`,
  })
  return lines.slice(1 - headHeight)
}

/** Lines above the rows: only a table names its columns, of the others the panel's title says enough. */
export function headHeightOf(panel: ListPanel): 0 | 1 {
  return panel.kind === 'table' ? 1 : 0
}

function scaleKey(panel: ListPanel, rows: readonly PanelRow[]): string {
  if (panel.kind !== 'bar') return ''
  return String(Math.max(...rows.map(row => Math.abs(Number(row.values[panel.options.value]) || 0))))
}

import type { QueryResultState } from '../net/query-results.ts'
import type { LiveQuery } from '../state/live-data.ts'
import { clean, cleanLines } from '../text/clean.ts'
import { formatBytes, formatCount } from '../text/format.ts'
import { sqlStatements } from '../text/sql-tokens.ts'
import { linesOf } from '../text/text-buffer.ts'
import { cellWidth, takeCells, wrap } from '../text/width.ts'
import type { ColorRole } from '../theme/themes.ts'
import { drawCandidates } from '../widgets/footer.ts'
import { drawGrid, type GridSource } from '../widgets/grid.ts'
import { drawTextEditor } from '../widgets/text-editor.ts'
import { joinLine } from './join-line.ts'
import type { ScreenView } from './screen.ts'
import { drawSqlChart } from './sql-chart.ts'
import { candidatesOf } from './sql-edit.ts'
import { placeSqlForm } from './sql-forms.ts'
import { layoutSql, type SqlLayout } from './sql-layout.ts'
import { drawPicker } from './sql-picker.ts'
import { catalogResource } from './sql-resources.ts'
import {
  bufferOf,
  isChanged,
  liveQueryOf,
  problemSpan,
  resultOf,
  type SqlState,
  sourceOf,
  statementToRun,
} from './sql-state.ts'
import { drawVersions } from './sql-versions.ts'

const candidateRowsMax = 8
/** What the screens show: a replay is not in `v`. */
export const worldOfSql: LiveQuery<'world'> = { name: 'world', params: {} }
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧']

/** The body: exactly `height` lines of `width` cells. */
export function drawSql(state: SqlState, view: ScreenView): string[] {
  const { panel } = state
  if (panel?.kind === 'form') return placeSqlForm(panel, state, view).lines
  if (panel?.kind === 'history' || panel?.kind === 'open') return drawPicker(panel, view)
  if (panel?.kind === 'versions' && state.saved !== null) return drawVersions(state.saved, panel, view)
  const layout = layoutSql(state, view)
  const lines = [
    ...editorOf(state, view, layout).lines,
    statusLine(state, view),
    ...drawLower(state, view, layout),
    footLine(state, view),
  ]
  return withCandidates(lines, state, view, layout).slice(0, view.height)
}

/** The text as it is drawn, and where its cursor stands. */
export function editorOf(state: SqlState, view: ScreenView, layout: SqlLayout) {
  const buffer = bufferOf(state, view)
  const place = resultOf(state, view)?.place ?? null
  return drawTextEditor({
    buffer,
    top: state.top,
    width: view.width,
    height: layout.editorHeight,
    hasFocus: view.isFocused && state.zone === 'editor',
    style: view.style,
    current: sqlStatements(buffer.text).length > 1 ? statementToRun(buffer) : null,
    problem: state.run === null || place === null ? null : problemSpan(buffer.text, state.run, place),
    hint: 'SELECT … FROM v.…   begin to type; Tab completes, Ctrl-J runs',
  })
}

/** Completions lie over what is below the text. */
function withCandidates(lines: string[], state: SqlState, view: ScreenView, layout: SqlLayout): string[] {
  const candidates = candidatesOf(state, view)
  if (candidates.length === 0) return lines
  const room = Math.min(candidateRowsMax, view.height - layout.statusY)
  const drawn = drawCandidates(candidates, state.completion?.selected ?? -1, room, view)
  return lines.map((line, y) => drawn[y - layout.statusY] ?? line)
}

// What was run, and how it went

function statusLine(state: SqlState, view: ScreenView): string {
  const { style, width } = view
  const rule = (text: string, role: ColorRole) => style.paint(role, text)
  const name =
    state.saved === null
      ? ''
      : `${state.saved.name} v${state.saved.version}${isChanged(state, view) ? ' changed' : ''}${state.saved.visibility === 'private' ? '' : ` ${state.saved.visibility}`}`
  const right =
    name === '' ? '' : style.paint('subject', ` ${style.fit(name, Math.min(cellWidth(name), Math.floor(width / 3)))} `)
  const result = resultOf(state, view)
  const edge = style.paint('faint', style.glyphs.line.repeat(2))
  if (result === null) return joinLine([edge + rule(' nothing was run yet ', 'faint')], right, width)
  const [text, role] = state.isLive ? liveText(state, view) : resultText(result, view)
  return joinLine([edge + rule(` ${style.fit(text, Math.min(cellWidth(text), width - 6))} `, role)], right, width)
}

function liveText(state: SqlState, view: ScreenView): [string, ColorRole] {
  if (state.run === null) return ['', 'muted']
  const live = view.liveSql(liveQueryOf(state.run))
  if (live.status === 'error') return [`! ${live.message}`, 'error']
  if (live.status === 'loading') return ['live: waiting for the first rows', 'muted']
  const count = `live  ${rowsText(live.rows.length)}`
  return live.status === 'live' ? [count, 'good'] : [`${count}  ${live.message}`, 'warn']
}

function resultText(result: QueryResultState, { nowMs, style }: ScreenView): [string, ColorRole] {
  const { status, rowCount, statistics } = result
  const elapsedSec = ((result.endedAtMs ?? nowMs) - result.startedAtMs) / 1000
  const rows = rowsText(rowCount)
  const read =
    statistics.rowsRead === 0
      ? ''
      : `read ${formatCount(statistics.rowsRead)} rows ${formatBytes(statistics.bytesRead)}`
  const figures = [rows, `${elapsedSec.toFixed(elapsedSec < 10 ? 2 : 1)} s`, read]
    .filter(text => text !== '')
    .join('  ')
  switch (status) {
    case 'running': {
      const mark =
        style.isAscii || style.isReducedMotion ? '*' : (spinner[Math.floor(nowMs / 100) % spinner.length] ?? '*')
      return [`${mark} running  ${figures}  Esc cancels`, 'accent']
    }
    case 'done':
      return [figures, 'good']
    case 'stopped':
      return [`${result.message} ${figures}`, 'warn']
    case 'failed': {
      return [`! ${result.message}`, 'error']
    }
  }
}

function rowsText(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'row' : 'rows'}`
}

// Below it

function drawLower(state: SqlState, view: ScreenView, layout: SqlLayout): string[] {
  const { style, width } = view
  const { height } = layout.lower
  const { panel } = state
  if (panel?.kind === 'cell') return drawCell(state, panel.top, { ...view, height })
  if (panel?.kind === 'plan') return drawText(panel.lines, panel.top, { ...view, height })
  const result = resultOf(state, view)
  const source = sourceOf(state, view)
  if (result === null) return drawGuide({ ...view, height })
  if (result.status === 'failed' && result.rowCount === 0 && !state.isLive)
    return drawFailure(result.message, { ...view, height })
  if (source === null) return squared([], { width, height })
  if (source.rowCount === 0 && (state.isLive || result.status === 'done')) return drawNoRows({ ...view, height })
  const grid = drawGrid({
    source,
    grid: state.grid,
    width: layout.gridWidth,
    height,
    hasFocus: view.isFocused && state.zone === 'grid',
    style,
    found: state.search.toLowerCase(),
  })
  if (layout.chart === null || state.chart === null) return grid
  const chart = drawSqlChart(state.chart, source, { width: layout.chart.width, height, style })
  if (layout.gridWidth === 0) return chart
  const bar = style.paint('faint', style.glyphs.bar)
  return grid.map((line, y) => `${line}${bar}${chart[y] ?? ''}`)
}

/** What can be read, and how to begin. */
function drawGuide(view: ScreenView): string[] {
  const { style, width } = view
  const catalog = view.resource(catalogResource)
  const tables = (catalog.body?.schemas ?? []).flatMap(schema =>
    schema.tables.map(({ name, comment }) => `${schema.name}.${name}  ${comment}`),
  )
  const unread = catalog.message === '' ? 'Asking what can be read…' : catalog.message
  const said = [
    'Ctrl-J, F9 or Alt-Enter runs the statement at the cursor. Ctrl-O: saved queries.',
    tables.length === 0 ? unread : 'What can be read; v is public, mine is yours:',
  ]
  const lines = [
    ...said.flatMap(text =>
      wrap(text, Math.max(10, width - 2)).map(line => style.paint('muted', style.fit(` ${line}`, width))),
    ),
    ...tables.map(text => style.paint('text', style.fit(` ${text}`, width))),
  ]
  return squared(lines, view)
}

/** A replay is shown everywhere but here, which is no fault of the SQL. */
function drawNoRows(view: ScreenView): string[] {
  const { style, width } = view
  const isReplay = view.live(worldOfSql).rows[0]?.mode === 'replay'
  const text = isReplay
    ? 'No rows. What is replayed on the other screens is not in v: that holds what was imported or read from the platforms. Import a data set (cliptape import), or link a source in KEYS.'
    : 'No rows.'
  return squared(
    wrap(text, Math.max(10, width - 4)).map(line => style.paint('text', style.fit(`  ${line}`, width))),
    view,
  )
}

function drawFailure(text: string, view: ScreenView): string[] {
  const { style, width } = view
  const lines = wrap(text, Math.max(10, width - 4))
  return squared(
    lines.map(line => style.paint('error', style.fit(`  ${line}`, width))),
    view,
  )
}

/** Lines of the selected cell, wrapped where they are too long. */
export function cellLines(state: SqlState, view: Pick<ScreenView, 'result' | 'liveSql' | 'width'>): string[] {
  const source = sourceOf(state, view)
  const row = source?.rows(state.grid.row, 1)[0]
  const cell = row?.[state.grid.column]
  if (source === null || row === undefined) return []
  const text =
    cell === null || cell === undefined
      ? 'NULL'
      : typeof cell === 'string'
        ? cleanLines(cell)
        : cleanLines(typeof cell === 'object' ? JSON.stringify(cell, null, 2) : String(cell))
  return linesOf(text).flatMap(line => wrapped(line, Math.max(1, view.width - 2)))
}

/** Cut anywhere: a cell is not only words. */
function wrapped(line: string, width: number): string[] {
  const lines: string[] = []
  let rest = line
  do {
    const part = takeCells(rest, width)
    // A character wider than the width goes all the same.
    const taken = part === '' ? [...rest].slice(0, 1).join('') : part
    lines.push(taken)
    rest = rest.slice(taken.length)
  } while (rest !== '')
  return lines
}

function drawCell(state: SqlState, top: number, view: ScreenView): string[] {
  const { style, width } = view
  const source: GridSource | null = sourceOf(state, view)
  const column = source?.columns[state.grid.column]
  const head = `Row ${(state.grid.row + 1).toLocaleString('en-US')}, ${column?.name ?? ''} ${column?.type ?? ''}`
  return [
    style.bold('title', style.fit(` ${clean(head)}`, width)),
    ...drawText(cellLines(state, view), top, { ...view, height: view.height - 1 }),
  ]
}

function drawText(lines: readonly string[], top: number, view: ScreenView): string[] {
  const { style, width } = view
  return squared(
    lines.slice(top, top + view.height).map(line => style.paint('subject', style.fit(` ${line}`, width))),
    view,
  )
}

function squared(lines: readonly string[], { width, height }: Pick<ScreenView, 'width' | 'height'>): string[] {
  return Array.from({ length: Math.max(0, height) }, (_, y) => lines[y] ?? ' '.repeat(Math.max(0, width)))
}

function footLine(state: SqlState, view: ScreenView): string {
  const { style, width } = view
  const source = sourceOf(state, view)
  const column = source?.columns[state.grid.column]
  const place =
    source === null || column === undefined || source.rowCount === 0
      ? ''
      : ` row ${(state.grid.row + 1).toLocaleString('en-US')} of ${source.rowCount.toLocaleString('en-US')}  ${column.name} ${column.type}`
  const keys = footKeys(state, width)
  const text = style.fit(place, Math.min(cellWidth(place), Math.max(0, width - cellWidth(keys) - 3)))
  return joinLine([style.paint('muted', text === '' ? ' ' : text)], style.paint('muted', `${keys} `), width)
}

function footKeys(state: SqlState, width: number): string {
  if (state.isDeleting) return '! D again deletes this saved query   Esc keeps it'
  if (state.panel?.kind === 'cell' || state.panel?.kind === 'plan') return 'y copy   j k scroll   Esc back'
  if (state.zone === 'editor') return 'Esc to the rows'
  return width < 100
    ? 'i edit  c chart  s save  e export  ? keys'
    : 'i edit  r run  c chart  s save  u share  A alert  e export  L live  / find  ? keys'
}

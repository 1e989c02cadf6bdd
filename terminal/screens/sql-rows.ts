import { z } from 'zod'
import type { HttpResult } from '../net/http-client.ts'
import type { ResultId } from '../net/query-results.ts'
import { gridStart, moveInGrid, selectCell } from '../state/grid-state.ts'
import { clean } from '../text/clean.ts'
import { moved } from '../text/text-buffer.ts'
import { cellText, gridLeft, placeGridColumns } from '../widgets/grid.ts'
import { offsetUnder } from '../widgets/text-editor.ts'
import type { ActionCall, ScreenDeps } from './screen.ts'
import { suggestChart } from './sql-chart.ts'
import { cellLines } from './sql-draw.ts'
import { withText } from './sql-edit.ts'
import { hasRows, openSqlForm } from './sql-forms.ts'
import { gridSizeOf, layoutSql } from './sql-layout.ts'
import { runAtCursor } from './sql-run.ts'
import { bufferOf, resultOf, type SqlPanel, type SqlState, sourceOf } from './sql-state.ts'

/** The state after an action on the rows, or null when it is none of theirs. */
export function actInRows(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState | null {
  const moved = moveRows(state, call, deps)
  if (moved !== null) return moved
  const source = sourceOf(state, deps)
  switch (call.name) {
    case 'back':
      return backFromRows(state, deps)
    case 'sql.edit':
      return { ...state, zone: 'editor' }
    case 'grid.cell':
      return hasRows(source) ? { ...state, panel: { kind: 'cell', top: 0 } } : state
    case 'grid.row':
      return hasRows(source) ? openSqlForm(state, deps, 'row') : state
    case 'grid.copyRow': {
      const row = source?.rows(state.grid.row, 1)[0]
      if (row !== undefined) deps.copy(row.map(cell => cellText(cell).text).join('\t'), 'the row')
      return state
    }
    case 'filter.text':
      find({ ...state, search: call.text ?? '' }, { from: state.grid.row, by: 1 }, deps)
      return { ...state, search: call.text ?? '' }
    case 'grid.next':
      find(state, { from: state.grid.row + 1, by: 1 }, deps)
      return state
    case 'grid.previous':
      find(state, { from: state.grid.row - 1, by: -1 }, deps)
      return state
    default:
      return null
  }
}

function backFromRows(state: SqlState, deps: ScreenDeps): SqlState | null {
  const cancelled = cancelRun(state, deps)
  if (cancelled !== null) return cancelled
  if (state.search !== '') return { ...state, search: '' }
  return state.chart === null ? null : { ...state, chart: null }
}

/** A query that runs is cancelled; null where none does. */
export function cancelRun(state: SqlState, deps: ScreenDeps): SqlState | null {
  if (state.run === null || resultOf(state, deps)?.status !== 'running') return null
  deps.results.cancel(state.run.resultId)
  return state
}

/** A text to be read: up and down scroll; moving to another cell shows that one. */
export function actInReading(
  state: SqlState,
  panel: Extract<SqlPanel, { kind: 'cell' | 'plan' }>,
  call: ActionCall,
  deps: ScreenDeps,
): SqlState | null {
  const { height } = layoutSql(state, deps).lower
  const lineCount = panel.kind === 'cell' ? cellLines(state, deps).length : panel.lines.length
  const steps: Partial<Record<ActionCall['name'], number>> = {
    'grid.up': -1,
    'grid.down': 1,
    'pointer.wheelUp': -3,
    'pointer.wheelDown': 3,
    'grid.pageUp': -height + 2,
    'grid.pageDown': height - 2,
    'grid.first': -lineCount,
    'grid.last': lineCount,
  }
  if (call.name === 'back' || call.name === 'grid.cell') return { ...state, panel: null }
  const step = steps[call.name]
  if (step !== undefined) {
    const top = Math.max(0, Math.min(lineCount - height + 1, panel.top + step))
    return { ...state, panel: { ...panel, top } }
  }
  const moves = panel.kind === 'cell' && (call.name === 'grid.left' || call.name === 'grid.right')
  const next = moves ? moveRows(state, call, deps) : null
  return next === null ? null : { ...next, panel: { ...panel, top: 0 } }
}

function moveRows(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState | null {
  const source = sourceOf(state, deps)
  const layout = layoutSql(state, deps)
  const grid = moveInGrid(state.grid, call.name, gridSizeOf(state, deps))
  if (grid === null) return null
  if (source === null) return state
  const placed = placeGridColumns({ source, grid, width: layout.gridWidth === 0 ? deps.width : layout.gridWidth })
  return { ...state, grid: { ...grid, left: gridLeft(placed, placed[0]?.index === 0 && grid.isFrozen) } }
}

function find(state: SqlState, at: { from: number; by: 1 | -1 }, deps: ScreenDeps): void {
  const { search, run } = state
  if (search === '' || run === null) return
  const source = state.isLive ? sourceOf(state, deps) : null
  if (source === null) return deps.ask(`find ${search}`, findAround(run.resultId, { text: search, ...at }, deps))
  const wanted = search.toLowerCase()
  const rows = source.rows(0, source.rowCount)
  const holds = (row: readonly unknown[], i: number) =>
    (at.by === 1 ? i >= at.from : i <= at.from) && row.some(cell => cellText(cell).text.toLowerCase().includes(wanted))
  const index = at.by === 1 ? rows.findIndex(holds) : rows.findLastIndex(holds)
  deps.ask(`find ${search}`, Promise.resolve({ ok: true, body: index < 0 ? null : index }))
}

/** From there to the end, else from the other end on. */
async function findAround(
  id: ResultId,
  wanted: { text: string; from: number; by: 1 | -1 },
  { results, result }: ScreenDeps,
): Promise<HttpResult> {
  const ahead = await results.find(id, wanted)
  if (!ahead.ok || ahead.body !== null) return ahead
  return await results.find(id, { ...wanted, from: wanted.by === 1 ? 0 : result(id).rowCount - 1 })
}

/** A chart of the rows as it is suggested; where there is one, the form that changes it. */
export function chartRows(state: SqlState, deps: ScreenDeps): SqlState {
  const source = sourceOf(state, deps)
  if (!hasRows(source)) {
    deps.say('Run a query first: then its rows can be charted.')
    return state
  }
  if (state.chart !== null) return openSqlForm(state, deps, 'chart')
  const suggested = suggestChart(source, state.grid.column)
  if (suggested === null) {
    deps.say('There is no column of numbers to chart.')
    return state
  }
  deps.say('c again chooses columns and kind; Esc on the rows closes the chart.')
  return { ...state, chart: suggested, zone: 'grid', completion: null }
}

/** The rows follow the data, or those that were fetched are shown again. */
export function toggleLive(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.isLive) return { ...state, isLive: false }
  if (state.run === null) return runAtCursor(state, deps, 'live')
  deps.say('The rows follow the data; L stops that.')
  return { ...state, isLive: true, grid: { ...gridStart, isFrozen: state.grid.isFrozen } }
}

/** A press of the mouse puts the cursor into the text, or selects a cell. */
export function pressInSql(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState {
  const { x, y } = call.at ?? { x: 0, y: 0 }
  const layout = layoutSql(state, deps)
  if (y < layout.editorHeight) {
    const buffer = bufferOf(state, deps)
    const place = { buffer, top: state.top, width: deps.width, height: layout.editorHeight }
    const next = moved(buffer, offsetUnder(place, { x, y }), false)
    return withText({ ...state, zone: 'editor' }, next, { ...deps, height: layout.editorHeight })
  }
  const source = sourceOf(state, deps)
  const row = y - layout.lower.y - 1
  if (source === null || row < 0 || x >= layout.gridWidth) return { ...state, zone: 'grid', completion: null }
  const placed = placeGridColumns({ source, grid: state.grid, width: layout.gridWidth })
  const column = placed.findLast(each => each.x <= x)?.index ?? state.grid.column
  const grid = selectCell(state.grid, { row: state.grid.top + row, column }, gridSizeOf(state, deps))
  return { ...state, zone: 'grid', completion: null, grid }
}

/** Selects the row that was found. */
export function foundAnswer(state: SqlState, search: string, result: HttpResult, deps: ScreenDeps): SqlState {
  if (search !== state.search) return state
  const row = result.ok ? z.number().nullable().catch(null).parse(result.body) : null
  const source = sourceOf(state, deps)
  if (row === null || source === null) {
    deps.say(`No row has ${clean(search)}.`)
    return state
  }
  return { ...state, grid: selectCell(state.grid, { row }, gridSizeOf(state, deps)) }
}

import { z } from 'zod'
import { QueryExplanationSchema, SavedQuerySchema } from '../../contracts/queries.ts'
import type { HttpResult } from '../net/http-client.ts'
import type { ResultId } from '../net/query-results.ts'
import { gridStart, moveInGrid, selectCell } from '../state/grid-state.ts'
import { listStart } from '../state/list-state.ts'
import { clean, cleanLines } from '../text/clean.ts'
import { linesOf, moved, placeOf } from '../text/text-buffer.ts'
import { cellText, gridLeft, isNumberType, placeGridColumns } from '../widgets/grid.ts'
import { offsetUnder } from '../widgets/text-editor.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'
import { suggestChart } from './sql-chart.ts'
import { cellLines, drawSql, editorOf, worldOfSql } from './sql-draw.ts'
import { actInEditor, withText } from './sql-edit.ts'
import {
  actInSqlForm,
  hasRows,
  openSaveForm,
  openSqlForm,
  placeSqlForm,
  savedAnswer,
  spokenSqlForm,
  withSaved,
} from './sql-forms.ts'
import { gridRowsHigh, layoutSql } from './sql-layout.ts'
import {
  actInPicker,
  askForSaved,
  historyPanel,
  namedAnswer,
  openPanel,
  pickerCursor,
  spokenPicker,
  withOtherText,
} from './sql-picker.ts'
import { catalogResource, savedQueriesResource, savedQueryPath, sqlLineFields } from './sql-resources.ts'
import { editParameters, runAtCursor } from './sql-run.ts'
import { bufferOf, liveQueryOf, resultOf, type SqlPanel, type SqlState, sourceOf } from './sql-state.ts'
import { actInVersions, versionsResources } from './sql-versions.ts'

const editorHint = ' Ctrl-J run  Tab complete  Ctrl-R history  Ctrl-S save  Ctrl-P keys  Esc rows'

/** SQL: a text above, its rows below. */
export const sqlFactory = screenFactory<SqlState>({
  fn: 'SQL',
  contexts: ['sql', 'grid'],
  open: command => ({
    editorId: Symbol('editor'),
    buffer: null,
    top: 0,
    cut: '',
    zone: 'editor',
    completion: null,
    run: null,
    grid: gridStart,
    search: '',
    panel: null,
    chart: null,
    saved: null,
    opening: command.args.query ?? null,
    isLive: false,
    isWhole: true,
    isDeleting: false,
  }),
  title: ({ saved }) => (saved === null ? 'SQL' : `SQL ${saved.name}`),
  queries: ({ isLive, run }) => (isLive && run !== null ? [worldOfSql, liveQueryOf(run)] : [worldOfSql]),
  resources({ panel, saved }, read) {
    const view = { resource: read }
    if (panel?.kind === 'open') return [catalogResource, savedQueriesResource(panel.search.text)]
    if (panel?.kind === 'versions' && saved !== null) return [catalogResource, ...versionsResources(saved, panel, view)]
    return [catalogResource]
  },
  results: ({ run }) => (run === null ? [] : [run.resultId]),
  isWhole: state => state.isWhole,
  // What a command names is asked for as soon as there is somebody to ask.
  tickMs: ({ opening }) => (opening === null || opening === '' ? null : 1),
  isTyping: ({ panel, zone }) =>
    panel === null ? zone === 'editor' : panel.kind === 'form' || panel.kind === 'history' || panel.kind === 'open',
  typing: ({ panel, zone }) =>
    panel === null && zone === 'editor' ? { contexts: ['editor', 'sql'], hint: editorHint } : null,
  cursor(state, view) {
    const { panel } = state
    if (panel?.kind === 'form') return placeSqlForm(panel, state, view).cursor
    if (panel?.kind === 'history' || panel?.kind === 'open') return pickerCursor(panel)
    return editorOf(state, view, layoutSql(state, view)).cursor
  },
  spoken(state, view) {
    const { panel } = state
    if (panel?.kind === 'form') return spokenSqlForm(panel, state, view)
    if (panel?.kind === 'history' || panel?.kind === 'open') return spokenPicker(panel, view)
    const { text, cursor } = bufferOf(state, view)
    const { line } = placeOf(text, cursor)
    return state.zone === 'editor' ? `Line ${line + 1}: ${linesOf(text)[line] ?? ''}` : ''
  },
  draw: drawSql,
  act: actInSql,
  copyText: copiedText,
  copyName: ({ panel, zone }) => (panel === null && zone === 'grid' ? 'the cell' : 'this text'),
  filterText: ({ search }) => search,
})

function copiedText(state: SqlState, view: ScreenView): string {
  const { panel } = state
  if (panel?.kind === 'plan') return panel.lines.join('\n')
  const cell = sourceOf(state, view)?.rows(state.grid.row, 1)[0]?.[state.grid.column]
  if (cell === undefined) return ''
  // Its lines stay; what a shell would obey does not.
  return typeof cell === 'string' ? cleanLines(cell) : cellText(cell).text
}

function actInSql(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState | null {
  if (call.name === 'answer')
    return call.answer === undefined ? state : answered(state, call.answer.tag, call.answer.result, deps)
  if (call.name === 'tick') return openNamed(state, deps)
  const asked: SqlState = call.name === 'sql.delete' ? state : { ...state, isDeleting: false }
  const { panel } = asked
  if (panel !== null) return actInPanel(asked, panel, call, deps)
  const common = actCommon(asked, call, deps)
  if (common !== null) return common
  return asked.zone === 'editor' ? actInText(asked, call, deps) : actInRows(asked, call, deps)
}

function actInPanel(state: SqlState, panel: SqlPanel, call: ActionCall, deps: ScreenDeps): SqlState | null {
  switch (panel.kind) {
    case 'form':
      return actInSqlForm(state, panel, call, deps)
    case 'history':
    case 'open':
      return actInPicker(state, panel, call, deps)
    case 'versions':
      return actInVersions(state, panel, call, deps)
    case 'cell':
    case 'plan':
      return actInReading(state, panel, call, deps)
  }
}

/** A text to be read: up and down scroll; moving to another cell shows that one. */
function actInReading(
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

/** What can be done from the text and from the rows alike. */
function actCommon(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState | null {
  switch (call.name) {
    case 'sql.run':
      return runAtCursor(state, deps, state.isLive ? 'live' : 'run')
    case 'sql.parameters':
      return editParameters(state, deps)
    case 'sql.explain':
      return runAtCursor(state, deps, 'explain')
    case 'sql.save':
      return askToSave(state, deps)
    case 'sql.saveAs':
      return openSaveForm(state, deps, true)
    case 'sql.open':
      return { ...state, panel: openPanel, completion: null }
    case 'sql.history':
      return { ...state, panel: historyPanel, completion: null }
    case 'sql.new':
      return withOtherText(state, '', null, deps)
    case 'sql.chart':
      return chart(state, deps)
    case 'sql.live':
      return toggleLive(state, deps)
    case 'sql.share':
      return share(state, deps)
    case 'sql.alert':
      return alertOn(state, deps)
    case 'sql.versions':
      return openVersions(state, deps)
    case 'sql.delete':
      return deleteSaved(state, deps)
    case 'sql.whole':
      return { ...state, isWhole: !state.isWhole }
    case 'export.csv':
    case 'export.json':
      if (state.run !== null) return openSqlForm(state, deps, 'export')
      deps.say('Run a query first: then its rows can be exported.')
      return state
    case 'pointer.press':
      return press(state, call, deps)
    default:
      return null
  }
}

function actInText(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState | null {
  if (call.name === 'back') {
    if (state.completion !== null) return { ...state, completion: null }
    return cancelRun(state, deps) ?? { ...state, zone: 'grid' }
  }
  if (call.name === 'editor.leave') return { ...state, zone: 'grid', completion: null }
  return actInEditor(state, call, deps, layoutSql(state, deps).editorHeight)
}

function actInRows(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState | null {
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

/** A query that runs is cancelled; null where none does. */
function cancelRun(state: SqlState, deps: ScreenDeps): SqlState | null {
  if (state.run === null || resultOf(state, deps)?.status !== 'running') return null
  deps.results.cancel(state.run.resultId)
  return state
}

function backFromRows(state: SqlState, deps: ScreenDeps): SqlState | null {
  const cancelled = cancelRun(state, deps)
  if (cancelled !== null) return cancelled
  if (state.search !== '') return { ...state, search: '' }
  return state.chart === null ? null : { ...state, chart: null }
}

// The rows

function moveRows(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState | null {
  const source = sourceOf(state, deps)
  const layout = layoutSql(state, deps)
  const size = {
    rowCount: source?.rowCount ?? 0,
    columnCount: source?.columns.length ?? 0,
    height: gridRowsHigh(layout),
  }
  const grid = moveInGrid(state.grid, call.name, size)
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

function chart(state: SqlState, deps: ScreenDeps): SqlState {
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

function toggleLive(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.isLive) return { ...state, isLive: false }
  if (state.run === null) return runAtCursor(state, deps, 'live')
  deps.say('The rows follow the data; L stops that.')
  return { ...state, isLive: true, grid: { ...gridStart, isFrozen: state.grid.isFrozen } }
}

function press(state: SqlState, call: ActionCall, deps: ScreenDeps): SqlState {
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
  const size = { rowCount: source.rowCount, columnCount: source.columns.length, height: gridRowsHigh(layout) }
  const grid = selectCell(state.grid, { row: state.grid.top + row, column }, size)
  return { ...state, zone: 'grid', completion: null, grid }
}

// Saved queries

/** What a draft belonged to before a restart is asked for first. */
function askToSave(state: SqlState, deps: ScreenDeps): SqlState {
  const { savedQueryId } = deps.desk.draft()
  if (state.saved !== null || savedQueryId === null || state.opening !== null) return openSaveForm(state, deps, false)
  deps.ask('known', deps.http.get(savedQueryPath(savedQueryId), {}, { lineFields: sqlLineFields }))
  return { ...state, opening: '' }
}

function openNamed(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.opening === null || state.opening === '') return state
  askForSaved(state.opening, deps)
  return { ...state, opening: '', search: '' }
}

function share(state: SqlState, deps: ScreenDeps): SqlState {
  const { saved } = state
  if (saved === null) deps.say('Save the query first: then u copies the command that opens it.')
  else {
    deps.copy(
      `SQL ${saved.id}`,
      saved.visibility === 'private' ? 'the command; only you may see it: s changes that' : 'the command that opens it',
    )
  }
  return state
}

function alertOn(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.saved === null) {
    deps.say('Save the query first: an alert watches a saved query.')
    return state
  }
  const column = sourceOf(state, deps)?.columns[state.grid.column]
  const isNamed = column !== undefined && isNumberType(column.type) && !column.name.includes('"')
  const named = isNamed ? ` COLUMN="${column.name}"` : ''
  deps.run(`ALRT NEW QUERY=${state.saved.id}${named}`)
  return state
}

function openVersions(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.saved?.isOwn === true) return { ...state, panel: { kind: 'versions', list: listStart }, completion: null }
  deps.say(
    state.saved === null
      ? 'This text was not saved yet: it has no versions.'
      : 'Versions are for whoever owns the query.',
  )
  return state
}

function deleteSaved(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.saved?.isOwn !== true) {
    deps.say(state.saved === null ? 'This text was not saved.' : 'Only its owner can delete this query.')
    return state
  }
  if (!state.isDeleting) return { ...state, isDeleting: true }
  deps.ask('delete', deps.http.delete(savedQueryPath(state.saved.id)))
  return { ...state, isDeleting: false }
}

// Answers

function answered(state: SqlState, tag: string, result: HttpResult, deps: ScreenDeps): SqlState {
  const [what] = tag.split(' ', 1)
  switch (what) {
    case 'save':
    case 'restore':
      return what === 'save' ? savedAnswer(state, result, deps) : restored(state, result, deps)
    case 'named':
      return namedAnswer(state, tag.slice('named '.length), result, deps)
    case 'known': {
      const saved = result.ok ? SavedQuerySchema.safeParse(result.body).data : undefined
      const known = saved === undefined ? state : withSaved(state, saved, deps)
      return openSaveForm({ ...known, opening: null }, deps, false)
    }
    case 'find':
      return found(state, tag.slice('find '.length), result, deps)
    case 'explain':
      return explained(state, result, deps)
    case 'delete':
      deps.refresh('/api/queries')
      deps.say(result.ok ? 'The saved query is deleted; its text stays here.' : result.message)
      return result.ok ? withSaved(state, null, deps) : state
    default:
      return state
  }
}

function restored(state: SqlState, result: HttpResult, deps: ScreenDeps): SqlState {
  const saved = result.ok ? SavedQuerySchema.safeParse(result.body).data : undefined
  if (saved === undefined) {
    deps.say(result.ok ? "The server's answer was not understood." : result.message)
    return state
  }
  deps.refresh('/api/queries')
  deps.say(`Restored as version ${saved.version}.`)
  return { ...withOtherText(state, saved.sql, saved, deps), zone: 'grid' }
}

function found(state: SqlState, search: string, result: HttpResult, deps: ScreenDeps): SqlState {
  if (search !== state.search) return state
  const row = result.ok ? z.number().nullable().catch(null).parse(result.body) : null
  const source = sourceOf(state, deps)
  if (row === null || source === null) {
    deps.say(`No row has ${clean(search)}.`)
    return state
  }
  const size = {
    rowCount: source.rowCount,
    columnCount: source.columns.length,
    height: gridRowsHigh(layoutSql(state, deps)),
  }
  return { ...state, grid: selectCell(state.grid, { row }, size) }
}

function explained(state: SqlState, result: HttpResult, deps: ScreenDeps): SqlState {
  const answer = result.ok ? QueryExplanationSchema.safeParse(result.body).data : undefined
  if (answer === undefined) {
    deps.say(result.ok ? "The server's answer was not understood." : result.message)
    return state
  }
  const head = `Reads ${answer.tables.length === 0 ? 'no table' : answer.tables.join(', ')}`
  return {
    ...state,
    zone: 'grid',
    panel: { kind: 'plan', lines: [head, '', ...answer.plan], top: 0 },
  }
}

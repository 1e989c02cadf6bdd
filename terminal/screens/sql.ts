import type { HttpResult } from '../net/http-client.ts'
import { gridStart } from '../state/grid-state.ts'
import { cleanLines } from '../text/clean.ts'
import { linesOf, placeOf } from '../text/text-buffer.ts'
import { cellText } from '../widgets/grid.ts'
import { type ActionCall, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'
import { drawSql, editorOf, worldOfSql } from './sql-draw.ts'
import { actInEditor } from './sql-edit.ts'
import { actInSqlForm, openSaveForm, openSqlForm, placeSqlForm, savedAnswer, spokenSqlForm } from './sql-forms.ts'
import { layoutSql } from './sql-layout.ts'
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
import { catalogResource, savedQueriesResource } from './sql-resources.ts'
import { actInReading, actInRows, cancelRun, chartRows, foundAnswer, pressInSql, toggleLive } from './sql-rows.ts'
import { editParameters, explainedAnswer, runAtCursor } from './sql-run.ts'
import {
  alertOnSaved,
  askToSave,
  deletedAnswer,
  deleteSaved,
  knownAnswer,
  openVersions,
  restoredAnswer,
  shareSaved,
} from './sql-saved.ts'
import { bufferOf, liveQueryOf, type SqlPanel, type SqlState, sourceOf } from './sql-state.ts'
import { actInVersions, versionsResources } from './sql-versions.ts'

const pickerHint = ' Enter takes it  Up Down choose  type to search  Esc leaves'
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
  tickMs: ({ opening }) => (opening === null ? null : 1),
  isTyping: ({ panel, zone }) =>
    panel === null ? zone === 'editor' : panel.kind === 'form' || panel.kind === 'history' || panel.kind === 'open',
  typing({ panel, zone }) {
    if (panel?.kind === 'history' || panel?.kind === 'open') return { contexts: ['form', 'input'], hint: pickerHint }
    return panel === null && zone === 'editor' ? { contexts: ['editor', 'sql'], hint: editorHint } : null
  },
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
  if (call.name === 'back' && state.isDeleting) return { ...state, isDeleting: false }
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
      return chartRows(state, deps)
    case 'sql.live':
      return toggleLive(state, deps)
    case 'sql.share':
      return shareSaved(state, deps)
    case 'sql.alert':
      return alertOnSaved(state, deps)
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
      return pressInSql(state, call, deps)
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

function answered(state: SqlState, tag: string, result: HttpResult, deps: ScreenDeps): SqlState {
  const [what] = tag.split(' ', 1)
  switch (what) {
    case 'save':
      return savedAnswer(state, result, deps)
    case 'known':
      return knownAnswer(state, result, deps)
    case 'restore':
      return restoredAnswer(state, result, deps)
    case 'delete':
      return deletedAnswer(state, result, deps)
    case 'named':
      return namedAnswer(state, tag.slice('named '.length), result, deps)
    case 'find':
      return foundAnswer(state, tag.slice('find '.length), result, deps)
    case 'explain':
      return explainedAnswer(state, result, deps)
    default:
      return state
  }
}

/** What a command names is asked for as soon as there is somebody to ask. */
function openNamed(state: SqlState, deps: ScreenDeps): SqlState {
  if (state.opening !== null) askForSaved(state.opening, deps)
  return { ...state, opening: null }
}

import type { Board, Panel, SavedBoard } from '../../contracts/dashboards.ts'
import { periods } from '../../contracts/measures.ts'
import type { Visibility } from '../../contracts/queries.ts'
import { formatSubject } from '../command/subject.ts'
import type { HttpResult } from '../net/http-client.ts'
import { actInForm } from '../state/form.ts'
import { listStart, moveInList, selectedIndexOf, selectIndex, topOf } from '../state/list-state.ts'
import { valuesOf } from './board-answers.ts'
import { formSpec, pictureOf, placeForm } from './board-draw.ts'
import { drillCommand, subjectOfRow } from './board-drill.ts'
import { formValues, openVariablesForm } from './board-forms.ts'
import { panelOrder } from './board-layout.ts'
import { isListPanel } from './board-lists.ts'
import { headHeightOf, shownRows } from './board-panel.ts'
import { boardPath, boardResource } from './board-resources.ts'
import { type BoardState, choose, chosenFor, listKey, showBoard, startWall } from './board-state.ts'
import { actOnWall, tick } from './board-turns.ts'
import {
  boardRows,
  type Focused,
  feed,
  focused,
  focusOf,
  panelArea,
  rectsOf,
  rowsHighOf,
  savedOf,
} from './board-view.ts'
import { pressInForm } from './form-place.ts'
import type { ActionCall, ScreenDeps } from './screen.ts'

/** What an action makes of BOARD. */
export function actInBoard(state: BoardState, call: ActionCall, deps: ScreenDeps): BoardState | null {
  if (call.name === 'tick') return tick(state, deps)
  if (call.name === 'answer') return call.answer === undefined ? state : answered(state, call.answer, deps)
  if (state.form !== null) return actInOpenForm(state, call, deps)
  if (state.wall !== null) return actOnWall(state, call, deps)
  return state.shown === null ? actInList(state, call, deps) : actOnBoard(state, call, deps)
}

function actInList(state: BoardState, call: ActionCall, deps: ScreenDeps): BoardState | null {
  const rows = boardRows(deps.resource)
  const height = Math.max(1, deps.height - 2)
  const moved = moveInList(state.list, call.name, rows, height)
  if (moved !== null) return { ...state, list: moved, deleting: null }
  const row = rows[selectedIndexOf(state.list, rows)]
  switch (call.name) {
    case 'row.open':
      return row === undefined ? state : showBoard(state, row.id)
    case 'board.wall':
      return startWall(state)
    case 'board.copy':
      if (row !== undefined) copyBoard(row, deps)
      return state
    case 'board.delete':
      return deleteBoard(state, row, deps)
    case 'back':
      return state.deleting === null ? null : { ...state, deleting: null }
    case 'pointer.press': {
      const y = (call.at?.y ?? 0) - 1
      const index = topOf(state.list, selectedIndexOf(state.list, rows), rows.length, height) + y
      if (y < 0 || y >= height || index >= rows.length) return state
      return { ...state, list: selectIndex(state.list, rows, index, height), deleting: null }
    }
    default:
      return null
  }
}

function deleteBoard(
  state: BoardState,
  row: { id: string; isOwn: boolean; name: string } | undefined,
  deps: ScreenDeps,
): BoardState {
  if (row === undefined) return state
  if (!row.isOwn) deps.say(`${row.name} is not yours: C saves a copy that is.`)
  else if (state.deleting !== row.id) return { ...state, deleting: row.id }
  else deps.ask('delete', deps.http.delete(boardPath(row.id)))
  return { ...state, deleting: null }
}

function copyBoard({ id, name }: { id: string; name: string }, deps: ScreenDeps): void {
  deps.ask('copy', deps.http.post('/api/dashboards', { copyOf: id, name: `${name.slice(0, 75)} copy` }))
}

function actOnBoard(state: BoardState, call: ActionCall, deps: ScreenDeps): BoardState | null {
  const at = focused(state, deps)
  if (at === null) return call.name === 'back' ? showBoard(state, null) : null
  const { saved, panel } = at
  const moved = moveInPanel(state, at, call)
  if (moved !== null) return moved
  switch (call.name) {
    case 'board.next':
    case 'board.previous':
      return focusBy(state, saved.board, call.name === 'board.next' ? 1 : -1)
    case 'move.down':
    case 'move.up':
      return focusBy(state, saved.board, call.name === 'move.down' ? 1 : -1)
    case 'board.zoom':
      return { ...state, focusId: panel.id, isZoomed: !state.isZoomed }
    case 'row.open': {
      const command = at.source === null ? null : drillCommand(panel, at.source, at.row)
      if (command === null) return { ...state, focusId: panel.id, isZoomed: !state.isZoomed }
      deps.run(command)
      return state
    }
    case 'row.chart': {
      const about = at.source === null ? null : subjectOfRow(panel, at.source, at.row)
      if (about === null) deps.say('This panel has nothing to chart: GP draws clips, creators and topics.')
      else deps.run(`${formatSubject(about)} GP`)
      return state
    }
    case 'board.variables':
      if (saved.board.variables.length > 0)
        return {
          ...state,
          form: { kind: 'variables', state: openVariablesForm(saved.board, chosenFor(state, saved), deps) },
        }
      deps.say('This board has nothing to choose.')
      return state
    case 'export.csv':
      return { ...state, form: { kind: 'export', state: { ...emptyForm } } }
    case 'board.nextBoard':
    case 'board.previousBoard':
      return otherBoard(state, saved.id, call.name === 'board.nextBoard' ? 1 : -1, deps)
    case 'board.wall':
      return startWall(state)
    case 'board.copy':
      copyBoard({ id: saved.id, name: saved.board.name }, deps)
      return state
    case 'board.publish':
      publish(saved, deps)
      return state
    case 'period.next':
    case 'period.previous':
      return stepPeriod(state, saved, call.name === 'period.next' ? 1 : -1)
    case 'pointer.press':
      return pressed(state, saved, call, deps)
    case 'back':
      return state.isZoomed ? { ...state, isZoomed: false } : showBoard(state, null)
    default:
      return call.name.startsWith('platform.')
        ? changePlatform(state, saved, call.name.slice('platform.'.length))
        : null
  }
}

/** Rows of the panel with the focus; null for what does not move there. */
function moveInPanel(
  state: BoardState,
  { saved, panel, rows, list, rowsHigh }: Focused,
  call: ActionCall,
): BoardState | null {
  if (!isListPanel(panel)) return null
  const moved = moveInList(list, call.name, rows, rowsHigh)
  return moved === null ? null : withList(state, saved.id, panel, moved)
}

function withList(state: BoardState, boardId: string, panel: Panel, list: BoardState['list']): BoardState {
  return { ...state, focusId: panel.id, lists: { ...state.lists, [listKey(boardId, panel.id)]: list } }
}

function focusBy(state: BoardState, board: Board, by: 1 | -1): BoardState {
  const order = panelOrder(board)
  const at = order.findIndex(panel => panel.id === focusOf(state, board)?.id)
  return { ...state, focusId: order[(at + by + order.length) % order.length]?.id ?? null }
}

function otherBoard(state: BoardState, id: string, by: 1 | -1, { resource }: ScreenDeps): BoardState {
  const ids = boardRows(resource).map(row => row.id)
  return ids.length === 0 ? state : showBoard(state, ids[(ids.indexOf(id) + by + ids.length) % ids.length] ?? null)
}

function stepPeriod(state: BoardState, saved: SavedBoard, by: 1 | -1): BoardState {
  const variable = saved.board.variables.find(each => each.type === 'period')
  if (variable === undefined) return state
  const value = valuesOf(saved.board, chosenFor(state, saved))[variable.name]
  const now = periods.map(String).indexOf(String(value))
  return choose(state, saved.id, { [variable.name]: periods[(now + by + periods.length) % periods.length] ?? '24h' })
}

function changePlatform(state: BoardState, saved: SavedBoard, platform: string): BoardState | null {
  const variable = saved.board.variables.find(each => each.type === 'platform')
  return variable === undefined ? null : choose(state, saved.id, { [variable.name]: platform })
}

const nextVisibility: Readonly<Record<Visibility, Visibility>> = {
  private: 'shared',
  shared: 'public',
  public: 'private',
}

function publish(saved: SavedBoard, deps: ScreenDeps): void {
  if (!saved.isOwn || saved.visibility === 'builtIn')
    return deps.say('This board is not yours: C saves a copy that is.')
  const body = { visibility: nextVisibility[saved.visibility] }
  deps.ask('publish', deps.http.put(boardPath(saved.id), body, `"${saved.version}"`))
}

/** The focus goes to the panel under the mouse, in a list to the row. */
function pressed(state: BoardState, saved: SavedBoard, call: ActionCall, deps: ScreenDeps): BoardState {
  const { at } = call
  const { top } = panelArea(deps)
  const rect =
    at === undefined
      ? undefined
      : rectsOf(state, saved.board, deps).rects.find(
          ({ x, y, width, height }) => at.x >= x && at.x < x + width && at.y - top >= y && at.y - top < y + height,
        )
  if (at === undefined || rect === undefined) return state
  const moved = { ...state, focusId: rect.panel.id }
  if (!isListPanel(rect.panel)) return moved
  const rows = shownRows(rect.panel, feed(state, saved, rect.panel, deps).answer)
  const list = state.lists[listKey(saved.id, rect.panel.id)] ?? listStart
  const rowsHigh = rowsHighOf(rect.panel, rect.height)
  const line = at.y - top - rect.y - 1 - headHeightOf(rect.panel)
  const index = topOf(list, selectedIndexOf(list, rows), rows.length, rowsHigh) + line
  return line < 0 || index >= rows.length
    ? moved
    : withList(moved, saved.id, rect.panel, selectIndex(list, rows, index, rowsHigh))
}

function actInOpenForm(state: BoardState, call: ActionCall, deps: ScreenDeps): BoardState | null {
  const spec = formSpec(state, deps)
  const saved = savedOf(state, deps.resource)
  const { form } = state
  const closed = { ...state, form: null }
  if (form === null || spec === null || saved === null) return closed
  if (call.name === 'form.cancel' || call.name === 'back') return closed
  const placed = placeForm(state, deps)
  const press = call.name === 'pointer.press' && placed !== null ? pressInForm(spec, form.state, call, placed) : null
  const acted = actInForm(spec, press?.form ?? form.state, press?.call ?? call)
  if (acted === null) return null
  switch (acted.pressed) {
    case null:
      return { ...state, form: { ...form, state: acted.state } }
    case 'show':
      return choose(closed, saved.id, formValues(saved.board, acted.state))
    case 'reset':
      return { ...closed, held: null, chosen: { ...state.chosen, [saved.id]: {} } }
    case 'csv':
    case 'json':
      deps.exportRows(acted.pressed)
      return closed
    case 'svg':
    case 'png': {
      const picture = pictureOf(closed, deps)
      if (picture !== null) deps.savePicture(picture, acted.pressed)
      return closed
    }
    default:
      return closed
  }
}

/** What was asked of the server: a copy is opened, everything else is said. */
function answered(
  state: BoardState,
  { tag, result }: { tag: string; result: HttpResult },
  deps: ScreenDeps,
): BoardState {
  deps.refresh('/api/dashboards')
  if (!result.ok) {
    deps.say(result.message)
    return state
  }
  if (tag === 'delete') {
    deps.say('The board is deleted.')
    return state
  }
  const saved = boardResource('').schema.safeParse(result.body)
  if (!saved.success) return state
  if (tag === 'publish') {
    deps.say(visibilitySentence(saved.data))
    return state
  }
  deps.say(`Saved as ${saved.data.board.name}; cliptape dashboard export ${saved.data.id} writes its file.`)
  return showBoard(state, saved.data.id)
}

function visibilitySentence({ visibility, board, id }: SavedBoard): string {
  switch (visibility) {
    case 'private':
      return `${board.name} is yours alone.`
    case 'shared':
      return `${board.name} can be opened by everybody here who has its id: BOARD ${id}`
    default:
      return `${board.name} is in everybody's list.`
  }
}

const emptyForm = {
  texts: {},
  chosen: {},
  at: { field: 0, option: 0 },
  problem: null,
  isBusy: false,
  isRevealed: false,
}

import type { Board, FilledSource, Panel, SavedBoard } from '../../contracts/dashboards.ts'
import { periods } from '../../contracts/measures.ts'
import type { Visibility } from '../../contracts/queries.ts'
import { formatSubject } from '../command/subject.ts'
import { linesToSvg } from '../export/lines-to-svg.ts'
import type { HttpResult } from '../net/http-client.ts'
import type { ReadResource } from '../net/resource-client.ts'
import { actInForm, spokenField } from '../state/form.ts'
import { listStart, moveInList, selectedIndexOf, selectIndex, topOf } from '../state/list-state.ts'
import { formatInstant } from '../text/format.ts'
import { drawForm } from '../widgets/form.ts'
import {
  boardQueries,
  choicesOf,
  choicesQuery,
  choicesSource,
  openVariables as openVariablesOf,
  type PanelAnswer,
  panelQuery,
  readAnswer,
  valuesOf,
} from './board-answers.ts'
import { drillCommand, subjectOfRow } from './board-drill.ts'
import { exportForm, formValues, openVariables, variablesForm } from './board-forms.ts'
import { layOutBoard, type PanelRect, panelOrder } from './board-layout.ts'
import { drawBoardList } from './board-list.ts'
import { isListPanel } from './board-lists.ts'
import { drawPanel, headHeightOf, shownRows } from './board-panel.ts'
import { boardListResource, boardPath, boardResource, findBoardId } from './board-resources.ts'
import {
  type BoardState,
  boardTitle,
  choose,
  chosenFor,
  type Held,
  listKey,
  openBoard,
  showBoard,
} from './board-state.ts'
import { centredForm, type FormHead, pressInForm } from './form-place.ts'
import { joinLine } from './join-line.ts'
import { failedMark, noResourceBox } from './resource-notice.ts'
import { type ActionCall, type Picture, type ScreenDeps, type ScreenView, screenFactory } from './screen.ts'

/** Dashboards: the list of them, one over the whole window, or all in turn on a wall. */
export const boardFactory = screenFactory<BoardState>({
  fn: 'BOARD',
  contexts: ['board', 'list'],
  open: openBoard,
  title: boardTitle,
  queries(state, read) {
    const saved = savedOf(state, read)
    return saved === null ? [] : boardQueries(saved.board, chosenFor(state, saved))
  },
  resources(state, read) {
    const id = shownId(state, read)
    return [boardListResource, ...(id === null ? [] : [boardResource(id)])]
  },
  isWhole: () => true,
  tickMs(state, read) {
    const saved = savedOf(state, read)
    if (saved !== null && openVariablesOf(saved.board, chosenFor(state, saved)).length > 0) return choicesTickMs
    return state.wall !== null || typeof saved?.board.refresh === 'number' ? tickMs : null
  },
  isTyping: ({ form }) => form !== null,
  cursor: (state, view) => (state.form === null ? null : (placeForm(state, view)?.cursor ?? null)),
  spoken(state, view) {
    const spec = formSpec(state, view)
    return state.form === null || spec === null ? '' : spokenField(spec, state.form.state)
  },
  draw: drawBoard,
  act: actInBoard,
  subject(state, view) {
    const at = focused(state, view)
    return at?.source == null ? null : subjectOfRow(at.panel, at.source, at.row)
  },
  list(state, view) {
    const at = focused(state, view)
    if (at === null) {
      const columns = ['id', 'name', 'description', 'visibility', 'isOwn', 'panelCount', 'updatedAt']
      return { title: 'BOARD', columns, rows: boardRows(view.resource), asOf: null }
    }
    const { panel, answer, saved } = at
    const rows = shownRows(panel, answer).map(row => ({ ...row.values }))
    return {
      title: `${saved.board.name} ${panel.title}`,
      columns: answer?.fields ?? [],
      rows,
      asOf: answer?.asOf ?? null,
    }
  },
  picture: (state, view) => pictureOf({ ...state, form: null }, view),
  copyText(state, view) {
    const at = focused(state, view)
    const about = at?.source == null ? null : subjectOfRow(at.panel, at.source, at.row)
    return about === null ? (shownId(state, view.resource) ?? '') : formatSubject(about)
  },
})

const tickMs = 1000
const choicesTickMs = 200
/** With fewer lines the board's name stands in the pane's title alone. */
const headFromHeight = 24

type Area = Pick<ScreenView, 'width' | 'height'>

function boardRows(read: ReadResource) {
  return read(boardListResource).body?.data ?? []
}

/** The boards that come in turn. */
function wallNames({ wall }: BoardState, read: ReadResource): readonly string[] {
  if (wall === null) return []
  return wall.names.length > 0 ? wall.names : boardRows(read).map(row => row.id)
}

/** The id of the board that is shown, or null for the list. What no board in the list is called may still be an id. */
function shownId(state: BoardState, read: ReadResource): string | null {
  const names = wallNames(state, read)
  const name = state.wall === null ? state.shown : (names[state.wall.at % Math.max(1, names.length)] ?? null)
  if (name === null) return null
  return findBoardId(name, boardRows(read)) ?? name
}

function savedOf(state: BoardState, read: ReadResource): SavedBoard | null {
  const id = shownId(state, read)
  return id === null ? null : read(boardResource(id)).body
}

/** Where panels are: between the head and the last line. */
function panelArea({ width, height }: Area): { top: number; width: number; height: number } {
  const top = height >= headFromHeight ? 1 : 0
  return { top, width, height: Math.max(1, height - 1 - top) }
}

function focusOf(state: BoardState, board: Board): Panel | null {
  const order = panelOrder(board)
  return order.find(panel => panel.id === state.focusId) ?? order[0] ?? null
}

function rectsOf(state: BoardState, board: Board, view: Area) {
  const area = panelArea(view)
  const focus = focusOf(state, board)
  if (state.isZoomed && focus !== null) {
    const rects: PanelRect[] = [{ panel: focus, x: 0, y: 0, width: area.width, height: area.height }]
    return { rects, page: 0, pageCount: 1 }
  }
  return layOutBoard(board, area, focus?.id ?? null)
}

interface Fed {
  source: FilledSource | null
  answer: PanelAnswer | null
}

/** What a panel shows now; of a board that is renewed by beats, what it showed at the last one. */
function feed(state: BoardState, saved: SavedBoard, panel: Panel, view: Pick<ScreenView, 'live' | 'liveSql'>): Fed {
  const source = panelQuery(panel, saved.board, chosenFor(state, saved))
  const held = state.held?.boardId === saved.id ? (state.held.answers[panel.id] ?? null) : null
  return { source, answer: source === null ? null : (held ?? readAnswer(source, view)) }
}

/** The panel with the focus and its selected row; null in the list, and before the board has come. */
function focused(state: BoardState, view: ScreenView) {
  const saved = savedOf(state, view.resource)
  const panel = saved === null ? null : focusOf(state, saved.board)
  if (saved === null || panel === null) return null
  const { source, answer } = feed(state, saved, panel, view)
  const rows = shownRows(panel, answer)
  const list = state.lists[listKey(saved.id, panel.id)] ?? listStart
  const rect = rectsOf(state, saved.board, view).rects.find(each => each.panel.id === panel.id)
  return {
    saved,
    panel,
    source,
    answer,
    rows,
    list,
    row: rows[isListPanel(panel) ? selectedIndexOf(list, rows) : 0],
    rowsHigh: rowsHighOf(panel, rect?.height ?? 3),
  }
}

/** Lines for rows in a panel that is so high. */
function rowsHighOf(panel: Panel, height: number): number {
  return Math.max(1, height - 1 - (isListPanel(panel) ? headHeightOf(panel) : 0))
}

function drawBoard(state: BoardState, view: ScreenView): string[] {
  const id = shownId(state, view.resource)
  const list = view.resource(boardListResource)
  if (id === null && state.wall === null) return drawBoardList(state, list, view)
  const resource = id === null ? list : view.resource(boardResource(id))
  const saved = savedOf(state, view.resource)
  if (saved === null) return noResourceBox(view, resource, 'There is no board to show: BOARD lists them.')
  const form = placeForm(state, view)
  if (form !== null) return form.lines
  const area = panelArea(view)
  const { rects, page, pageCount } = rectsOf(state, saved.board, view)
  const focus = focusOf(state, saved.board)
  const lines = composeRects(
    rects.map(rect => ({
      ...rect,
      lines: drawPanel(
        {
          panel: rect.panel,
          answer: feed(state, saved, rect.panel, view).answer,
          list: state.lists[listKey(saved.id, rect.panel.id)] ?? listStart,
          hasFocus: view.isFocused && rect.panel.id === focus?.id && state.wall === null,
        },
        { ...view, width: rect.width, height: rect.height },
      ),
    })),
    area,
  )
  const head = area.top === 0 ? [] : [headLine(saved, view)]
  return [...head, ...lines, footLine(state, saved, { page, pageCount }, view)].slice(-view.height)
}

/** Panels side by side and below each other, a bar between those side by side. */
function composeRects(rects: readonly (PanelRect & { lines: readonly string[] })[], { width, height }: Area): string[] {
  const sorted = rects.toSorted((a, b) => a.x - b.x)
  return Array.from({ length: height }, (_, y) => {
    let line = ''
    let x = 0
    for (const rect of sorted) {
      if (y < rect.y || y >= rect.y + rect.height) continue
      line += ' '.repeat(Math.max(0, rect.x - x)) + (rect.lines[y - rect.y] ?? ' '.repeat(rect.width))
      x = rect.x + rect.width
    }
    return line + ' '.repeat(Math.max(0, width - x))
  })
}

function headLine({ board }: SavedBoard, { style, width }: ScreenView): string {
  const about = style.paint(
    'muted',
    style.fit(board.description.split('\n')[0] ?? '', Math.max(0, width - board.name.length - 24)).trimEnd(),
  )
  const refresh = board.refresh === 'live' ? 'live' : `every ${board.refresh} s`
  return joinLine(
    [style.bold('title', ` ${style.fit(board.name, Math.min(board.name.length, width - 12))}`), about],
    style.paint('muted', `${refresh} `),
    width,
  )
}

/** What the board is about on the left; where one is and the keys on the right. */
function footLine(
  state: BoardState,
  saved: SavedBoard,
  { page, pageCount }: { page: number; pageCount: number },
  view: ScreenView,
): string {
  const { style, width, nowMs } = view
  const values = valuesOf(saved.board, chosenFor(state, saved))
  const words = saved.board.variables.map(variable => {
    const value = String(values[variable.name] ?? '')
    const title = choicesOf(variable, view).find(choice => choice.value === value)?.title ?? value
    return `${style.paint('muted', variable.title)} ${style.paint('text', style.fit(title || 'any', Math.min(24, Math.max(3, title.length))))}`
  })
  const failed = failedMark(view, view.resource(boardResource(saved.id)))
  const pages = pageCount > 1 ? `page ${page + 1}/${pageCount}` : ''
  const { wall } = state
  const turn = wall === null ? '' : `next in ${Math.max(0, Math.ceil((wall.nextAtMs - nowMs) / 1000))}s  w stops`
  const keys = wall === null ? `${saved.board.variables.length > 0 ? 'i change  ' : ''}z alone  e save` : turn
  const right = style.paint('muted', [pages, view.isFocused ? keys : ''].filter(text => text !== '').join('  '))
  return joinLine(
    [failed === '' ? (words[0] === undefined ? ' ' : ` ${words[0]}`) : ` ${failed}`, ...words.slice(1)],
    `${right} `,
    width,
  )
}

function formSpec(state: BoardState, view: ScreenView) {
  const saved = savedOf(state, view.resource)
  if (state.form === null || saved === null) return null
  return state.form.kind === 'export' ? exportForm(view.hasPng) : variablesForm(saved.board, view)
}

function placeForm(state: BoardState, view: ScreenView) {
  const spec = formSpec(state, view)
  const { form } = state
  if (form === null || spec === null) return null
  const heads: Record<typeof form.kind, FormHead[]> = {
    variables: [{ text: 'What the board is about', role: 'title', isTitle: true }],
    export: [
      { text: 'Save', role: 'title', isTitle: true },
      {
        text: 'Rows are those of the panel with the focus; pictures are of the board as it is on this screen.',
        role: 'muted',
      },
    ],
  }
  return centredForm(view, heads[form.kind], room => drawForm(spec, form.state, { ...room, style: view.style }))
}

function actInBoard(state: BoardState, call: ActionCall, deps: ScreenDeps): BoardState | null {
  if (call.name === 'tick') return tick(state, deps)
  if (call.name === 'answer') return call.answer === undefined ? state : answered(state, call.answer, deps)
  if (state.form !== null) return actInOpenForm(state, call, deps)
  if (state.wall !== null) return actOnWall(state, call, deps)
  return state.shown === null ? actInList(state, call, deps) : actOnBoard(state, call, deps)
}

/** What comes by time: first choices, the next board of a wall, the next beat of a board. */
function tick(state: BoardState, deps: ScreenDeps): BoardState {
  const { wall } = state
  const isDue = wall !== null && wall.nextAtMs !== 0 && deps.nowMs >= wall.nextAtMs
  const turned =
    wall !== null && (isDue || wall.nextAtMs === 0)
      ? {
          ...showBoard(state, state.shown),
          wall: { ...wall, at: wall.at + (isDue ? 1 : 0), nextAtMs: deps.nowMs + wall.everyMs },
        }
      : state
  const saved = savedOf(turned, deps.resource)
  if (saved === null) return turned
  const opened = openVariablesOf(saved.board, chosenFor(turned, saved)).reduce((before, variable) => {
    const [first] = choicesOf(variable, deps)
    return first === undefined ? before : choose(before, saved.id, { [variable.name]: first.value })
  }, turned)
  return beat(opened, saved, deps)
}

function beat(state: BoardState, saved: SavedBoard, deps: ScreenDeps): BoardState {
  const { refresh, panels } = saved.board
  if (refresh === 'live') return state.held === null ? state : { ...state, held: null }
  const isFresh = state.held?.boardId === saved.id && deps.nowMs < state.held.atMs + refresh * 1000
  if (isFresh) return state
  const fed = panels.map(panel => [panel.id, feed({ ...state, held: null }, saved, panel, deps).answer] as const)
  // Until everything has come once, each panel shows what it has.
  if (fed.some(([, answer]) => answer === null || answer.status === 'loading')) return state
  const answers = Object.fromEntries(fed.flatMap(([id, answer]) => (answer === null ? [] : [[id, answer]])))
  const held: Held = { boardId: saved.id, atMs: deps.nowMs, answers }
  return { ...state, held }
}

function actOnWall(state: BoardState, call: ActionCall, deps: ScreenDeps): BoardState | null {
  const { wall } = state
  if (wall === null) return null
  switch (call.name) {
    case 'board.wall':
    case 'back':
      return { ...showBoard(state, shownId(state, deps.resource)), wall: null }
    case 'board.next':
    case 'board.nextBoard':
      return { ...state, wall: { ...wall, at: wall.at + 1, nextAtMs: deps.nowMs + wall.everyMs } }
    case 'board.previous':
    case 'board.previousBoard': {
      const count = Math.max(1, wallNames(state, deps.resource).length)
      return { ...state, wall: { ...wall, at: wall.at + count - 1, nextAtMs: deps.nowMs + wall.everyMs } }
    }
    default:
      return null
  }
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
      if (row !== undefined) copyBoard(row.id, deps)
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

function startWall(state: BoardState): BoardState {
  return { ...showBoard(state, null), wall: { names: [], at: 0, everyMs: 30_000, nextAtMs: 0 } }
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

/** Saves the board under another name, as it is on the server. */
function copyBoard(id: string, deps: ScreenDeps): void {
  const copying = async (): Promise<HttpResult> => {
    const found = await deps.http.get(boardPath(id), {}, { lineFields: ['sql'] })
    if (!found.ok) return found
    const { board } = boardResource(id).schema.parse(found.body)
    return await deps.http.post('/api/dashboards', { board: { ...board, name: `${board.name} copy` } })
  }
  deps.ask('copy', copying())
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
          form: { kind: 'variables', state: openVariables(saved.board, chosenFor(state, saved), deps) },
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
      copyBoard(saved.id, deps)
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

type Focused = NonNullable<ReturnType<typeof focused>>

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
  const body = { board: saved.board, visibility: nextVisibility[saved.visibility] }
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

/** The first of some choices is about to be taken. */
function isChoosing(state: BoardState, saved: SavedBoard, view: ScreenView): boolean {
  return openVariablesOf(saved.board, chosenFor(state, saved)).some(variable => {
    const source = choicesSource(variable)
    if (source === null) return false
    const { status, rows } = readAnswer(choicesQuery(source), view)
    return status === 'loading' || rows.length > 0
  })
}

/** The board as it is on the screen, and below it what its numbers are. */
function pictureOf(state: BoardState, view: ScreenView): Picture | null {
  const saved = savedOf(state, view.resource)
  if (saved === null || isChoosing(state, saved, view)) return null
  const { style, width } = view
  const [world] = view.live({ name: 'world', params: {} }).rows
  const notice = style.fit(` ${world?.notice ?? ''}`, Math.max(1, width - 32))
  const at = style.paint('muted', `${formatInstant(view.dataNowMs)} UTC  Cliptape `)
  const foot = joinLine([style.paint('muted', notice.trimEnd())], at, width)
  const lines = [...drawBoard(state, { ...view, isFocused: false }), foot]
  return { title: saved.board.name, svg: linesToSvg(lines, { width, theme: style.theme, title: saved.board.name }) }
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

import type { Board, FilledSource, Panel, SavedBoard } from '../../contracts/dashboards.ts'
import type { ReadResource } from '../net/resource-client.ts'
import { listStart, selectedIndexOf } from '../state/list-state.ts'
import { type PanelAnswer, panelQuery, readAnswer } from './board-answers.ts'
import { type BoardLayout, layOutBoard, panelOrder } from './board-layout.ts'
import { isListPanel } from './board-lists.ts'
import { headHeightOf, shownRows } from './board-panel.ts'
import { type BoardRow, boardListResource, boardResource, findBoardId } from './board-resources.ts'
import { type BoardState, chosenFor, listKey } from './board-state.ts'
import type { ScreenView } from './screen.ts'

// What BOARD looks at: which board, where its panels are, what they are fed with, and where the focus is.

/** With fewer lines the board's name stands in the pane's title alone. */
const headFromHeight = 24

type Area = Pick<ScreenView, 'width' | 'height'>

/** The boards that may be opened, as far as they are known. */
export function boardRows(read: ReadResource): readonly BoardRow[] {
  return read(boardListResource).body?.data ?? []
}

/** The boards that come in turn. */
export function wallNames({ wall }: BoardState, read: ReadResource): readonly string[] {
  if (wall === null) return []
  return wall.names.length > 0 ? wall.names : boardRows(read).map(row => row.id)
}

/** The id of the board that is shown; null for the list, and while nobody knows which board is called so. */
export function shownId(state: BoardState, read: ReadResource): string | null {
  return idOf(state.wall === null ? state.shown : turnName(state, state.wall.at, read), read)
}

/** What no board in the list is called may still be the id of a shared one. */
function idOf(name: string | null, read: ReadResource): string | null {
  if (name === null) return null
  const isListComing = read(boardListResource).status === 'loading'
  return findBoardId(name, boardRows(read)) ?? (isListComing ? null : name)
}

/** The id of the board that comes next on a wall, once it is time to look for it; null before that, and for a wall of one. */
function nextId(state: BoardState, read: ReadResource): string | null {
  const { wall } = state
  const id = idOf(wall?.isNextNear ? turnName(state, wall.at + 1, read) : null, read)
  return id === shownId(state, read) ? null : id
}

function turnName(state: BoardState, at: number, read: ReadResource): string | null {
  const names = wallNames(state, read)
  return names[at % Math.max(1, names.length)] ?? null
}

/** The ids of the boards that are asked for: the one that is shown, and the one that comes next. */
export function wantedIds(state: BoardState, read: ReadResource): string[] {
  return [shownId(state, read), nextId(state, read)].filter(id => id !== null)
}

/** Those of them that have come, the one that is shown first. */
export function wantedBoards(state: BoardState, read: ReadResource): SavedBoard[] {
  return wantedIds(state, read).flatMap(id => read(boardResource(id)).body ?? [])
}

/** The board that is shown; null for the list, and until it has come. */
export function savedOf(state: BoardState, read: ReadResource): SavedBoard | null {
  const id = shownId(state, read)
  return id === null ? null : read(boardResource(id)).body
}

/** Where panels are: between the head and the last line. */
export function panelArea({ width, height }: Area): { top: number; width: number; height: number } {
  const top = height >= headFromHeight ? 1 : 0
  return { top, width, height: Math.max(1, height - 1 - top) }
}

/** The panel with the focus. */
export function focusOf(state: BoardState, board: Board): Panel | null {
  const order = panelOrder(board)
  return order.find(panel => panel.id === state.focusId) ?? order[0] ?? null
}

/** Where panels are drawn. */
export function rectsOf(state: BoardState, board: Board, view: Area): BoardLayout {
  const area = panelArea(view)
  const focus = focusOf(state, board)
  if (state.isZoomed && focus !== null) {
    const rects = [{ panel: focus, x: 0, y: 0, width: area.width, height: area.height }]
    return { rects, page: 0, pageCount: 1 }
  }
  return layOutBoard(board, area, focus?.id ?? null)
}

/** A panel's question and its answer; null while something is not chosen yet. */
interface Fed {
  source: FilledSource | null
  answer: PanelAnswer | null
}

/** What a panel shows now; of a board that is renewed by beats, what it showed at the last one. */
export function feed(
  state: BoardState,
  saved: SavedBoard,
  panel: Panel,
  view: Pick<ScreenView, 'live' | 'liveSql'>,
): Fed {
  const source = panelQuery(panel, saved.board, chosenFor(state, saved))
  const held = state.held?.boardId === saved.id ? (state.held.answers[panel.id] ?? null) : null
  return { source, answer: source === null ? null : (held ?? readAnswer(source, view)) }
}

/** The panel with the focus and its selected row; null in the list, and before the board has come. */
export function focused(state: BoardState, view: ScreenView) {
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

/** What `focused` gives. */
export type Focused = NonNullable<ReturnType<typeof focused>>

/** Lines for rows in a panel that is so high. */
export function rowsHighOf(panel: Panel, height: number): number {
  return Math.max(1, height - 1 - (isListPanel(panel) ? headHeightOf(panel) : 0))
}

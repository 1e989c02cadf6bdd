import type { z } from 'zod'
import type { Resource } from '../net/resource-client.ts'
import { selectedIndexOf, topOf } from '../state/list-state.ts'
import { formatInstant } from '../text/format.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import type { BoardRow, boardListResource } from './board-resources.ts'
import type { BoardState } from './board-state.ts'
import { joinLine } from './join-line.ts'
import { failedStart, noResourceBox } from './resource-notice.ts'
import type { ScreenView } from './screen.ts'

const visibilityWords: Readonly<Record<BoardRow['visibility'], string>> = {
  private: 'private',
  shared: 'shared',
  public: 'public',
  builtIn: 'built in',
}

const columns: readonly Column<BoardRow>[] = [
  { title: 'BOARD', width: 18, flex: 1, cell: row => ({ text: row.name, role: 'subject', isBold: row.isOwn }) },
  { title: 'ABOUT', width: 16, flex: 3, fromWidth: 60, cell: row => ({ text: row.description, role: 'muted' }) },
  { title: 'PANELS', width: 6, align: 'right', cell: row => ({ text: String(row.panelCount), role: 'text' }) },
  { title: 'SEEN BY', width: 8, cell: row => ({ text: visibilityText(row), role: 'muted' }) },
  {
    title: 'CHANGED',
    width: 16,
    fromWidth: 90,
    cell: row => ({ text: row.updatedAt === null ? '' : formatInstant(Date.parse(row.updatedAt)), role: 'muted' }),
  },
]

function visibilityText({ visibility, isOwn }: BoardRow): string {
  return isOwn || visibility === 'builtIn' ? visibilityWords[visibility] : 'others'
}

/** The boards that may be opened, one's own first: exactly `view.height` lines. */
export function drawBoardList(
  state: BoardState,
  list: Resource<z.output<(typeof boardListResource)['schema']>>,
  view: ScreenView,
): string[] {
  const { style, width } = view
  const rows = list.body?.data ?? []
  const height = Math.max(1, view.height - 1)
  if (rows.length === 0) return noResourceBox(view, list, 'There are no boards.')
  const selectedIndex = selectedIndexOf(state.list, rows)
  const table = drawTable({
    rows,
    columns,
    width,
    height,
    top: topOf(state.list, selectedIndex, rows.length, Math.max(1, height - 1)),
    selectedIndex,
    hasFocus: view.isFocused,
    style,
    nowMs: view.nowMs,
    cellKey: 'boards',
  })
  const isDeleting = state.deleting !== null && rows[selectedIndex]?.id === state.deleting
  const last = isDeleting
    ? style.paint('warn', style.fit(' ! Delete this board? x again deletes.', width))
    : joinLine([failedStart(view, list)], style.paint('muted', 'Enter open  w wall  C copy  x delete '), width)
  return [...table, last].slice(0, view.height)
}

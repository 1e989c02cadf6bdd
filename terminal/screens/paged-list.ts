import type { Resource } from '../net/resource-client.ts'
import { type ListState, listStart, moveInList, pressInList, selectedIndexOf, topOf } from '../state/list-state.ts'
import { firstPage, newerPage, olderPage, type Pages } from '../state/pages.ts'
import { type Column, drawTable } from '../widgets/table.ts'
import { noResourceBox } from './resource-notice.ts'
import type { ActionCall, ScreenView } from './screen.ts'

// Lists that the server hands out page by page: how one moves in them and how they are drawn is the same on every screen.

/** Where one stands: on which page, and where on it. */
export interface PagedList {
  list: ListState
  pages: Pages
}

/** The first row of the newest page. */
export const pagedStart: PagedList = { list: listStart, pages: firstPage }

/** A page as it was answered. */
type Page<Row> = Resource<{ data: readonly Row[]; nextCursor?: string | undefined }>

/** Where a page's table stands in the body. */
interface TablePlace {
  /** Lines of the table, its head among them. */
  height: number
  /** The line of the body on which its head stands. */
  y: number
}

/** Where an action leads to: another row, by keys or a press of the mouse, or another page; null for any other action. */
export function moveInPages<Row extends { key: string }>(
  { list, pages }: PagedList,
  call: ActionCall,
  { page, height, y }: TablePlace & { page: Page<Row> },
): PagedList | null {
  const rows = page.body?.data ?? []
  const rowCount = Math.max(1, height - 1)
  switch (call.name) {
    case 'page.older':
      return { list: listStart, pages: olderPage(pages, page.body?.nextCursor) }
    case 'page.newer':
      return { list: listStart, pages: newerPage(pages) }
    case 'pointer.press':
      return { list: pressInList(list, (call.at?.y ?? 0) - y - 1, rows, rowCount), pages }
    default: {
      const moved = moveInList(list, call.name, rows, rowCount)
      return moved === null ? null : { list: moved, pages }
    }
  }
}

/**
 * The table of a page, or why there is none: exactly `height` lines.
 * @param o.empty what to do where there is nothing, as a sentence
 * @param o.cellKey as of `drawTable`
 */
export function drawPage<Row extends { key: string }>(
  list: ListState,
  view: ScreenView,
  o: { page: Page<Row>; columns: readonly Column<Row>[]; height: number; empty: string; cellKey: string },
): string[] {
  const { page, columns, height, cellKey } = o
  const rows = page.body?.data ?? []
  if (rows.length === 0) return noResourceBox({ ...view, height }, page, o.empty)
  const { width, style, nowMs, isFocused: hasFocus } = view
  const selectedIndex = selectedIndexOf(list, rows)
  const top = topOf(list, selectedIndex, rows.length, Math.max(1, height - 1))
  return drawTable({ rows, columns, width, height, top, selectedIndex, hasFocus, style, nowMs, cellKey })
}

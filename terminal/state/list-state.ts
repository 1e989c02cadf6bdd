/**
 * Where a list stands. The selection follows its row by key when the order changes; before the user has moved it is the
 * first row, whichever that is. `top` is the first row shown on the screen that moved last; others clamp it to their height.
 */
export interface ListState {
  selectedKey: string | null
  selectedIndex: number
  top: number
}

export const listStart: ListState = { selectedKey: null, selectedIndex: 0, top: 0 }

/** The index of the selection in these rows, or -1 when there are none. A row that is gone leaves the selection in its place. */
export function selectedIndexOf(list: ListState, rows: readonly { key: string }[]): number {
  if (rows.length === 0) return -1
  const found = list.selectedKey === null ? -1 : rows.findIndex(row => row.key === list.selectedKey)
  return found >= 0 ? found : Math.min(list.selectedIndex, rows.length - 1)
}

/** The first row to show so that the selection is visible in `height` rows. */
export function topOf(list: ListState, selectedIndex: number, rowCount: number, height: number): number {
  const last = Math.max(0, rowCount - height)
  const top = Math.min(list.top, last)
  if (selectedIndex < top) return Math.max(0, selectedIndex)
  return selectedIndex >= top + height ? Math.min(last, selectedIndex - height + 1) : top
}

/** The state with the selection at `index`, cut to the rows, and scrolled so that it can be seen. */
export function selectIndex(
  list: ListState,
  rows: readonly { key: string }[],
  index: number,
  height: number,
): ListState {
  if (rows.length === 0) return list
  const selectedIndex = Math.max(0, Math.min(rows.length - 1, index))
  const moved = { selectedKey: rows[selectedIndex]?.key ?? null, selectedIndex, top: list.top }
  return { ...moved, top: topOf(moved, selectedIndex, rows.length, height) }
}

/** The state after a press on the `line`th of `height` lines with rows; a press beside them changes nothing. */
export function pressInList(
  list: ListState,
  line: number,
  rows: readonly { key: string }[],
  height: number,
): ListState {
  const index = topOf(list, selectedIndexOf(list, rows), rows.length, height) + line
  return line < 0 || line >= height || index >= rows.length ? list : selectIndex(list, rows, index, height)
}

/** The state after an action that moves in lists (`move.*`, `page.*`, the wheel), or null when it is none. */
export function moveInList(
  list: ListState,
  action: string,
  rows: readonly { key: string }[],
  height: number,
): ListState | null {
  const at = selectedIndexOf(list, rows)
  const steps: Readonly<Record<string, number>> = {
    'move.up': at - 1,
    'move.down': at + 1,
    'page.up': at - Math.max(1, height - 1),
    'page.down': at + Math.max(1, height - 1),
    'move.first': 0,
    'move.last': rows.length - 1,
    'pointer.wheelUp': at - 3,
    'pointer.wheelDown': at + 3,
  }
  const index = steps[action]
  return index === undefined ? null : selectIndex(list, rows, index, height)
}

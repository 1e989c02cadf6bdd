/** The first of `height` rows to show out of `count`, so that row `selected` lies as near to the middle as the ends allow. */
export function firstVisible(count: number, height: number, selected: number): number {
  return Math.max(0, Math.min(selected - Math.floor(height / 2), count - height))
}

/** The place of the row with this key, or the first row when it is gone; -1 when there are none. */
export function selectedIndex(rows: readonly { key: string }[], key: string | null): number {
  if (rows.length === 0) return -1
  return Math.max(
    0,
    rows.findIndex(row => row.key === key),
  )
}

/** The key of the row that a movement of the list leads to; null when there are no rows. */
export function moveSelection(
  rows: readonly { key: string }[],
  key: string | null,
  move: string,
  pageRows: number,
): string | null {
  const at = selectedIndex(rows, key)
  const last = rows.length - 1
  const to =
    move === 'move.up'
      ? at - 1
      : move === 'move.down'
        ? at + 1
        : move === 'page.up'
          ? at - pageRows
          : move === 'page.down'
            ? at + pageRows
            : move === 'move.first'
              ? 0
              : last
  return rows[Math.max(0, Math.min(last, to))]?.key ?? null
}

/** The actions that `moveSelection` knows. */
export const selectionMoves: readonly string[] = [
  'move.up',
  'move.down',
  'page.up',
  'page.down',
  'move.first',
  'move.last',
]

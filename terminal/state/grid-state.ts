import type { ActionName } from '../keys/actions.ts'

/** Where one stands in a grid of rows and columns. Both count from 0. */
export interface GridState {
  row: number
  column: number
  /** The first row shown. */
  top: number
  /** The first column shown, beside the frozen one. */
  left: number
  /** The first column stays while the others move. */
  isFrozen: boolean
  /** Columns that are shown as wide as their cells are. */
  wide: readonly number[]
}

export const gridStart: GridState = { row: 0, column: 0, top: 0, left: 0, isFrozen: true, wide: [] }

/** What a grid has, and what of it can be seen. */
export interface GridSize {
  rowCount: number
  columnCount: number
  /** Rows that are shown at once. */
  height: number
}

/** The grid with the selection on a cell, cut to what there is, and scrolled by rows so that it can be seen. */
export function selectCell(grid: GridState, to: { row?: number; column?: number }, size: GridSize): GridState {
  const row = Math.max(0, Math.min(size.rowCount - 1, to.row ?? grid.row))
  const column = Math.max(0, Math.min(size.columnCount - 1, to.column ?? grid.column))
  return { ...grid, row, column, top: gridTop({ ...grid, row }, size) }
}

/** The first row to show so that the selected one is among them. */
export function gridTop({ row, top }: GridState, { rowCount, height }: Omit<GridSize, 'columnCount'>): number {
  const last = Math.max(0, rowCount - height)
  const from = Math.min(top, last)
  if (row < from) return Math.max(0, row)
  return row >= from + height ? Math.min(last, row - height + 1) : from
}

/** The grid after an action that moves in it (`grid.*`, the wheel), or null when it is none. */
export function moveInGrid(grid: GridState, action: ActionName, size: GridSize): GridState | null {
  const page = Math.max(1, size.height - 1)
  switch (action) {
    case 'grid.up':
      return selectCell(grid, { row: grid.row - 1 }, size)
    case 'grid.down':
      return selectCell(grid, { row: grid.row + 1 }, size)
    case 'grid.pageUp':
      return selectCell(grid, { row: grid.row - page }, size)
    case 'grid.pageDown':
      return selectCell(grid, { row: grid.row + page }, size)
    case 'grid.first':
      return selectCell(grid, { row: 0 }, size)
    case 'grid.last':
      return selectCell(grid, { row: size.rowCount - 1 }, size)
    case 'grid.left':
      return selectCell(grid, { column: grid.column - 1 }, size)
    case 'grid.right':
      return selectCell(grid, { column: grid.column + 1 }, size)
    case 'grid.firstColumn':
      return selectCell(grid, { column: 0 }, size)
    case 'grid.lastColumn':
      return selectCell(grid, { column: size.columnCount - 1 }, size)
    case 'grid.freeze':
      return { ...grid, isFrozen: !grid.isFrozen }
    case 'grid.wide':
      return {
        ...grid,
        wide: grid.wide.includes(grid.column)
          ? grid.wide.filter(each => each !== grid.column)
          : [...grid.wide, grid.column],
      }
    case 'pointer.wheelUp':
      return selectCell(grid, { row: grid.row - 3 }, size)
    case 'pointer.wheelDown':
      return selectCell(grid, { row: grid.row + 3 }, size)
    default:
      return null
  }
}

/** The size of a viewer's window in cells. */
export interface Size {
  columns: number
  rows: number
}

/** Where a pane is drawn; `height` counts its title line. */
export interface PaneRect {
  paneIndex: number
  x: number
  y: number
  width: number
  height: number
}

/** What is drawn where in a window of some size. */
export interface Layout {
  /** The window is too small for anything but a card that says so. */
  isTooSmall: boolean
  hasTape: boolean
  /** Lines above the panes. */
  headerRows: number
  bodyRows: number
  panes: readonly PaneRect[]
}

export const panesMax = 3
export const smallest: Size = { columns: 60, rows: 15 }
const footerRows = 2

/** How many panes a window shows at once; the others are tabs. */
export function visiblePaneMax(columns: number): number {
  return columns >= 160 ? 3 : columns >= 100 ? 2 : 1
}

/** Which panes there are. `isWhole`: the focused one takes the whole body. */
export interface OpenPanes {
  count: number
  focused: number
  isWhole: boolean
}

/**
 * Lays the window out: header, panes, footer. Wide windows show two panes side by side, very wide ones a large one and two
 * stacked beside it; with more panes than room the focused one is always among those shown.
 */
export function layoutOf(size: Size, { count: paneCount, focused, isWhole }: OpenPanes): Layout {
  const hasTape = size.rows >= 20
  const headerRows = hasTape ? 3 : 2
  const bodyRows = Math.max(0, size.rows - headerRows - footerRows)
  const isTooSmall = size.columns < smallest.columns || size.rows < smallest.rows
  const count = Math.min(isWhole ? 1 : visiblePaneMax(size.columns), paneCount)
  const first = Math.max(0, Math.min(focused - count + 1, paneCount - count))
  const rects = isTooSmall ? [] : placePanes(count, { columns: size.columns, rows: bodyRows }, headerRows)
  return {
    isTooSmall,
    hasTape,
    headerRows,
    bodyRows,
    panes: rects.map((rect, i) => ({ ...rect, paneIndex: first + i })),
  }
}

function placePanes(count: number, body: Size, y: number): Omit<PaneRect, 'paneIndex'>[] {
  if (count === 0) return []
  if (count === 1) return [{ x: 0, y, width: body.columns, height: body.rows }]
  const left = Math.round((body.columns - 1) * 0.58)
  const right = { x: left + 1, width: body.columns - 1 - left }
  const leftRect = { x: 0, y, width: left, height: body.rows }
  if (count === 2) return [leftRect, { ...right, y, height: body.rows }]
  const upper = Math.ceil(body.rows / 2)
  return [leftRect, { ...right, y, height: upper }, { ...right, y: y + upper, height: body.rows - upper }]
}

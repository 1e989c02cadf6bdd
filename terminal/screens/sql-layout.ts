import type { GridSize } from '../state/grid-state.ts'
import { linesOf } from '../text/text-buffer.ts'
import type { ScreenView } from './screen.ts'
import { bufferOf, type SqlState, sourceOf } from './sql-state.ts'

type SqlView = Pick<ScreenView, 'width' | 'height' | 'desk' | 'result' | 'liveSql'>

/** Where the parts of the screen stand: lines of the body, from the top. */
export interface SqlLayout {
  editorHeight: number
  /** Below the text: what was run, and how it went. */
  statusY: number
  /** The rows, or what stands in their place. */
  lower: { y: number; height: number }
  gridWidth: number
  /** The chart beside the rows, or in their place; null where there is none. */
  chart: { x: number; width: number } | null
}

const editorHeightMin = 3
/** From this width on a chart stands beside the rows. */
const besideFromWidth = 110

/** Keys that go into the text give it the room that it takes, up to a half; on the rows those have more. */
export function layoutSql(state: SqlState, view: Pick<ScreenView, 'width' | 'height' | 'desk'>): SqlLayout {
  const { width, height } = view
  const lineCount = linesOf(bufferOf(state, view).text).length
  const share = state.run === null && state.zone === 'editor' ? 0.55 : state.zone === 'editor' ? 0.5 : 0.3
  const most = Math.max(editorHeightMin, Math.floor(height * share))
  const editorHeight = Math.min(most, Math.max(editorHeightMin + (state.zone === 'editor' ? 2 : 0), lineCount + 1))
  const lowerY = editorHeight + 1
  const isBeside = width >= besideFromWidth
  const gridWidth = state.chart === null ? width : isBeside ? Math.floor(width * 0.48) : 0
  return {
    editorHeight,
    statusY: editorHeight,
    lower: { y: lowerY, height: Math.max(1, height - lowerY - 1) },
    gridWidth,
    chart:
      state.chart === null ? null : isBeside ? { x: gridWidth + 1, width: width - gridWidth - 1 } : { x: 0, width },
  }
}

/** What the grid has, and how much of it is seen at once: one line is its head. */
export function gridSizeOf(state: SqlState, view: SqlView): GridSize {
  const source = sourceOf(state, view)
  return {
    rowCount: source?.rowCount ?? 0,
    columnCount: source?.columns.length ?? 0,
    height: Math.max(1, layoutSql(state, view).lower.height - 1),
  }
}

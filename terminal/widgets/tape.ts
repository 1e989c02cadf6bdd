import type { TrendRow } from '../../contracts/measures.ts'
import { formatChange, formatMultiple } from '../text/format.ts'
import { cellWidth, truncate } from '../text/width.ts'
import type { Style } from '../theme/style.ts'
import type { ColorRole } from '../theme/themes.ts'

/** One cell of the tape's loop; the second cell of a wide character is empty. */
interface TapeCell {
  text: string
  role: ColorRole
}

/** How long the tape rests on a cell. */
export const tapeStepMs = 200
const titleCellsMax = 32
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const loops = new WeakMap<readonly TrendRow[], Map<string, readonly TapeCell[]>>()

/** The biggest movers running along one line of exactly `width` cells; it stands still with reduced motion. */
export function drawTape(options: { rows: readonly TrendRow[]; width: number; style: Style; nowMs: number }): string {
  const { rows, width, style, nowMs } = options
  const loop = loopOf(rows, style)
  if (loop.length === 0) return style.paint('faint', style.fit(' The movers run here once there are some.', width))
  const isStill = style.isReducedMotion || loop.length <= width
  const start = isStill ? 0 : Math.floor(nowMs / tapeStepMs) % loop.length
  return paintCells(loop, start, width, isStill, style)
}

function loopOf(rows: readonly TrendRow[], style: Style): readonly TapeCell[] {
  let byStyle = loops.get(rows)
  if (byStyle === undefined) {
    byStyle = new Map()
    loops.set(rows, byStyle)
  }
  const key = style.isAscii ? 'ascii' : 'unicode'
  const known = byStyle.get(key)
  if (known !== undefined) return known
  const loop = rows.flatMap(row => itemCells(row, style))
  byStyle.set(key, loop)
  return loop
}

function itemCells(row: TrendRow, style: Style): TapeCell[] {
  const { glyphs } = style
  const isUp = (row.rankChange ?? 1) >= 0
  const rank = row.rankChange === null ? 'NEW' : `${isUp ? glyphs.up : glyphs.down}${Math.abs(row.rankChange)}`
  const change = row.gain === null ? '' : ` ${formatChange(row.gain)}`
  const speed = row.acceleration === null ? '' : ` ${formatMultiple(row.acceleration)}`
  return [
    ...cellsOf(` ${truncate(row.title, titleCellsMax, glyphs.ellipsis)} `, 'subject'),
    ...cellsOf(rank, isUp ? 'up' : 'down'),
    ...cellsOf(change, row.gain !== null && row.gain < 0 ? 'down' : 'up'),
    ...cellsOf(speed, 'muted'),
    ...cellsOf(`  ${glyphs.bar}`, 'faint'),
  ]
}

function cellsOf(text: string, role: ColorRole): TapeCell[] {
  return [...segmenter.segment(text)].flatMap(({ segment }) => {
    const width = cellWidth(segment)
    if (width === 0) return []
    const rest = Array.from({ length: width - 1 }, () => ({ text: '', role }))
    return [{ text: segment, role }, ...rest]
  })
}

/** A window of the loop. A wide character cut by an edge becomes spaces. */
function paintCells(loop: readonly TapeCell[], start: number, width: number, isStill: boolean, style: Style): string {
  let line = ''
  let run = ''
  let role: ColorRole = 'text'
  for (let x = 0; x < width; x++) {
    const cell = isStill && x >= loop.length ? undefined : loop[(start + x) % loop.length]
    const next = loop[(start + x + 1) % loop.length]
    const isCut = (x === 0 && cell?.text === '') || (x === width - 1 && next?.text === '')
    const text = cell === undefined || isCut ? ' ' : cell.text
    if (cell !== undefined && cell.role !== role) {
      line += style.paint(role, run)
      run = ''
      role = cell.role
    }
    run += text
  }
  return line + style.paint(role, run)
}

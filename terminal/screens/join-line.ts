import { cellWidth, padLine } from '../text/width.ts'

/**
 * Painted parts side by side, two cells apart, with `right` at the right edge: exactly `width` cells. Parts that do not
 * fit are left out whole, the last ones first; empty parts take no room. The first part goes before `right`, and must be
 * no wider than `width`.
 */
export function joinLine(parts: readonly string[], right: string, width: number): string {
  const shown = parts.map(text => ({ text, cells: cellWidth(text) })).filter(({ cells }) => cells > 0)
  const rightCells = cellWidth(right)
  const hasRight = rightCells > 0 && (shown[0]?.cells ?? 0) + 1 + rightCells <= width
  const room = hasRight ? width - rightCells - 1 : width
  let line = ''
  let used = 0
  for (const { text, cells } of shown) {
    const gap = used === 0 ? 0 : 2
    if (used + gap + cells > room) break
    line += ' '.repeat(gap) + text
    used += gap + cells
  }
  return hasRight ? `${padLine(line, room)} ${right}` : padLine(line, width)
}

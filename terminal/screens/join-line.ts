import { cellWidth, padLine } from '../text/width.ts'

/**
 * Painted parts side by side, two cells apart, with `right` at the right edge: exactly `width` cells. Parts that do not
 * fit are left out whole, the last ones first; empty parts take no room. The first part must fit by itself.
 */
export function joinLine(parts: readonly string[], right: string, width: number): string {
  const rightWidth = cellWidth(right)
  const hasRight = rightWidth > 0 && rightWidth + 1 < width
  const room = hasRight ? width - rightWidth - 1 : width
  let line = ''
  let used = 0
  for (const part of parts) {
    const partWidth = cellWidth(part)
    if (partWidth === 0) continue
    const gap = used === 0 ? 0 : 2
    if (used + gap + partWidth > room) break
    line += ' '.repeat(gap) + part
    used += gap + partWidth
  }
  return hasRight ? `${padLine(line, room)} ${right}` : padLine(line, width)
}

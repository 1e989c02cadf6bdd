import { cellWidth } from '../text/width.ts'
import type { Style } from '../theme/style.ts'

/** A title and a line behind it to the right edge: exactly `width` cells. */
export function ruleLine(title: string, { width, style }: { width: number; style: Style }): string {
  const shown = style.fit(title, Math.min(cellWidth(title), Math.max(0, width - 2)))
  const rest = Math.max(0, width - cellWidth(shown) - 1)
  return `${style.bold('title', shown)} ${style.paint('faint', style.glyphs.line.repeat(rest))}`
}

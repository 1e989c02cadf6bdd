import { cellWidth, fitCells } from '../text/width.ts'
import { CellGrid } from './cell-grid.ts'
import type { PlotStyle } from './plot.ts'

/** A number as it is written, e.g. `1.2M` or `+3.4%`. */
export interface BigNumberData {
  text: string
}

/** Five rows of pixels for each character, `#` for one that is set. */
const glyphs: Readonly<Record<string, readonly string[]>> = {
  '0': ['###', '# #', '# #', '# #', '###'],
  '1': [' # ', '## ', ' # ', ' # ', '###'],
  '2': ['###', '  #', '###', '#  ', '###'],
  '3': ['###', '  #', '###', '  #', '###'],
  '4': ['# #', '# #', '###', '  #', '  #'],
  '5': ['###', '#  ', '###', '  #', '###'],
  '6': ['###', '#  ', '###', '# #', '###'],
  '7': ['###', '  #', ' # ', ' # ', ' # '],
  '8': ['###', '# #', '###', '# #', '###'],
  '9': ['###', '# #', '###', '  #', '###'],
  '.': [' ', ' ', ' ', ' ', '#'],
  ',': [' ', ' ', ' ', '#', '#'],
  ':': [' ', '#', ' ', '#', ' '],
  '-': ['   ', '   ', '###', '   ', '   '],
  '+': ['   ', ' # ', '###', ' # ', '   '],
  '%': ['# #', '  #', ' # ', '#  ', '# #'],
  K: ['# #', '# #', '## ', '# #', '# #'],
  M: ['# #', '###', '###', '# #', '# #'],
  B: ['## ', '# #', '## ', '# #', '## '],
  T: ['###', ' # ', ' # ', ' # ', ' # '],
  x: ['   ', '# #', ' # ', '# #', '   '],
  k: ['#  ', '# #', '## ', '# #', '# #'],
  s: ['   ', ' ##', ' # ', '## ', '   '],
  m: ['   ', '   ', '###', '###', '# #'],
  h: ['#  ', '#  ', '###', '# #', '# #'],
  d: ['  #', '  #', '###', '# #', '###'],
  w: ['   ', '   ', '# #', '###', '###'],
  y: ['   ', '# #', '###', '  #', ' ##'],
  ' ': [' ', ' ', ' ', ' ', ' '],
}
const pixelRows = 5

/**
 * A number in large figures in the middle of the size, as large as fits; where it has characters without a large form, or
 * no room, in ordinary ones.
 */
export function drawBigNumber(
  { text }: BigNumberData,
  size: { width: number; height: number },
  style: PlotStyle,
): string[] {
  const rows = pixelsOf(text)
  const scale = rows === null ? 0 : scaleFor(rows, size, style)
  if (rows === null || scale === 0) return plainNumber(text, size, style)
  const grid = new CellGrid(size.width, size.height)
  const [wide = 0, high = 0] = extent(rows, scale, style)
  const left = Math.floor((size.width - wide) / 2)
  const top = Math.floor((size.height - high) / 2)
  const perCell = style.isAscii ? 1 : 2
  const isSet = (x: number, y: number) => rows[Math.floor(y / scale)]?.[Math.floor(x / scale)] === '#'
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++) {
      const upper = isSet(x, y * perCell)
      const lower = perCell === 2 && isSet(x, y * 2 + 1)
      const char = style.isAscii ? (upper ? '#' : '') : upper && lower ? '█' : upper ? '▀' : lower ? '▄' : ''
      if (char !== '') grid.put(left + x, top + y, char, style.theme.series[0])
    }
  return grid.toLines(style.hasColor)
}

/** The rows of pixels of a whole text, a gap between characters; null when one of them has no large form. */
function pixelsOf(text: string): string[] | null {
  const shapes = [...text].map(char => glyphs[char])
  if (shapes.length === 0 || shapes.some(shape => shape === undefined)) return null
  return Array.from({ length: pixelRows }, (_, y) => shapes.map(shape => shape?.[y] ?? '').join(' '))
}

function scaleFor(rows: readonly string[], size: { width: number; height: number }, style: PlotStyle): number {
  for (const scale of [2, 1]) {
    const [wide = 0, high = 0] = extent(rows, scale, style)
    if (wide <= size.width - 2 && high <= size.height) return scale
  }
  return 0
}

function extent(rows: readonly string[], scale: number, { isAscii }: PlotStyle): [number, number] {
  return [(rows[0]?.length ?? 0) * scale, Math.ceil((pixelRows * scale) / (isAscii ? 1 : 2))]
}

function plainNumber(text: string, size: { width: number; height: number }, style: PlotStyle): string[] {
  const grid = new CellGrid(size.width, size.height)
  const shown = fitCells(text, Math.min(size.width, cellWidth(text)), 'left', style.isAscii ? '~' : '…')
  grid.text(
    Math.floor((size.width - cellWidth(shown)) / 2),
    Math.floor((size.height - 1) / 2),
    shown,
    style.theme.series[0],
  )
  return grid.toLines(style.hasColor)
}

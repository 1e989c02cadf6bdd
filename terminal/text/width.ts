import stringWidth from 'string-width'

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const isAscii = /^[\x20-\x7e]*$/

/** Cells that a text takes; colours in it take none. */
export function cellWidth(text: string): number {
  return stringWidth(text)
}

export type Align = 'left' | 'right' | 'center'

/**
 * A plain text (no colours) as exactly `width` cells: cut with `ellipsis` where it is too long, padded where it is short.
 * A wide character that would stick out by half is left out.
 */
export function fitCells(text: string, width: number, align: Align = 'left', ellipsis = '…'): string {
  if (width <= 0) return ''
  const cut = truncate(text, width, ellipsis)
  return pad(cut, width - cellWidth(cut), align)
}

/** A plain text cut to at most `width` cells, the last of them `ellipsis` (one cell) where something is missing. */
export function truncate(text: string, width: number, ellipsis = '…'): string {
  if (width <= 0) return ''
  if (isAscii.test(text))
    return text.length <= width ? text : `${text.slice(0, width - cellWidth(ellipsis))}${ellipsis}`.slice(0, width)
  if (cellWidth(text) <= width) return text
  return `${takeCells(text, width - cellWidth(ellipsis))}${ellipsis}`
}

/** As many whole characters from the start as fit into `width` cells. */
export function takeCells(text: string, width: number): string {
  let used = 0
  let end = 0
  for (const { segment, index } of segmenter.segment(text)) {
    used += cellWidth(segment)
    if (used > width) break
    end = index + segment.length
  }
  return text.slice(0, end)
}

/** A line that may hold colours, padded on the right to `width` cells; it must not be longer. */
export function padLine(line: string, width: number): string {
  return pad(line, width - cellWidth(line), 'left')
}

/** Words of a plain text in lines of at most `width` cells; a longer word is cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (cellWidth(longer) <= width) line = longer
    else {
      if (line !== '') lines.push(line)
      line = truncate(word, width)
    }
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line]
}

/** A plain text in lines of `width` characters, for what has no words and must stay whole: an address, a key. One-cell characters only. */
export function chunk(text: string, width: number): string[] {
  const size = Math.max(1, width)
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size))
}

function pad(text: string, cells: number, align: Align): string {
  if (cells <= 0) return text
  if (align === 'right') return ' '.repeat(cells) + text
  const before = align === 'center' ? Math.floor(cells / 2) : 0
  return ' '.repeat(before) + text + ' '.repeat(cells - before)
}

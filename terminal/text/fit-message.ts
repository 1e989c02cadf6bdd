import { cellWidth, takeCells, truncate } from './width.ts'

/** A path that is shortened keeps at least so much of its beginning and of its end. */
const keptMin = 6

/**
 * A sentence as at most `width` cells. Where it is too long and holds a path, the middle of the path is left out: what a
 * file is called stands at its end. Else the end of the sentence is.
 */
export function fitMessage(text: string, width: number, ellipsis: string): string {
  const surplus = cellWidth(text) - width
  if (surplus <= 0) return text
  const path = text
    .split(' ')
    .filter(word => word.includes('/'))
    .reduce((longest, word) => (cellWidth(word) > cellWidth(longest) ? word : longest), '')
  const kept = cellWidth(path) - surplus - cellWidth(ellipsis)
  if (kept < 2 * keptMin) return truncate(text, width, ellipsis)
  const name = path.slice(path.lastIndexOf('/'))
  const tail = endCells(path, Math.min(kept - keptMin, Math.max(cellWidth(name), Math.floor(kept / 2))))
  const head = takeCells(path, kept - cellWidth(tail))
  return text.replace(path, () => head + ellipsis + tail)
}

/** As many whole characters from the end as fit into `width` cells. */
function endCells(text: string, width: number): string {
  const characters = [...text]
  while (cellWidth(characters.join('')) > width) characters.shift()
  return characters.join('')
}

import { isImage } from '../charts/kitty-images.ts'
import { cellWidth } from '../text/width.ts'
import { encodeColors } from '../theme/color-depth.ts'
import type { Style } from '../theme/style.ts'

const esc = '\u001b'
const sgrSplit = new RegExp(`(${esc}\\[[\\d;]*m)`)
/** Characters whose width every terminal agrees on. */
const agreed =
  /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u024f\u2013\u2014\u2022\u2026\u2500-\u259f\u25b2\u25bc\u25cb\u25cf\u2800-\u28ff\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]*$/
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** One drawn line, which starts at column `x`, as it is sent to viewers of this style. */
export function encodeLine(line: string, x: number, style: Style): string {
  const plain = style.isAscii ? toAscii(line) : pinColumns(line, x)
  return encodeColors(plain, style.theme, style.depth)
}

/**
 * Terminals disagree on how wide an emoji or a script's marks are; one that counts otherwise would shift the rest of the
 * line. Behind every such character the cursor is sent to the column where it must be.
 */
function pinColumns(line: string, x: number): string {
  if (agreed.test(line.replaceAll(esc, ''))) return line
  let column = x
  return line
    .split(sgrSplit)
    .map(part => {
      if (part.startsWith(esc)) return part
      if (agreed.test(part) || isImage(part)) {
        column += cellWidth(part)
        return part
      }
      let pinned = ''
      for (const { segment } of segmenter.segment(part)) {
        const width = cellWidth(segment)
        // The cells are blanked first: a terminal that takes the character for narrower would keep what stood there.
        pinned += agreed.test(segment)
          ? segment
          : `${' '.repeat(width)}${esc}[${column + 1}G${segment}${esc}[${column + width + 1}G`
        column += width
      }
      return pinned
    })
    .join('')
}

/** Letters lose their accents, everything else that is not ASCII becomes `?`, as wide as it was. */
function toAscii(line: string): string {
  if (!/[^\p{ASCII}]/u.test(line)) return line
  return line
    .split(sgrSplit)
    .map(part =>
      part.startsWith(esc) ? part : [...segmenter.segment(part)].map(each => asciiOf(each.segment)).join(''),
    )
    .join('')
}

function asciiOf(segment: string): string {
  if (/^[\x20-\x7e]$/.test(segment)) return segment
  const base = segment.normalize('NFD').replace(/\p{M}/gu, '')
  return /^[\x20-\x7e]$/.test(base) ? base : '?'.repeat(cellWidth(segment))
}

import { cellWidth } from '../text/width.ts'
import type { Theme } from '../theme/themes.ts'

// A picture of drawn lines that any browser shows and anything scales. The cells are ours, so what a line says is known:
// the colours and attributes that the styles and charts switch on and off, and nothing else of a terminal.

const cell = { width: 8.4, height: 17, baseline: 13, fontSize: 14 }
const padding = 12
const plain = { text: '#d0d0d0', ground: '#000000' }
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const sgr = new RegExp(`${'\u001b'}\\[([\\d;]*)m`)

interface Look {
  front: string | null
  back: string | null
  isBold: boolean
  isInverse: boolean
}

const noLook: Look = { front: null, back: null, isBold: false, isInverse: false }

/**
 * Painted lines as an SVG of `width` cells.
 * @param o.title what a screen reader says of the picture
 */
export function linesToSvg(lines: readonly string[], o: { width: number; theme: Theme; title: string }): string {
  const base = o.theme.base ?? plain
  const widthPx = Math.ceil(o.width * cell.width + 2 * padding)
  const heightPx = lines.length * cell.height + 2 * padding
  const grounds: string[] = []
  const texts: string[] = []
  lines.forEach((line, y) => {
    for (const run of runsOf(line)) {
      const own = { text: run.look.front ?? base.text, ground: run.look.back ?? base.ground }
      const [text, ground] = run.look.isInverse ? [own.ground, own.text] : [own.text, own.ground]
      const left = padding + run.x * cell.width
      const top = padding + y * cell.height
      const wide = run.cells * cell.width
      if (ground !== base.ground)
        grounds.push(
          `<rect x="${px(left)}" y="${px(top)}" width="${px(wide)}" height="${cell.height}" fill="${ground}"/>`,
        )
      if (run.text.trim() === '') continue
      const weight = run.look.isBold ? ' font-weight="bold"' : ''
      // The length is given: whatever font is there, columns stay columns.
      texts.push(
        `<text x="${px(left)}" y="${px(top + cell.baseline)}" fill="${text}"${weight} textLength="${px(wide)}" lengthAdjust="spacingAndGlyphs">${escapeXml(run.text)}</text>`,
      )
    }
  })
  const title = escapeXml(o.title)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}" role="img" aria-label="${title}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="${cell.fontSize}" xml:space="preserve">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" fill="${base.ground}"/>`,
    ...grounds,
    ...texts,
    '</svg>',
    '',
  ].join('\n')
}

interface Run {
  x: number
  cells: number
  text: string
  look: Look
}

/** Neighbouring characters of one look. Spaces at the end of a run go with it; wide characters stand alone. */
function runsOf(line: string): Run[] {
  const runs: Run[] = []
  let look = noLook
  let x = 0
  line.split(sgr).forEach((part, i) => {
    // Every second part is what stood in a sequence.
    if (i % 2 === 1) {
      look = changed(look, part)
      return
    }
    for (const { text, cells } of pieces(part)) {
      runs.push({ x, cells, text, look })
      x += cells
    }
  })
  return runs
}

/** A text in pieces that a given length can be set for: characters of one cell together, others each alone. */
function pieces(text: string): { text: string; cells: number }[] {
  if (text === '') return []
  const all: { text: string; cells: number; isWide: boolean }[] = []
  for (const { segment } of segmenter.segment(text)) {
    const cells = cellWidth(segment)
    const last = all.at(-1)
    if (cells === 1 && last !== undefined && !last.isWide) {
      last.text += segment
      last.cells += 1
    } else all.push({ text: segment, cells, isWide: cells !== 1 })
  }
  return all
}

function changed(look: Look, codes: string): Look {
  const numbers = codes === '' ? [0] : codes.split(';').map(Number)
  const [first = 0, mode, red = 0, green = 0, blue = 0] = numbers
  if ((first === 38 || first === 48) && mode === 2) {
    const hex = `#${[red, green, blue].map(part => part.toString(16).padStart(2, '0')).join('')}`
    return first === 38 ? { ...look, front: hex } : { ...look, back: hex }
  }
  return Object.assign({ ...look }, ...numbers.map(code => switches[code]))
}

const switches: Readonly<Record<number, Partial<Look>>> = {
  0: noLook,
  1: { isBold: true },
  22: { isBold: false },
  7: { isInverse: true },
  27: { isInverse: false },
  39: { front: null },
  49: { back: null },
}

function px(value: number): string {
  return String(Number(value.toFixed(2)))
}

/** Text of anybody's: nothing of it may be read as markup, and characters that XML does not allow are left out. */
function escapeXml(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cs}\ufffe\uffff]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

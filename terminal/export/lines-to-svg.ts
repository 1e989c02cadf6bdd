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

/** What every font with columns has. */
const plainText = /^[\x21-\x7e]+$/
const noLook: Look = { front: null, back: null, isBold: false, isInverse: false }

/**
 * Painted lines as an SVG of `width` cells.
 * @param o.title what a screen reader says of the picture
 */
export function linesToSvg(lines: readonly string[], o: { width: number; theme: Theme; title: string }): string {
  const base = o.theme.base ?? plain
  const widthPx = Math.ceil(o.width * cell.width + 2 * padding)
  const heightPx = lines.length * cell.height + 2 * padding
  const shapes: string[] = []
  const texts: string[] = []
  lines.forEach((line, y) => {
    for (const run of runsOf(line)) {
      const own = { text: run.look.front ?? base.text, ground: run.look.back ?? base.ground }
      const [text, ground] = run.look.isInverse ? [own.ground, own.text] : [own.text, own.ground]
      const place = { left: padding + run.x * cell.width, top: padding + y * cell.height, cells: run.cells }
      if (ground !== base.ground) shapes.push(rect(place, ground, whole))
      const block = blocks[run.text.charAt(0)]
      if (block !== undefined) shapes.push(rect(place, text, block))
      else if (escapeXml(run.text).trim() !== '') texts.push(textOf(run, place, text))
    }
  })
  const title = escapeXml(o.title)
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}" viewBox="0 0 ${widthPx} ${heightPx}" role="img" aria-label="${title}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="${cell.fontSize}">`,
    `<title>${title}</title>`,
    `<rect width="100%" height="100%" fill="${base.ground}"/>`,
    ...shapes,
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

/** Neighbouring characters that are drawn in one piece: words of one look, the same block again and again, blanks. */
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
    for (const { segment } of segmenter.segment(part)) {
      const cells = cellWidth(segment)
      const last = runs.at(-1)
      if (last !== undefined && last.look === look && goesWith(last, segment, cells)) {
        last.text += segment
        last.cells += cells
      } else runs.push({ x, cells, text: segment, look })
      x += cells
    }
  })
  return runs.filter(({ text, look: { back, isInverse } }) => text.trim() !== '' || back !== null || isInverse)
}

/** Blocks are drawn as shapes and go with their like; of everything else only plain characters keep their columns together. */
function goesWith(run: Run, segment: string, cells: number): boolean {
  if (segment in blocks || run.text.charAt(0) in blocks) return run.text.startsWith(segment)
  const isBlank = segment === ' '
  return cells === 1 && isBlank === (run.text.trim() === '') && (isBlank || plainText.test(run.text + segment))
}

interface Place {
  left: number
  top: number
  cells: number
}

/** The part of a cell that a shape fills, from its top, and how densely. */
interface Block {
  from: number
  to: number
  opacity: number
}

const whole: Block = { from: 0, to: 1, opacity: 1 }
const eighths = '▁▂▃▄▅▆▇█'
const blocks: Readonly<Record<string, Block>> = {
  ...Object.fromEntries([...eighths].map((char, i) => [char, { ...whole, from: 1 - (i + 1) / 8 }])),
  '▀': { ...whole, to: 0.5 },
  '░': { ...whole, opacity: 0.25 },
  '▒': { ...whole, opacity: 0.5 },
  '▓': { ...whole, opacity: 0.75 },
}

function rect({ left, top, cells }: Place, fill: string, { from, to, opacity }: Block): string {
  const dense = opacity === 1 ? '' : ` opacity="${opacity}"`
  return `<rect x="${px(left)}" y="${px(top + from * cell.height)}" width="${px(cells * cell.width)}" height="${px((to - from) * cell.height)}" fill="${fill}"${dense}/>`
}

/** The length is given: whatever font is there, columns stay columns. */
function textOf({ text, look }: Run, { left, top, cells }: Place, fill: string): string {
  const weight = look.isBold ? ' font-weight="bold"' : ''
  const length = cells > 1 && plainText.test(text) ? ` textLength="${px(cells * cell.width)}"` : ''
  return `<text x="${px(left)}" y="${px(top + cell.baseline)}" fill="${fill}"${weight}${length}>${escapeXml(text)}</text>`
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

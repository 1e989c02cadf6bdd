import { rgbOf, sgrRgb } from '../charts/color.ts'
import { type Align, fitCells } from '../text/width.ts'
import { type ColorRole, colorRoles, type Theme } from './themes.ts'

/** Bits of colour that are sent to the terminal; 0 sends none. */
export type ColorDepth = 0 | 4 | 8 | 24

/** Marks that the screens use, with a form in ASCII. */
export interface Glyphs {
  up: string
  down: string
  flat: string
  dot: string
  ring: string
  ellipsis: string
  line: string
  bar: string
  arrow: string
  bullet: string
}

const unicode: Glyphs = {
  up: '▲',
  down: '▼',
  flat: '·',
  dot: '●',
  ring: '○',
  ellipsis: '…',
  line: '─',
  bar: '│',
  arrow: '→',
  bullet: '•',
}
const ascii: Glyphs = {
  up: '^',
  down: 'v',
  flat: '.',
  dot: '*',
  ring: 'o',
  ellipsis: '~',
  line: '-',
  bar: '|',
  arrow: '>',
  bullet: '*',
}

/**
 * How a viewer's screen is painted. Painting is always in true colour; the frame writer maps it to the viewer's depth, so
 * that one drawing serves every depth. Painted texts are self-contained: what they switch on they switch off.
 */
export interface Style {
  theme: Theme
  depth: ColorDepth
  isAscii: boolean
  /** No moving tape, no flashes. */
  isReducedMotion: boolean
  /** Pictures are sent as images, not drawn in cells. */
  hasImages: boolean
  glyphs: Glyphs
  paint(role: ColorRole, text: string): string
  bold(role: ColorRole, text: string): string
  /** A whole line as the selected one: swapped colours, nothing else, so that it can be read in every theme. */
  inverse(text: string): string
  /** A plain text as exactly `width` cells, cut with this style's ellipsis. */
  fit(text: string, width: number, align?: Align): string
  /** Equal for two styles that paint alike: part of the key of every memoised row. */
  key: string
}

/** Makes the style of a theme for a viewer. */
export function createStyle(options: {
  theme: Theme
  depth: ColorDepth
  isAscii: boolean
  isReducedMotion: boolean
  hasImages?: boolean
}): Style {
  const { theme, depth, isAscii, isReducedMotion, hasImages = false } = options
  const glyphs = isAscii ? ascii : unicode
  const opening = new Map(colorRoles.map(role => [role, sgrRgb(38, rgbOf(theme.colors[role]))]))
  return {
    ...options,
    hasImages,
    glyphs,
    paint: (role, text) => (text === '' ? '' : `${opening.get(role) ?? ''}${text}\x1b[39m`),
    bold: (role, text) => (text === '' ? '' : `\x1b[1m${opening.get(role) ?? ''}${text}\x1b[39m\x1b[22m`),
    inverse: text => `\x1b[7m${text}\x1b[27m`,
    fit: (text, width, align = 'left') => fitCells(text, width, align, glyphs.ellipsis),
    key: `${theme.name}/${depth}/${isAscii ? 'a' : 'u'}${isReducedMotion ? 'r' : 'm'}${hasImages ? 'i' : ''}`,
  }
}

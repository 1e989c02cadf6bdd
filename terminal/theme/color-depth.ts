import { paletteIndexOf, rgbOf, rgbOfPalette, sgrRgb } from '../charts/color.ts'
import type { ColorDepth } from './style.ts'
import type { Theme } from './themes.ts'

// Screens paint in true colour. Here one painted line becomes what a viewer's terminal understands: 256 or 16 colours or
// none, on the theme's own ground. Themes are mapped down, never replaced.

const esc = '\u001b'
const sgrPattern = new RegExp(`${esc}\\[([\\d;]*)m`, 'g')

/** The line as it is sent to a terminal of this depth. Idempotent lines in, self-contained lines out. */
export function encodeColors(line: string, theme: Theme, depth: ColorDepth): string {
  if (depth === 0) return line.replace(sgrPattern, (_, params: string) => withoutColor(params))
  const base = baseOf(theme)
  const grounded =
    base === null
      ? line
      : `${base.text}${base.ground}${line
          .replaceAll(`${esc}[39m`, base.text)
          .replaceAll(`${esc}[49m`, base.ground)
          .replaceAll(`${esc}[0m`, `${esc}[0m${base.text}${base.ground}`)}`
  if (depth === 24) return grounded
  return grounded.replace(sgrPattern, (_, params: string) => `${esc}[${mapParams(params, depth)}m`)
}

/** What the screen is cleared with: the theme's ground. */
export function groundOf(theme: Theme, depth: ColorDepth): string {
  return depth === 0 ? '' : encodeColors('', theme, depth)
}

const bases = new Map<Theme, { text: string; ground: string }>()

function baseOf(theme: Theme): { text: string; ground: string } | null {
  if (theme.base === null) return null
  const known = bases.get(theme)
  if (known !== undefined) return known
  const base = { text: sgrRgb(38, rgbOf(theme.base.text)), ground: sgrRgb(48, rgbOf(theme.base.ground)) }
  bases.set(theme, base)
  return base
}

const mapped = new Map<string, string>()

/** Rewrites the true colours among the parameters of one SGR sequence. */
function mapParams(params: string, depth: 4 | 8): string {
  if (!params.includes('8;2;')) return params
  const key = `${depth} ${params}`
  const known = mapped.get(key)
  if (known !== undefined) return known
  const result = params.replace(/([34])8;2;(\d+);(\d+);(\d+)/g, (_, layer: string, red, green, blue) => {
    const rgb = (Number(red) << 16) | (Number(green) << 8) | Number(blue)
    if (depth === 8) return `${layer}8;5;${paletteIndexOf(`#${rgb.toString(16).padStart(6, '0')}`)}`
    return String(basicCode(nearestBasic(rgb), layer === '4'))
  })
  // Pictures have many colours, themes few: the memo is for themes.
  if (mapped.size > 4096) mapped.clear()
  mapped.set(key, result)
  return result
}

/** SGR parameter of one of the 16 colours. */
function basicCode(index: number, isGround: boolean): number {
  return (index < 8 ? 30 + index : 82 + index) + (isGround ? 10 : 0)
}

function nearestBasic(rgb: number): number {
  let nearest = 0
  let best = Number.POSITIVE_INFINITY
  for (let index = 0; index < 16; index++) {
    const distance = colorDistance(rgb, rgbOfPalette(index))
    if (distance < best) {
      best = distance
      nearest = index
    }
  }
  return nearest
}

/** Weighted by how bright the parts look, with the hue counted above the brightness so that amber stays warm. */
function colorDistance(a: number, b: number): number {
  const red = ((a >> 16) & 255) - ((b >> 16) & 255)
  const green = ((a >> 8) & 255) - ((b >> 8) & 255)
  const blue = (a & 255) - (b & 255)
  return 2 * red * red + 4 * green * green + 3 * blue * blue
}

/** The SGR sequence without colours; bold, inverse and the like stay. Empty when nothing is left. */
function withoutColor(params: string): string {
  const codes = params.split(';').map(Number)
  const kept: number[] = []
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0
    if (code === 38 || code === 48) i += codes[i + 1] === 2 ? 4 : 2
    else if (code <= 9 || (code >= 21 && code <= 29)) kept.push(code)
  }
  return kept.length === 0 ? '' : `${esc}[${kept.join(';')}m`
}

/** Colours of a chart, each `#rrggbb`. */
export interface ChartTheme {
  /** One for each series; the first is the main one. */
  series: readonly [string, string, string, string]
  axis: string
  grid: string
  text: string
  cursor: string
  /** The rest of a gauge or donut, and the coastlines of the map. */
  faint: string
}

/** `#rrggbb` as one number, red in the highest byte. */
export function rgbOf(hex: string): number {
  return Number.parseInt(hex.slice(1), 16)
}

/** The SGR that sets the foreground (38) or background (48) to a colour in true colour. */
export function sgrRgb(layer: 38 | 48, rgb: number): string {
  return `\x1b[${layer};2;${(rgb >> 16) & 255};${(rgb >> 8) & 255};${rgb & 255}m`
}

const levels = [0, 95, 135, 175, 215, 255]
const basic = [
  0x000000, 0xcd0000, 0x00cd00, 0xcdcd00, 0x0000ee, 0xcd00cd, 0x00cdcd, 0xe5e5e5, 0x7f7f7f, 0xff0000, 0x00ff00,
  0xffff00, 0x5c5cff, 0xff00ff, 0x00ffff, 0xffffff,
]

/** The entry of the 256-colour palette that is nearest to a colour: one of the 6×6×6 cube or of the greys, never of the 16 that users redefine. */
export function paletteIndexOf(hex: string): number {
  const rgb = rgbOf(hex)
  const parts = [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255]
  const cube = parts.map(nearestLevel)
  const cubeIndex = 16 + 36 * (cube[0] ?? 0) + 6 * (cube[1] ?? 0) + (cube[2] ?? 0)
  const grey = Math.max(0, Math.min(23, Math.round((parts.reduce((sum, part) => sum + part, 0) / 3 - 8) / 10)))
  const greyIndex = 232 + grey
  return distance(parts, rgbOfPalette(greyIndex)) < distance(parts, rgbOfPalette(cubeIndex)) ? greyIndex : cubeIndex
}

/** The colour of an entry of the 256-colour palette as one number. */
export function rgbOfPalette(index: number): number {
  if (index < 16) return basic[index] ?? 0
  if (index >= 232) return 0x010101 * (8 + (index - 232) * 10)
  const cube = index - 16
  const [red, green, blue] = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map(step => levels[step] ?? 0)
  return ((red ?? 0) << 16) | ((green ?? 0) << 8) | (blue ?? 0)
}

function nearestLevel(part: number): number {
  let nearest = 0
  levels.forEach((level, step) => {
    if (Math.abs(level - part) < Math.abs((levels[nearest] ?? 0) - part)) nearest = step
  })
  return nearest
}

function distance(parts: readonly number[], rgb: number): number {
  const other = [(rgb >> 16) & 255, (rgb >> 8) & 255, rgb & 255]
  return parts.reduce((sum, part, i) => sum + (part - (other[i] ?? 0)) ** 2, 0)
}

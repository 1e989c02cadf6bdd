import type { Picture } from '../net/picture-client.ts'
import type { Style } from '../theme/style.ts'
import { sgrRgb } from './color.ts'
import { imageLines } from './kitty-images.ts'

const upperHalf = '▀'
/** From dark to light, for terminals without colours or without half blocks. */
const ramp = ' .:-=+*#%@'

/** What each picture looks like at a size and in a kind of paint, for as long as somebody holds the picture. */
const drawn = new WeakMap<Picture, Map<string, readonly string[]>>()

/**
 * A picture as lines: where the terminal takes images, as one; else as half blocks, of which each shows one pixel above
 * another, of those that lie in its place. Without colour, or in ASCII, each cell is a character as light as its two pixels.
 * @param o.width of the lines, in cells
 * @param o.height how many lines
 */
export function drawPicture(
  picture: Picture,
  o: { width: number; height: number; style: Pick<Style, 'depth' | 'isAscii' | 'hasImages'> },
): readonly string[] {
  const { depth, isAscii, hasImages } = o.style
  const key = `${o.width}x${o.height} ${depth > 0} ${isAscii} ${hasImages}`
  const kept = drawn.get(picture) ?? new Map<string, readonly string[]>()
  const known = kept.get(key)
  if (known !== undefined) return known
  const lines = (hasImages ? imageLines(picture, o) : null) ?? cellLines(picture, o)
  drawn.set(picture, kept.set(key, lines))
  return lines
}

function cellLines(
  picture: Picture,
  { width, height, style }: { width: number; height: number; style: Pick<Style, 'depth' | 'isAscii'> },
): readonly string[] {
  const scaled = scalePicture(picture, width, 2 * height)
  const drawLine = style.depth === 0 ? rampLine : style.isAscii ? coloredRampLine : halfBlockLine
  return Array.from({ length: height }, (_, y) => drawLine(scaled, y))
}

function halfBlockLine(picture: Picture, y: number): string {
  let line = ''
  let above = -1
  let below = -1
  for (let x = 0; x < picture.widthPx; x++) {
    const nextAbove = pixelOf(picture, x, 2 * y)
    const nextBelow = pixelOf(picture, x, 2 * y + 1)
    if (nextAbove !== above) line += sgrRgb(38, nextAbove)
    if (nextBelow !== below) line += sgrRgb(48, nextBelow)
    above = nextAbove
    below = nextBelow
    line += upperHalf
  }
  return `${line}\x1b[39m\x1b[49m`
}

function coloredRampLine(picture: Picture, y: number): string {
  let line = ''
  let color = -1
  for (let x = 0; x < picture.widthPx; x++) {
    const next = pixelOf(picture, x, 2 * y)
    if (next !== color) line += sgrRgb(38, next)
    color = next
    line += rampAt(picture, x, y)
  }
  return `${line}\x1b[39m`
}

function rampLine(picture: Picture, y: number): string {
  return Array.from({ length: picture.widthPx }, (_, x) => rampAt(picture, x, y)).join('')
}

function rampAt(picture: Picture, x: number, y: number): string {
  const light = (lightOf(pixelOf(picture, x, 2 * y)) + lightOf(pixelOf(picture, x, 2 * y + 1))) / 2
  return ramp[Math.min(ramp.length - 1, Math.floor((light / 256) * ramp.length))] ?? ' '
}

/** The luma of a colour, 0 to 255 (BT.601). */
function lightOf(rgb: number): number {
  return 0.299 * ((rgb >> 16) & 255) + 0.587 * ((rgb >> 8) & 255) + 0.114 * (rgb & 255)
}

function pixelOf({ rgb, widthPx }: Picture, x: number, y: number): number {
  const at = (y * widthPx + x) * 3
  return ((rgb[at] ?? 0) << 16) | ((rgb[at + 1] ?? 0) << 8) | (rgb[at + 2] ?? 0)
}

/** The picture at another size, each pixel being the one that lies in its place. */
function scalePicture(picture: Picture, widthPx: number, heightPx: number): Picture {
  if (picture.widthPx === widthPx && picture.heightPx === heightPx) return picture
  const rgb = new Uint8Array(widthPx * heightPx * 3)
  for (let y = 0; y < heightPx; y++) {
    const fromY = Math.floor(((y + 0.5) * picture.heightPx) / heightPx)
    for (let x = 0; x < widthPx; x++) {
      const fromX = Math.floor(((x + 0.5) * picture.widthPx) / widthPx)
      const from = (fromY * picture.widthPx + fromX) * 3
      rgb.set(picture.rgb.subarray(from, from + 3), (y * widthPx + x) * 3)
    }
  }
  return { atSec: picture.atSec, widthPx, heightPx, rgb }
}

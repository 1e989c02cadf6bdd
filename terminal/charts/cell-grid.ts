import { rgbOf, sgrRgb } from './color.ts'

const brailleBits = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
]
const noColor = -1

/**
 * A rectangle of cells to draw into: characters, and braille dots (2 × 4 in each cell). A cell has one colour, that of what
 * was drawn last. A character hides the dots of its cell. What lies outside is left out.
 */
export class CellGrid {
  readonly width: number
  readonly height: number
  readonly #chars: string[]
  readonly #dots: Uint8Array
  readonly #colors: Int32Array
  readonly #inverse: Uint8Array
  #lastHex = ''
  #lastRgb = noColor

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.#chars = new Array<string>(width * height).fill('')
    this.#dots = new Uint8Array(width * height)
    this.#colors = new Int32Array(width * height).fill(noColor)
    this.#inverse = new Uint8Array(width * height)
  }

  /** Puts one narrow character into a cell. `color` is `#rrggbb`. */
  put(x: number, y: number, char: string, color: string): void {
    const at = this.#at(x, y)
    if (at < 0) return
    this.#chars[at] = char
    this.#colors[at] = this.#rgb(color)
  }

  /** Writes narrow characters from a cell to the right. */
  text(x: number, y: number, text: string, color: string): void {
    let column = x
    for (const char of text) this.put(column++, y, char, color)
  }

  /** Sets one braille dot; coordinates are in dots from the top left. */
  dot(dotX: number, dotY: number, color: string): void {
    const at = this.#at(dotX >> 1, dotY >> 2)
    if (at < 0) return
    this.#dots[at] = (this.#dots[at] ?? 0) | (brailleBits[dotY & 3]?.[dotX & 1] ?? 0)
    this.#colors[at] = this.#rgb(color)
  }

  /** Whether nothing was drawn into a cell. */
  isEmpty(x: number, y: number): boolean {
    const at = this.#at(x, y)
    return at >= 0 && this.#chars[at] === '' && this.#dots[at] === 0
  }

  invert(x: number, y: number): void {
    const at = this.#at(x, y)
    if (at >= 0) this.#inverse[at] = 1
  }

  /** One string a row, each exactly `width` cells, self-contained. Without colour only inverse is kept. */
  toLines(hasColor: boolean): string[] {
    return Array.from({ length: this.height }, (_, y) => this.#line(y, hasColor))
  }

  #line(y: number, hasColor: boolean): string {
    let line = ''
    let color = noColor
    let isInverse = false
    for (let at = y * this.width; at < (y + 1) * this.width; at++) {
      const dots = this.#dots[at] ?? 0
      const char = this.#chars[at] || (dots === 0 ? ' ' : String.fromCharCode(0x2800 + dots))
      const wantsInverse = this.#inverse[at] === 1
      if (wantsInverse !== isInverse) {
        line += wantsInverse ? '\x1b[7m' : '\x1b[27m'
        isInverse = wantsInverse
      }
      const wanted = this.#colors[at] ?? noColor
      if (hasColor && char !== ' ' && wanted !== color) {
        line += sgrRgb(38, wanted)
        color = wanted
      }
      line += char
    }
    if (isInverse) line += '\x1b[27m'
    return color === noColor ? line : `${line}\x1b[39m`
  }

  /** The colour as a number; a drawing sets many dots of one colour in a row, so the last one is remembered. */
  #rgb(hex: string): number {
    if (hex !== this.#lastHex) {
      this.#lastHex = hex
      this.#lastRgb = rgbOf(hex)
    }
    return this.#lastRgb
  }

  #at(x: number, y: number): number {
    return x < 0 || y < 0 || x >= this.width || y >= this.height ? -1 : y * this.width + x
  }
}

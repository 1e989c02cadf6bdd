import jsqr from 'jsqr'

const scale = 4
/** How many modules a cell has, and which of them are light, for each sign of a drawn code. Any other sign is dark. */
const signs: Readonly<Record<string, readonly [upper: boolean, lower: boolean]>> = {
  '█': [true, true],
  '▀': [true, false],
  '▄': [false, true],
  '#': [true, true],
}

/**
 * Reads the QR code on a screen as a camera would.
 * @param lines of a screen without escape sequences
 * @returns its text; null when there is none
 */
export function readQr(lines: readonly string[]): string | null {
  const columns = Math.max(...lines.map(line => line.length))
  const [width, height] = [columns * scale, lines.length * 2 * scale]
  const pixels = new Uint8ClampedArray(width * height * 4)
  for (let y = 0; y < height; y++) {
    const line = lines[Math.floor(y / (2 * scale))] ?? ''
    const half = Math.floor(y / scale) % 2
    for (let x = 0; x < width; x++) {
      const isLight = signs[line[Math.floor(x / scale)] ?? ' ']?.[half] ?? false
      pixels.set(
        [0, 0, 0, 255].map((dark, i) => (i < 3 && isLight ? 255 : dark)),
        (y * width + x) * 4,
      )
    }
  }
  return jsqr.default(pixels, width, height)?.data ?? null
}

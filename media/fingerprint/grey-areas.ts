import type { Picture } from '../picture.ts'

/** A part of a picture, as shares of its width and height. */
export interface Area {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Brightness of one picture, of which any part can be had at any size, each pixel the exact mean of what it covers. */
export interface GreyAreas {
  readonly widthPx: number
  readonly heightPx: number
  /** Sums over the picture's upper left parts, (width + 1) × (height + 1). */
  readonly sums: Float64Array
}

/** Weights of ITU-R BT.601. */
export function greyAreas({ widthPx, heightPx, rgb }: Picture): GreyAreas {
  const stride = widthPx + 1
  const sums = new Float64Array(stride * (heightPx + 1))
  for (let y = 0; y < heightPx; y += 1) {
    let rowSum = 0
    for (let x = 0; x < widthPx; x += 1) {
      const at = (y * widthPx + x) * 3
      rowSum += 0.299 * (rgb[at] ?? 0) + 0.587 * (rgb[at + 1] ?? 0) + 0.114 * (rgb[at + 2] ?? 0)
      sums[(y + 1) * stride + x + 1] = (sums[y * stride + x + 1] ?? 0) + rowSum
    }
  }
  return { widthPx, heightPx, sums }
}

/** @returns `columns` × `rows` values, 0 to 255, rows from the top; proportions are not kept */
export function areaAt(
  grey: GreyAreas,
  area: Area,
  { columns, rows }: { readonly columns: number; readonly rows: number },
): Float64Array {
  const across = edges(area.left, area.width, grey.widthPx, columns)
  const down = edges(area.top, area.height, grey.heightPx, rows)
  // Sums up to every corner of the grid; the four around a cell give the sum within it.
  const corners = down.map(y => across.map(x => sumTo(grey, x, y)))
  const values = new Float64Array(columns * rows)
  const cellPx = ((area.width * grey.widthPx) / columns) * ((area.height * grey.heightPx) / rows)
  for (let row = 0; row < rows; row += 1) {
    const above = corners[row] ?? []
    const below = corners[row + 1] ?? []
    for (let column = 0; column < columns; column += 1) {
      const inside = (below[column + 1] ?? 0) - (below[column] ?? 0) - (above[column + 1] ?? 0) + (above[column] ?? 0)
      values[row * columns + column] = inside / cellPx
    }
  }
  return values
}

function edges(start: number, length: number, ofPx: number, count: number): number[] {
  return Array.from({ length: count + 1 }, (_, index) => (start + (length * index) / count) * ofPx)
}

/** Between whole pixels the sum grows evenly: linear in both directions. */
function sumTo({ widthPx, heightPx, sums }: GreyAreas, x: number, y: number): number {
  const stride = widthPx + 1
  const left = Math.min(widthPx - 1, Math.floor(x))
  const top = Math.min(heightPx - 1, Math.floor(y))
  const at = top * stride + left
  const right = x - left
  const down = y - top
  return (
    (1 - down) * ((1 - right) * (sums[at] ?? 0) + right * (sums[at + 1] ?? 0)) +
    down * ((1 - right) * (sums[at + stride] ?? 0) + right * (sums[at + stride + 1] ?? 0))
  )
}

import type { Picture } from '../picture.ts'

/** A picture turned clockwise. */
export function turned(picture: Picture, clockwiseDeg: 0 | 90 | 180 | 270): Picture {
  if (clockwiseDeg === 0) return picture
  const { widthPx, heightPx, rgb } = picture
  const isOnItsSide = clockwiseDeg !== 180
  const [width, height] = isOnItsSide ? [heightPx, widthPx] : [widthPx, heightPx]
  const turnedRgb = new Uint8Array(rgb.length)
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [fromX, fromY] =
        clockwiseDeg === 90
          ? [y, heightPx - 1 - x]
          : clockwiseDeg === 270
            ? [widthPx - 1 - y, x]
            : [widthPx - 1 - x, heightPx - 1 - y]
      const from = (fromY * widthPx + fromX) * 3
      turnedRgb.set(rgb.subarray(from, from + 3), (y * width + x) * 3)
    }
  }
  return { widthPx: width, heightPx: height, rgb: turnedRgb }
}

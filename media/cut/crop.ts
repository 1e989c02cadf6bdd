/** The part of a picture that is cut out, and the size that it is brought to. */
export interface Crop {
  readonly crop: { readonly widthPx: number; readonly heightPx: number; readonly xPx: number; readonly yPx: number }
  readonly scale: { readonly widthPx: number; readonly heightPx: number }
}

const portraitWidthPxMax = 1080
const portraitRatio = 9 / 16

/**
 * The middle of a picture as 9:16, at most 1080 pixels wide.
 * @param shown the size as it is shown; the pixels of `stored`, turned upright already, may not be square
 */
export function portraitCrop(
  shown: { readonly widthPx: number; readonly heightPx: number },
  stored: { readonly widthPx: number; readonly heightPx: number },
): Crop {
  const isWide = shown.widthPx / shown.heightPx > portraitRatio
  const widthPx = isWide ? shown.heightPx * portraitRatio : shown.widthPx
  const heightPx = isWide ? shown.heightPx : shown.widthPx / portraitRatio
  const storedWidthPx = even(widthPx * (stored.widthPx / shown.widthPx), stored.widthPx)
  const storedHeightPx = even(heightPx * (stored.heightPx / shown.heightPx), stored.heightPx)
  const scale = Math.min(1, portraitWidthPxMax / widthPx)
  return {
    crop: {
      widthPx: storedWidthPx,
      heightPx: storedHeightPx,
      xPx: 2 * Math.floor((stored.widthPx - storedWidthPx) / 4),
      yPx: 2 * Math.floor((stored.heightPx - storedHeightPx) / 4),
    },
    scale: { widthPx: even(widthPx * scale), heightPx: even(heightPx * scale) },
  }
}

/** The nearest even number, at least 2: H.264 stores colours for squares of four pixels. */
export function even(px: number, max = Number.POSITIVE_INFINITY): number {
  return Math.max(2, 2 * Math.floor(Math.min(2 * Math.round(px / 2), max) / 2))
}

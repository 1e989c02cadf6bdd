/** A small picture: rows from the top, 3 bytes a pixel. */
export interface Picture {
  readonly widthPx: number
  readonly heightPx: number
  readonly rgb: Uint8Array
}

/** The longer side of the pictures that are analysed: enough for cuts, thumbnails and fingerprints of parts of them. */
const analysedSidePx = 160
const sidePxMin = 16

/** The size at which a picture is analysed: 160 pixels on its longer side, whole, in its proportions. */
export function analysedSize(shown: { readonly widthPx: number; readonly heightPx: number }): {
  widthPx: number
  heightPx: number
} {
  const scale = analysedSidePx / Math.max(shown.widthPx, shown.heightPx)
  const side = (px: number) => Math.max(sidePxMin, Math.round(px * scale))
  return { widthPx: side(shown.widthPx), heightPx: side(shown.heightPx) }
}

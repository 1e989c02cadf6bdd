/** One column of the body: lines of exactly `width` cells. */
export interface BodyColumn {
  width: number
  lines: readonly string[]
}

/** A whole screen, ready to be laid out: every line is exactly as wide as its place. */
export interface FrameModel {
  columns: number
  rows: number
  header: readonly string[]
  body: readonly BodyColumn[]
  /** Covers the last lines of the body: completions and the like. */
  overlay: readonly string[]
  footer: readonly string[]
  /** Where the cursor stands, counted from 0; null hides it. */
  cursor: { x: number; y: number } | null
}

/** The shape of a frame without its words: frames of one geometry have the same slots at the same places. */
export interface Geometry {
  columns: number
  rows: number
  headerRows: number
  body: readonly { width: number; rows: number }[]
  bodyRows: number
  overlayRows: number
  footerRows: number
}

/** One line of one part of a frame, in the order in which the parts are laid out. */
export interface SlotText {
  width: number
  text: string
}

export function geometryOf(model: FrameModel): Geometry {
  const { columns, rows, header, overlay, footer } = model
  const bodyRows = Math.max(0, rows - header.length - overlay.length - footer.length)
  return {
    columns,
    rows,
    headerRows: header.length,
    body: model.body.map(({ width, lines }) => ({ width, rows: Math.min(bodyRows, lines.length) })),
    bodyRows,
    overlayRows: overlay.length,
    footerRows: footer.length,
  }
}

/** What stands in the slots of a geometry, slot by slot. */
export function slotTexts(model: FrameModel, geometry: Geometry): SlotText[] {
  const wide = (text: string): SlotText => ({ width: model.columns, text })
  return [
    ...model.header.map(wide),
    ...model.body.flatMap(({ width, lines }, i) =>
      lines.slice(0, geometry.body[i]?.rows ?? 0).map(text => ({ width, text })),
    ),
    ...model.overlay.map(wide),
    ...model.footer.map(wide),
  ]
}

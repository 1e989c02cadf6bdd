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

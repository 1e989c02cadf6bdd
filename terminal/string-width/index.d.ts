/** Cells that a text takes on a terminal: string-width's answer, faster for the glyphs that tables are made of. */
export default function stringWidth(
  text: string,
  options?: { readonly ambiguousIsNarrow?: boolean; readonly countAnsiEscapeCodes?: boolean },
): number

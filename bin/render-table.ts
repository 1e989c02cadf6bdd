import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'

const cellWidthMax = 60

/** A plain aligned table; numbers to the right, long texts cut with an ellipsis, nothing that a terminal would obey. */
export function renderTable(result: { columns: { name: string; type: string }[]; rows: unknown[][] }): string {
  const header = result.columns.map(column => cut(column.name))
  const body = result.rows.map(row => row.map(cellText))
  const widths = header.map((name, index) =>
    Math.max(stringWidth(name), ...body.map(row => stringWidth(row[index] ?? ''))),
  )
  const isNumeric = result.columns.map(({ type }) => /^(Nullable\()?(U?Int|Float|Decimal)/.test(type))
  const line = (cells: string[]) =>
    cells
      .map((cell, index) => {
        const gap = ' '.repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(cell)))
        return isNumeric[index] ? gap + cell : cell + gap
      })
      .join('  ')
      .trimEnd()
  const rule = widths.map(width => '-'.repeat(width)).join('  ')
  const count = `(${result.rows.length} ${result.rows.length === 1 ? 'row' : 'rows'})`
  return [line(header), rule, ...body.map(line), count].join('\n')
}

function cellText(value: unknown): string {
  if (value === null) return 'NULL'
  return cut(typeof value === 'object' ? JSON.stringify(value) : String(value))
}

function cut(text: string): string {
  const clean = stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ')
  if (stringWidth(clean) <= cellWidthMax) return clean
  let kept = ''
  let width = 0
  for (const character of clean) {
    width += stringWidth(character)
    if (width > cellWidthMax - 1) break
    kept += character
  }
  return `${kept}…`
}

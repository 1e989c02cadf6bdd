/**
 * Rows as CSV by RFC 4180: a header, CRLF, quotes where a cell needs them. Missing values are empty cells, lists are joined
 * with `; `, other objects are JSON. A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers,
 * also negative ones, stay numbers.
 */
export function toCsv(columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): string {
  const lines = [columns.map(name => quote(guard(name))), ...rows.map(row => columns.map(name => cell(row[name])))]
  return lines.map(cells => `${cells.join(',')}\r\n`).join('')
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : ''
  if (typeof value === 'boolean') return String(value)
  return quote(guard(textOf(value)))
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(each => (each === null ? '' : textOf(each))).join('; ')
  if (typeof value !== 'object') return String(value)
  return value === null || Object.keys(value).length === 0 ? '' : JSON.stringify(value)
}

/** Excel, LibreOffice and Google Sheets run cells that begin so. */
function guard(text: string): string {
  return /^[\s\p{Cc}]*[=+\-@＝＋－＠]|^[\t\r\n]/u.test(text) ? `'${text}` : text
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text
}

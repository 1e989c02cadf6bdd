import type { ReadOnlyResult } from '../clickhouse/port.ts'

/** `JSONEachRow` is one object a line; `CSV` and `CSVWithNames` are RFC 4180, with NULL as an empty unquoted field. */
export type RowFormat = 'JSONEachRow' | 'CSV' | 'CSVWithNames'

const rowsPerChunk = 500

/** A result as text, some hundred rows at a time. */
export function* renderRows({ columns, rows }: ReadOnlyResult, format: RowFormat): Generator<string> {
  const names = columns.map(({ name }) => name)
  if (format === 'CSVWithNames') yield `${names.map(csvField).join(',')}\n`
  const keys = names.map(name => JSON.stringify(name))
  // Written by hand, because an object would drop a column whose name comes twice.
  const line = (row: unknown[]) =>
    format === 'JSONEachRow'
      ? `{${keys.map((key, index) => `${key}:${JSON.stringify(row[index] ?? null)}`).join(',')}}\n`
      : `${row.map(csvField).join(',')}\n`
  for (let at = 0; at < rows.length; at += rowsPerChunk) {
    yield rows
      .slice(at, at + rowsPerChunk)
      .map(line)
      .join('')
  }
}

function csvField(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell)
  const text = typeof cell === 'string' ? cell : JSON.stringify(cell)
  return `"${text.replaceAll('"', '""')}"`
}

/**
 * The engine sends 64-bit integers as JSON strings, because a JSON number would lose their last digits on the way in.
 * Here they become numbers again where a number holds them exactly, and stay strings where it does not. That is decided
 * by the column's type: a String that looks like a number is left alone.
 */
type ColumnReader = (cell: unknown) => unknown

/**
 * How to read the cells of one column; null when they need no change, so that most cost nothing.
 *
 * @param type as the engine names it, e.g. `Array(Nullable(UInt64))`
 */
export function columnReader(type: string): ColumnReader | null {
  if (/^U?Int(64|128|256)$/.test(type)) return safeInteger
  const found = /^(\w+)\((.*)\)$/s.exec(type)
  if (!found) return null
  const [, outer = '', inner = ''] = found
  switch (outer) {
    case 'Nullable':
    case 'LowCardinality':
      return columnReader(inner)
    case 'Array':
      return arrayReader(columnReader(inner))
    case 'Map':
      return mapReader(columnReader(splitArguments(inner)[1] ?? ''))
    case 'Tuple':
      return tupleReader(splitArguments(inner))
    case 'SimpleAggregateFunction':
      return columnReader(splitArguments(inner).at(-1) ?? '')
    default:
      return null
  }
}

function safeInteger(cell: unknown): unknown {
  if (typeof cell !== 'string') return cell
  const whole = Number(cell)
  return Number.isSafeInteger(whole) ? whole : cell
}

function arrayReader(item: ColumnReader | null): ColumnReader | null {
  return item === null ? null : cell => (Array.isArray(cell) ? cell.map(item) : cell)
}

function mapReader(item: ColumnReader | null): ColumnReader | null {
  if (item === null) return null
  return cell =>
    isRecord(cell) ? Object.fromEntries(Object.entries(cell).map(([key, inner]) => [key, item(inner)])) : cell
}

/** An unnamed tuple is an array; a named one (`a UInt8, b String`) is an object in the same order. */
function tupleReader(fields: readonly string[]): ColumnReader | null {
  const readers = fields.map(
    field => columnReader(field) ?? columnReader(field.replace(/^(`(?:\\.|[^`\\])*`|\w+) /, '')),
  )
  if (readers.every(reader => reader === null)) return null
  const read = (cell: unknown, index: number) => readers[index]?.(cell) ?? cell
  return cell => {
    if (Array.isArray(cell)) return cell.map(read)
    if (!isRecord(cell)) return cell
    return Object.fromEntries(Object.entries(cell).map(([name, inner], index) => [name, read(inner, index)]))
  }
}

function isRecord(cell: unknown): cell is Record<string, unknown> {
  return typeof cell === 'object' && cell !== null && !Array.isArray(cell)
}

/** Splits at the commas of the outermost level. */
function splitArguments(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let current = ''
  for (const token of text.matchAll(/`(?:\\.|[^`\\])*`|'(?:\\.|[^'\\])*'|[\s\S]/g)) {
    const part = token[0]
    if (part === '(') depth += 1
    if (part === ')') depth -= 1
    if (part === ',' && depth === 0) {
      parts.push(current.trim())
      current = ''
    } else current += part
  }
  return [...parts, current.trim()]
}

import { AppError } from '../../contracts/errors.ts'
import type { QueryFormat, QueryStatistics, QueryStreamMessage } from '../../contracts/queries.ts'
import type { ReadOnlyColumn, ReadOnlyPart } from '../clickhouse/port.ts'

/** The formats that are written row by row while the query runs. The engine itself makes the others. */
export type RowFormat = Exclude<QueryFormat, 'parquet'>

/** How one format begins, writes rows and ends. */
interface Writer {
  begin(columns: readonly ReadOnlyColumn[]): string
  /** @param isFirst nothing was written since the beginning */
  rows(rows: readonly unknown[][], columns: readonly ReadOnlyColumn[], isFirst: boolean): string
  end(statistics: QueryStatistics): string
}

const rowsPerChunk = 500

const writers: Readonly<Record<Exclude<RowFormat, 'stream'>, Writer>> = {
  json: {
    begin: columns => `{"columns":${JSON.stringify(columns)},"rows":[`,
    rows: (rows, _columns, isFirst) => `${isFirst ? '' : ','}\n${rows.map(row => JSON.stringify(row)).join(',\n')}`,
    end: statistics => `\n],"statistics":${JSON.stringify(statistics)}}\n`,
  },
  jsonl: {
    begin: () => '',
    rows: (rows, columns) => lines(rows, objectWriter(columns)),
    end: () => '',
  },
  /** RFC 4180, with NULL as an empty unquoted field. */
  csv: {
    begin: columns => `${columns.map(({ name }) => csvField(name)).join(',')}\n`,
    rows: rows => lines(rows, row => row.map(csvField).join(',')),
    end: () => '',
  },
  markdown: {
    begin: columns =>
      `${markdownLine(columns.map(({ name }) => markdownCell(name)))}\n${markdownLine(columns.map(({ type }) => (isNumeric(type) ? '---:' : '---')))}\n`,
    rows: rows => lines(rows, row => markdownLine(row.map(markdownCell))),
    end: () => '',
  },
}

/**
 * An answer as text, in pieces of some hundred rows. The first piece comes when the columns are known, that of `stream`
 * with the first sign of progress: what fails before is thrown, and so is what fails later, but in `stream`, where it is
 * the last line.
 */
export function renderParts(parts: AsyncIterable<ReadOnlyPart>, format: RowFormat): AsyncGenerator<string, void, void> {
  return format === 'stream' ? messageLines(parts) : writtenBy(writers[format], parts)
}

async function* writtenBy(writer: Writer, parts: AsyncIterable<ReadOnlyPart>): AsyncGenerator<string, void, void> {
  const clock = new AnswerClock()
  let columns: readonly ReadOnlyColumn[] = []
  let isFirst = true
  for await (const part of parts) {
    if (part.kind === 'progress') clock.take(part.statistics)
    else if (part.kind === 'columns') {
      columns = part.columns
      yield writer.begin(columns)
    } else {
      for (const rows of pieces(part.rows)) {
        yield writer.rows(rows, columns, isFirst)
        isFirst = false
      }
    }
  }
  yield writer.end(clock.statistics)
}

async function* messageLines(parts: AsyncIterable<ReadOnlyPart>): AsyncGenerator<string, void, void> {
  const clock = new AnswerClock()
  const line = (message: QueryStreamMessage) => `${JSON.stringify(message)}\n`
  let rowCount = 0
  let isBegun = false
  try {
    for await (const part of parts) {
      isBegun = true
      if (part.kind === 'columns') yield line({ type: 'columns', columns: [...part.columns] })
      else if (part.kind === 'progress') {
        clock.take(part.statistics)
        yield line({ type: 'progress', statistics: clock.statistics })
      } else {
        rowCount += part.rows.length
        for (const rows of pieces(part.rows)) yield line({ type: 'rows', rows })
      }
    }
    yield line({ type: 'done', rowCount, statistics: clock.statistics })
  } catch (error) {
    if (!isBegun || !(error instanceof AppError)) throw error
    const { code, message, details } = error
    yield line({ type: 'error', code, message, details })
  }
}

/** What was read, as last told, and the time since the answer began. */
class AnswerClock {
  readonly #startMs = performance.now()
  #told: QueryStatistics = { elapsedSec: 0, rowsRead: 0, bytesRead: 0 }

  take(statistics: QueryStatistics): void {
    this.#told = statistics
  }

  get statistics(): QueryStatistics {
    return { ...this.#told, elapsedSec: Math.round(performance.now() - this.#startMs) / 1000 }
  }
}

function* pieces(rows: unknown[][]): Generator<unknown[][]> {
  for (let at = 0; at < rows.length; at += rowsPerChunk) yield rows.slice(at, at + rowsPerChunk)
}

function lines(rows: readonly unknown[][], write: (row: unknown[]) => string): string {
  return rows.map(row => `${write(row)}\n`).join('')
}

/** Written by hand, because an object would drop a column whose name comes twice. */
function objectWriter(columns: readonly ReadOnlyColumn[]): (row: unknown[]) => string {
  const keys = columns.map(({ name }) => JSON.stringify(name))
  return row => `{${keys.map((key, index) => `${key}:${JSON.stringify(row[index] ?? null)}`).join(',')}}`
}

function csvField(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell)
  return `"${cellText(cell).replaceAll('"', '""')}"`
}

/** One line, and nothing that ends a cell, begins a tag or is taken for emphasis; `_` is so only at the ends of words. */
function markdownCell(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  return cellText(cell)
    .replace(/[\\`*|<>[\]~]|(?<!\w)_|_(?!\w)/g, '\\$&')
    .replace(/\s*[\r\n]+\s*/g, ' ')
}

function markdownLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`
}

function cellText(cell: unknown): string {
  return typeof cell === 'string' ? cell : JSON.stringify(cell)
}

function isNumeric(type: string): boolean {
  return /^(Nullable\()?(U?Int|Float|Decimal)/.test(type)
}

import { parseError } from '@clickhouse/client'
import { AppError } from '../../contracts/errors.ts'
import { columnReader } from './json-values.ts'
import type { ReadOnlyPart } from './port.ts'

interface Line {
  readonly meta?: { name: string; type: string }[]
  readonly row?: unknown[]
  readonly progress?: Readonly<Record<string, unknown>>
  readonly exception?: string
}

/**
 * Reads the engine's format `JSONCompactEachRowWithProgress`.
 *
 * @param chunks of the text, cut anywhere
 * @throws ClickHouseError when the engine says in the text what went wrong; AppError UNAVAILABLE when the text has no end
 */
export async function* readProgressParts(chunks: AsyncIterable<Buffer>): AsyncGenerator<ReadOnlyPart, void, void> {
  const lines = new LineParser()
  let readers: ReturnType<typeof columnReader>[] | null = null
  for await (const chunk of chunks) {
    let rows: unknown[][] = []
    for (const { meta, row, progress, exception } of lines.take(chunk)) {
      if (row !== undefined) {
        for (const [index, read] of (readers ?? []).entries()) if (read !== null) row[index] = read(row[index])
        rows.push(row)
        continue
      }
      if (rows.length > 0) yield { kind: 'rows', rows }
      rows = []
      if (exception !== undefined) throw parseError(exception)
      // The embedded engine says it again at the beginning of each of its chunks.
      if (meta !== undefined && readers === null) {
        readers = meta.map(({ type }) => columnReader(type))
        yield { kind: 'columns', columns: meta }
      }
      if (progress !== undefined) yield { kind: 'progress', statistics: statisticsOf(progress) }
    }
    if (rows.length > 0) yield { kind: 'rows', rows }
  }
  if (lines.rest.length > 0) throw new AppError('UNAVAILABLE', 'The analytics store ended in the middle of an answer.')
}

/** Whole lines of a text that comes in chunks. */
class LineParser {
  #parts: Buffer[] = []

  get rest(): Buffer {
    return Buffer.concat(this.#parts)
  }

  take(chunk: Buffer): Line[] {
    const end = chunk.lastIndexOf(0x0a)
    if (end < 0) {
      this.#parts.push(chunk)
      return []
    }
    const text = Buffer.concat([...this.#parts, chunk.subarray(0, end)]).toString('utf8')
    this.#parts = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : []
    const whole = text.split('\n').filter(line => line !== '')
    // The engine's own text, of the shape that its format has.
    return JSON.parse(`[${whole.join(',')}]`)
  }
}

function statisticsOf(progress: Readonly<Record<string, unknown>>) {
  const count = (name: string) => Number(progress[name] ?? 0)
  return {
    elapsedSec: count('elapsed_ns') / 1e9,
    rowsRead: count('read_rows'),
    bytesRead: count('read_bytes'),
  }
}

import {
  type QueryColumn,
  type QueryPlace,
  QueryPlaceSchema,
  type QueryRequest,
  type QueryStatistics,
  QueryStreamMessageSchema,
} from '../../contracts/queries.ts'
import { clean } from '../text/clean.ts'
import type { HttpBytes, HttpClient, HttpFailure, HttpResult } from './http-client.ts'
import { openSpillFile, type SpillFile } from './spill-file.ts'

// Answers of SQL, however long. The server sends rows in parts while the query runs; each part goes to a file as it came, and
// what stays in memory is where it lies and how many rows it has: some dozen bytes for some hundred rows. A screen asks for
// the rows that it shows, and the parts that hold them are read back and kept for a moment. Measured against asking the
// server for each page: a page of a sorted million rows costs the server the whole query again, and may show other rows
// than the page before; reading a part back takes less than a millisecond.
// A result lives as long as a screen names it; leaving the screen closes its file and ends its query.

/** Which result: handed out by `start`. */
export type ResultId = symbol

/** The rows of a result as a screen reads them. */
export type ResultRow = readonly unknown[]

/** What is known of a result; another object after every change. */
export interface QueryResultState {
  /** `stopped`: cancelled by the user, or cut at the size that is kept; the rows until then are there. */
  status: 'running' | 'done' | 'stopped' | 'failed'
  columns: readonly QueryColumn[]
  rowCount: number
  statistics: QueryStatistics
  /** Why it failed or stopped, as a sentence; empty where it did not. */
  message: string
  /** Where in the SQL the server found it to be wrong. */
  place: QueryPlace | null
  startedAtMs: number
  /** When the last of it came; null while it runs. */
  endedAtMs: number | null
  /** Rows from an index on, at most so many; fewer at the end. */
  rows(from: number, count: number): readonly ResultRow[]
}

/** Reads a result that the screen has named in `results`. */
export type ReadResult = (id: ResultId) => QueryResultState

/** What a screen can do with results. */
export interface ResultRuns {
  /** Asks the server; `read` tells of it from then on. */
  start(request: Pick<QueryRequest, 'sql' | 'params'>): ResultId
  /** Ends the query on the server; rows that have come stay. */
  cancel(id: ResultId): void
  /**
   * The first row from `from` on, upwards or downwards, with a cell that holds the text in any case. The body is its index,
   * or null where there is none.
   */
  find(id: ResultId, wanted: { text: string; from: number; by: 1 | -1 }): Promise<HttpResult>
}

/** Some hundred rows as they came: where they lie. */
interface Part {
  offset: number
  bytes: number
  firstRow: number
  rowCount: number
}

interface Entry {
  state: QueryResultState
  spill: SpillFile | null
  parts: Part[]
  /** Parts that were read back, the last used one last. */
  kept: Map<Part, readonly ResultRow[]>
  abort: AbortController
}

/** Bytes of one result on the disk; what comes after that is not kept. */
const spillBytesMax = 1024 * 1024 * 1024
/** A line of the stream may not be longer. */
const lineBytesMax = 64 * 1024 * 1024
const keptPartsMax = 6
const nothingRead: QueryStatistics = { elapsedSec: 0, rowsRead: 0, bytesRead: 0 }
const gone: QueryResultState = {
  status: 'stopped',
  columns: [],
  rowCount: 0,
  statistics: nothingRead,
  message: 'This result is not kept any more: run the query again.',
  place: null,
  startedAtMs: 0,
  endedAtMs: 0,
  rows: () => [],
}

/** Runs queries and keeps their results. `onChange` is told after every part that came. */
export class QueryResults implements ResultRuns {
  readonly #deps: { http: HttpClient; nowMs(): number }
  readonly #onChange: () => void
  readonly #entries = new Map<ResultId, Entry>()

  constructor(deps: { http: HttpClient; nowMs(): number }, onChange: () => void) {
    this.#deps = deps
    this.#onChange = onChange
  }

  start(request: Pick<QueryRequest, 'sql' | 'params'>): ResultId {
    const id: ResultId = Symbol('result')
    const entry: Entry = {
      state: { ...gone, status: 'running', message: '', startedAtMs: this.#deps.nowMs(), endedAtMs: null },
      spill: null,
      parts: [],
      kept: new Map(),
      abort: new AbortController(),
    }
    this.#entries.set(id, entry)
    void this.#run(entry, request)
    return id
  }

  cancel(id: ResultId): void {
    const entry = this.#entries.get(id)
    if (entry?.state.status === 'running') this.#end(entry, { status: 'stopped', message: 'Cancelled.' })
  }

  read(id: ResultId): QueryResultState {
    return this.#entries.get(id)?.state ?? gone
  }

  async find(id: ResultId, { text, from, by }: { text: string; from: number; by: 1 | -1 }): Promise<HttpResult> {
    const entry = this.#entries.get(id)
    const wanted = text.toLowerCase()
    const parts = entry?.parts.filter(part => (by === 1 ? part.firstRow + part.rowCount > from : part.firstRow <= from))
    for (const part of (by === 1 ? parts : parts?.toReversed()) ?? []) {
      // Keys and frames go between two parts.
      await new Promise(resolve => setImmediate(resolve))
      if (entry === undefined || entry.spill === null) break
      const raw = textOf(entry.spill, part).toLowerCase()
      // Escapes of JSON hide what they stand for, so that such parts are looked at cell by cell.
      if (!raw.includes(wanted) && !raw.includes('\\')) continue
      const rows = rowsOf(textOf(entry.spill, part))
      const holds = (row: ResultRow, i: number) =>
        (by === 1 ? part.firstRow + i >= from : part.firstRow + i <= from) &&
        row.some(cell => cellSearchText(cell).includes(wanted))
      const index = by === 1 ? rows.findIndex(holds) : rows.findLastIndex(holds)
      if (index >= 0) return { ok: true, body: part.firstRow + index }
    }
    return { ok: true, body: null }
  }

  /** Keeps exactly these; all others end. */
  keep(ids: ReadonlySet<ResultId>): void {
    for (const [id, entry] of this.#entries) if (!ids.has(id)) this.#drop(id, entry)
  }

  close(): void {
    this.keep(new Set())
  }

  #drop(id: ResultId, entry: Entry): void {
    this.#entries.delete(id)
    entry.abort.abort()
    entry.spill?.close()
    entry.spill = null
    entry.kept.clear()
  }

  async #run(entry: Entry, request: Pick<QueryRequest, 'sql' | 'params'>): Promise<void> {
    const { signal } = entry.abort
    const answer = await this.#deps.http
      .stream('/api/query', { ...request, format: 'stream' }, signal)
      .catch((error: unknown): HttpBytes => brokenOff(error))
    if (signal.aborted) {
      if (answer.ok) await dropPieces(answer.pieces)
      return
    }
    if (!answer.ok) return this.#fail(entry, answer)
    try {
      for await (const line of linesOf(answer.pieces)) {
        if (signal.aborted) return
        this.#take(entry, line)
        if (entry.state.status !== 'running') return
      }
      this.#fail(entry, { message: 'The answer broke off: the connection to the server was lost.' })
    } catch (error) {
      if (!signal.aborted) this.#fail(entry, brokenOff(error))
    }
  }

  #take(entry: Entry, line: Buffer): void {
    const message = QueryStreamMessageSchema.parse(JSON.parse(line.toString('utf8')))
    switch (message.type) {
      case 'columns':
        return this.#set(entry, { columns: message.columns.map(({ name, type }) => ({ name: clean(name), type })) })
      case 'rows':
        return this.#takeRows(entry, line, message.rows)
      case 'progress':
        return this.#set(entry, { statistics: message.statistics })
      case 'done':
        return this.#end(entry, { status: 'done', statistics: message.statistics })
      case 'error':
        return this.#fail(entry, message)
    }
  }

  #takeRows(entry: Entry, line: Buffer, rows: readonly ResultRow[]): void {
    if (rows.length === 0) return
    entry.spill ??= openSpillFile()
    if (entry.spill.bytes + line.length > spillBytesMax) {
      const message = `The answer is larger than ${spillBytesMax / 2 ** 30} GiB: the rest of it is not kept. LIMIT it, or export it.`
      return this.#end(entry, { status: 'stopped', message })
    }
    const firstRow = entry.state.rowCount
    const part = { offset: entry.spill.append(line), bytes: line.length, firstRow, rowCount: rows.length }
    entry.parts.push(part)
    if (firstRow === 0) keepPart(entry, part, rows)
    this.#set(entry, { rowCount: firstRow + rows.length })
  }

  #fail(entry: Entry, { message, details }: Pick<HttpFailure, 'message' | 'details'>): void {
    const place = QueryPlaceSchema.safeParse(details)
    this.#end(entry, { status: 'failed', message: clean(message), place: place.success ? place.data : null })
  }

  #end(entry: Entry, end: Partial<QueryResultState>): void {
    this.#set(entry, { ...end, endedAtMs: this.#deps.nowMs() })
    entry.abort.abort()
  }

  #set(entry: Entry, part: Partial<QueryResultState>): void {
    entry.state = { ...entry.state, ...part, rows: (from, count) => readRows(entry, from, count) }
    this.#onChange()
  }
}

/** What `find` looks for in a cell, in lower case. */
function cellSearchText(cell: unknown): string {
  if (cell === null || cell === undefined) return ''
  return (typeof cell === 'string' ? cell : JSON.stringify(cell)).toLowerCase()
}

function readRows(entry: Entry, from: number, count: number): ResultRow[] {
  const rows: ResultRow[] = []
  for (let i = partIndexOf(entry.parts, from); i < entry.parts.length && rows.length < count; i++) {
    const part = entry.parts[i]
    if (part === undefined) break
    const start = Math.max(0, from - part.firstRow)
    rows.push(...partRows(entry, part).slice(start, start + count - rows.length))
  }
  return rows
}

/** The part that holds a row. */
function partIndexOf(parts: readonly Part[], row: number): number {
  let low = 0
  let high = parts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((parts[middle]?.firstRow ?? 0) <= row) low = middle
    else high = middle - 1
  }
  return Math.max(0, low)
}

function partRows(entry: Entry, part: Part): readonly ResultRow[] {
  const known = entry.kept.get(part)
  if (known === undefined && entry.spill === null) return []
  const rows = known ?? rowsOf(entry.spill === null ? '' : textOf(entry.spill, part))
  keepPart(entry, part, rows)
  return rows
}

function keepPart({ kept }: Entry, part: Part, rows: readonly ResultRow[]): void {
  kept.delete(part)
  kept.set(part, rows)
  for (const oldest of kept.keys()) {
    if (kept.size <= keptPartsMax) break
    kept.delete(oldest)
  }
}

function textOf(spill: SpillFile, part: Part): string {
  return spill.read(part.offset, part.bytes).toString('utf8')
}

function rowsOf(line: string): readonly ResultRow[] {
  const message = QueryStreamMessageSchema.parse(JSON.parse(line))
  return message.type === 'rows' ? message.rows : []
}

/** The lines of an answer, each without its end. */
async function* linesOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  for await (const piece of pieces) {
    let rest = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
    for (let end = rest.indexOf(0x0a); end >= 0; end = rest.indexOf(0x0a)) {
      const line = Buffer.concat([...pending, rest.subarray(0, end)])
      pending = []
      pendingBytes = 0
      if (line.length > 0) yield line
      rest = rest.subarray(end + 1)
    }
    if (rest.length === 0) continue
    pending.push(rest)
    pendingBytes += rest.length
    if (pendingBytes > lineBytesMax) throw new Error('The server sent rows that are too large.')
  }
  if (pendingBytes > 0) yield Buffer.concat(pending)
}

async function dropPieces(pieces: AsyncIterable<Uint8Array>): Promise<void> {
  await pieces[Symbol.asyncIterator]().return?.()
}

function brokenOff(error: unknown): HttpFailure {
  const message = error instanceof SyntaxError || !(error instanceof Error) ? '' : error.message
  return {
    ok: false,
    message: message === '' ? "The server's answer was not understood." : `The answer broke off: ${message}.`,
    status: 0,
    code: '',
  }
}

import { randomUUID } from 'node:crypto'
import type { Agent } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { type ClickHouseClient, ClickHouseLogLevel, type ClickHouseSettings, createClient } from '@clickhouse/client'
import { AppError } from '../../contracts/errors.ts'
import { translateEngineError } from './engine-errors.ts'
import { insertFormats } from './insert-formats.ts'
import { columnReader } from './json-values.ts'
import { quote } from './literal.ts'
import type {
  AnalyticsStatus,
  AnalyticsStore,
  QueryOptions,
  ReadOnlyColumn,
  ReadOnlyLimits,
  ReadOnlyPart,
  ReadOnlyResult,
} from './port.ts'
import { readProgressParts } from './progress-format.ts'

/** How long one of our own queries, and one insert, may run unless its caller says otherwise. */
const queryTimeSecMax = 120
/** The client would end a connection on which nothing came for this long; the engine's own limits come first. */
const requestTimeoutMs = 30 * 60_000
const openConnectionsMax = 128
/** Below this an insert is parsed in one thread: starting several costs a sixth of an insert of 40 readings. */
const smallBodyBytes = 256 * 1024
const connectAttemptsMax = 20
const connectPauseMs = 50

/** What every statement runs with. */
const baseSettings: ClickHouseSettings = { async_insert: 0, output_format_json_quote_64bit_integers: 1 }
/** Names and types first, then one JSON array a line. */
const rowFormat = 'JSONCompactEachRowWithNamesAndTypes'
/** An object a line: names and types, a row, what was read so far, or what went wrong. */
const progressFormat = 'JSONCompactEachRowWithProgress'
/** What goes wrong after the first row comes as a line of the format. */
const progressSettings: ClickHouseSettings = { http_write_exception_in_output_format: 1 }

/** What differs between the embedded engine and a server. */
export interface Engine {
  readonly url: string
  /** How to reach it, where that is not the address itself (a unix socket). */
  readonly agent?: Agent
  /** Resolves when the engine takes requests. @throws AppError UNAVAILABLE when it will not soon */
  whenUp(): Promise<void>
  status(): AnalyticsStatus
  close(): Promise<void>
}

/**
 * The analytics store over ClickHouse's HTTP interface.
 *
 * Every statement begins with a comment that holds its id and tag: that is how `kill` finds it on both engines (the
 * embedded one knows no client's query id), and what a person sees in the list of running queries.
 */
export function createAnalyticsClient(engine: Engine): AnalyticsStore {
  const client = openClient(engine)
  const killById = (queryId: string) => kill(engine, client, queryId)

  /** Waits for the engine, runs `work`, stops the query when the caller gives up, and translates what goes wrong. */
  async function call<T>(
    options: QueryOptions & { limits?: ReadOnlyLimits },
    work: (request: { comment: string; query_id: string; abort_signal?: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    const { signal, limits = null } = options
    const queryId = plainWord(options.queryId ?? randomUUID())
    if (signal?.aborted) throw cancelled(signal)
    // A stop that fails leaves the query to its own limits.
    const stop = () => void killById(queryId).catch(() => 0)
    signal?.addEventListener('abort', stop, { once: true })
    try {
      const comment = `/* ${queryId} ${plainWord(options.tag ?? 'cliptape')} */ `
      // A killed query may keep its id on a server until it is gone, so the id on the wire is never the caller's.
      const send = () => work({ comment, query_id: randomUUID(), ...(signal ? { abort_signal: signal } : {}) })
      return await whenConnected(engine, send)
    } catch (error) {
      throw signal?.aborted ? cancelled(signal) : translateEngineError(error, limits)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async function rowsOf(sql: string, options: QueryOptions & { limits?: ReadOnlyLimits }): Promise<RowsAnswer> {
    return await call(options, async ({ comment, ...request }) => {
      const { stream, response_headers } = await client.exec({
        ...request,
        query: `${comment}${sql}\nFORMAT ${rowFormat}`,
        clickhouse_settings: { wait_end_of_query: 1, max_execution_time: queryTimeSecMax, ...options.settings },
      })
      const text = await readText(stream, options.limits?.resultBytesMax ?? Number.POSITIVE_INFINITY)
      return parseAnswer(text, headerText(response_headers['x-clickhouse-summary']))
    })
  }

  async function insertRaw(
    table: string,
    body: Buffer,
    options: QueryOptions & { format?: string; columns?: readonly string[] } = {},
  ): Promise<void> {
    const format = insertFormats.find(known => known === (options.format ?? 'JSONEachRow'))
    if (!format) throw new AppError('INTERNAL', `Rows cannot be inserted in the format ${options.format}.`)
    const columns = options.columns ? ` (${options.columns.map(plainName).join(', ')})` : ''
    const query = `INSERT INTO ${table.split('.').map(plainName).join('.')}${columns} FORMAT ${format}`
    await call(options, async ({ comment: _comment, ...request }) => {
      const { stream } = await client.exec({
        ...request,
        query,
        values: Readable.from([body], { objectMode: false }),
        clickhouse_settings: {
          wait_end_of_query: 1,
          input_format_skip_unknown_fields: 0,
          ...(body.length < smallBodyBytes ? { input_format_parallel_parsing: 0 } : {}),
          max_execution_time: queryTimeSecMax,
          ...options.settings,
        },
      })
      for await (const _rest of stream);
    })
  }

  return {
    async query<Row>(sql: string, options: QueryOptions = {}) {
      const { columns, rows } = await rowsOf(sql, options)
      const toObject = (row: unknown[]) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index]]))
      // The caller names the shape of its own statement's rows; nothing here could check it.
      return rows.map(toObject) as Row[]
    },

    async stream(sql, format, options = {}) {
      return await call(options, async ({ comment, ...request }) => {
        const { stream } = await client.exec({
          ...request,
          query: `${comment}${sql}\nFORMAT ${plainWord(format)}`,
          clickhouse_settings: { wait_end_of_query: 0, ...options.settings },
        })
        return translated(stream)
      })
    },

    async command(sql, options = {}) {
      await call(options, async ({ comment, ...request }) => {
        await client.command({
          ...request,
          query: comment + sql,
          clickhouse_settings: { wait_end_of_query: 1, ...options.settings },
        })
      })
    },

    async insert(table, rows, options = {}) {
      if (rows.length === 0) return
      await insertRaw(table, Buffer.from(rows.map(row => JSON.stringify(row)).join('\n')), options)
    },

    insertRaw,

    async queryReadOnly(sql, limits, options = {}): Promise<ReadOnlyResult> {
      const settings = { ...options.settings, ...readOnlySettings(limits) }
      const { columns, rows, summary } = await rowsOf(sql, {
        ...options,
        settings,
        limits,
      })
      return {
        columns,
        rows,
        statistics: {
          elapsedSec: summary.elapsedNs / 1e9,
          rowsRead: summary.readRows,
          bytesRead: summary.readBytes,
        },
      }
    },

    async *streamReadOnly(sql, limits, options = {}): AsyncGenerator<ReadOnlyPart, void, void> {
      const queryId = options.queryId ?? randomUUID()
      const settings = { ...options.settings, ...readOnlySettings(limits), ...progressSettings }
      const connection = new AbortController()
      const stop = () => {
        void killById(plainWord(queryId)).catch(() => 0)
        connection.abort()
      }
      options.signal?.addEventListener('abort', stop, { once: true })
      let isComplete = false
      try {
        if (options.signal?.aborted) throw cancelled(options.signal)
        const asked = { ...options, queryId, signal: connection.signal, limits }
        const stream = await call(asked, async ({ comment, ...request }) => {
          const sent = await client.exec({
            ...request,
            query: `${comment}${sql}\nFORMAT ${progressFormat}`,
            clickhouse_settings: { wait_end_of_query: 0, ...settings },
          })
          return sent.stream
        })
        yield* readProgressParts(limited(stream, limits.resultBytesMax))
        isComplete = true
      } catch (error) {
        throw options.signal?.aborted ? cancelled(options.signal) : translateEngineError(error, limits)
      } finally {
        options.signal?.removeEventListener('abort', stop)
        if (!isComplete) stop()
      }
    },

    async fileReadOnly(sql, format, limits, options = {}) {
      const settings = { ...options.settings, ...readOnlySettings(limits) }
      return await call({ ...options, limits }, async ({ comment, ...request }) => {
        const { stream } = await client.exec({
          ...request,
          query: `${comment}${sql}\nFORMAT ${plainWord(format)}`,
          clickhouse_settings: { wait_end_of_query: 1, ...settings },
        })
        return Readable.from(limited(stream, limits.resultBytesMax), { objectMode: false })
      })
    },

    kill: killById,

    async ping() {
      await call({}, async () => {
        const answer = await client.ping()
        if (!answer.success) throw answer.error
      })
    },

    status: () => engine.status(),

    async close() {
      await client.close()
      await engine.close()
    },
  }
}

/** The engine counts a constant column once, however often it is sent: what arrives is counted here. */
async function* limited(stream: Readable, bytesMax: number): AsyncGenerator<Buffer, void, void> {
  let bytes = 0
  for await (const chunk of stream) {
    bytes += chunk.length
    if (bytes > bytesMax)
      throw new AppError('QUERY_LIMIT', `The query gives more than ${bytesMax} bytes: ask for less.`)
    yield chunk
  }
}

async function readText(stream: Readable, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of limited(stream, bytesMax)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function openClient(engine: Engine): ClickHouseClient {
  const { username, password, origin, pathname, database } = splitUrl(engine.url)
  return createClient({
    url: origin + pathname,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
    ...(database ? { database } : {}),
    // The embedded engine never closes an idle connection, so nobody has to be quicker.
    ...(engine.agent ? { http_agent: engine.agent, keep_alive: { enabled: true, idle_socket_ttl: 0 } } : {}),
    application: 'cliptape',
    request_timeout: requestTimeoutMs,
    max_open_connections: openConnectionsMax,
    clickhouse_settings: baseSettings,
    // Its log would print queries.
    log: { level: ClickHouseLogLevel.OFF },
  })
}

function splitUrl(address: string) {
  const url = new URL(address)
  return {
    origin: url.origin,
    pathname: url.pathname === '/' ? '' : url.pathname,
    username: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    database: url.searchParams.get('database'),
  }
}

function readOnlySettings(limits: ReadOnlyLimits): Record<string, string | number> {
  return {
    readonly: 1,
    allow_ddl: 0,
    // A table without its database's name is then one of the public views or none.
    database: 'v',
    max_threads: 1,
    max_execution_time: limits.timeSecMax,
    max_memory_usage: limits.memoryBytesMax,
    max_result_rows: limits.resultRowsMax,
    max_result_bytes: limits.resultBytesMax,
    max_rows_to_read: limits.readRowsMax,
    result_overflow_mode: 'throw',
    read_overflow_mode: 'throw',
    timeout_overflow_mode: 'throw',
  }
}

async function kill(engine: Engine, client: ClickHouseClient, queryId: string): Promise<number> {
  await engine.whenUp()
  const mark = quote(`/* ${plainWord(queryId)} `)
  try {
    const result = await client.query({
      query: `KILL QUERY WHERE startsWith(query, ${mark}) ASYNC`,
      format: rowFormat,
      clickhouse_settings: { wait_end_of_query: 1 },
    })
    const text = await result.text()
    return text.trim() === '' ? 0 : parseAnswer(text, '{}').rows.length
  } catch (error) {
    throw translateEngineError(error, null)
  }
}

/** Tries again for a short while when the connection was not even made: nothing was sent, so nothing runs twice. */
async function whenConnected<T>(engine: Engine, send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    await engine.whenUp()
    try {
      return await send()
    } catch (error) {
      if (attempt >= connectAttemptsMax || !isUnconnected(error)) throw error
      await delay(connectPauseMs)
    }
  }
}

function isUnconnected(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'connect'
}

interface RowsAnswer {
  columns: ReadOnlyColumn[]
  rows: unknown[][]
  summary: { readRows: number; readBytes: number; elapsedNs: number }
}

function parseAnswer(text: string, summaryText: string): RowsAnswer {
  const lines = text.split('\n').filter(line => line !== '')
  const [names = [], types = [], ...rows]: unknown[][] = JSON.parse(`[${lines.join(',')}]`)
  const columns = names.map((name, index) => ({ name: String(name), type: String(types[index]) }))
  columns.forEach(({ type }, index) => {
    const read = columnReader(type)
    if (read !== null) for (const row of rows) row[index] = read(row[index])
  })
  return { columns, rows, summary: parseSummary(summaryText) }
}

function parseSummary(text: string): RowsAnswer['summary'] {
  const summary: Record<string, unknown> = JSON.parse(text)
  const count = (name: string) => Number(summary[name] ?? 0)
  return { readRows: count('read_rows'), readBytes: count('read_bytes'), elapsedNs: count('elapsed_ns') }
}

function headerText(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header) ?? '{}'
}

/** The same bytes, with the connection's errors as ours. */
function translated(source: Readable): Readable {
  const out = new PassThrough()
  source.on('error', error => out.destroy(translateEngineError(error, null)))
  out.on('close', () => source.destroy())
  return source.pipe(out)
}

function cancelled(signal: AbortSignal): AppError {
  return new AppError('QUERY_LIMIT', 'The query was stopped because nobody waits for it any more.', {
    cause: signal.reason,
  })
}

/** Tags and ids go into a comment: nothing in them may end it. */
function plainWord(text: string): string {
  return text.replace(/[^\w:./@-]/g, '_').slice(0, 120)
}

/** Tables and columns come from our own code; anything that is not a plain name is our mistake. */
function plainName(name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) throw new AppError('INTERNAL', `${name} is not the name of a table or column.`)
  return name
}

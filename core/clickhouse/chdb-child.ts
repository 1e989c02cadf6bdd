/**
 * The analytics engine in a process of its own: chDB behind the part of ClickHouse's HTTP interface that
 * `@clickhouse/client` uses, on a unix socket that only this user can open.
 *
 * Why a process: chDB runs its queries on libuv's thread pool, where they starve the file system and crypto calls of
 * whoever shares it, and a query that ignores its limits can only be ended by killing the process it runs in. The
 * parent watches, kills and restarts us (`chdb.ts`); when the parent is gone, so are we.
 *
 * What is kept out: the process starts with an empty environment, a configuration that grants only our own databases,
 * and every statement of a user runs on a session that is read-only and has its limits from birth (settings given in
 * the request become arguments of the session, where a `SET` can no longer reach them).
 *
 * Answered: `GET /ping`; `POST /` with `query` in the address and rows in the body (an insert), or the statement in
 * the body, ended by `FORMAT <name>` on a line of its own. Settings are further parameters of the address;
 * `readonly=1` among them asks for a read-only session. Errors have status 500 and `X-ClickHouse-Exception-Code`, a full
 * queue 503, a body over the limit 413. With `wait_end_of_query=0` an answer is sent while it is computed; in the format
 * `JSONCompactEachRowWithProgress`, that of users, by a thread (`chdb-reader.ts`) and with progress in it. Not answered,
 * because nobody here sends it: bound parameters, sessions, roles, compression.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type ChdbQueryStream, Session } from 'chdb'
import { Slots } from '../slots.ts'
import { engineConfig, grantsAreRestricted } from './child-config.ts'
import type { ChildLimits, ChildMessage, ChildOptions } from './child-protocol.ts'
import { engineErrorCode } from './engine-error-code.ts'
import { insertFormats } from './insert-formats.ts'
import { quote } from './literal.ts'
import { ReaderThreads } from './reader-threads.ts'
import { SessionPool } from './session-pool.ts'

const exitGraceMs = 5_000
const overdueFactor = 3

/** Of users' answers that are sent while they are computed: what goes on and what goes wrong are lines among the rows. */
const progressFormat = 'JSONCompactEachRowWithProgress'
const progressEveryMs = 500

/** The formats that can be sent chunk by chunk, with the lines of the header that the engine repeats in every chunk. */
const headerLinesOf: Readonly<Record<string, number>> = {
  JSONEachRow: 0,
  JSONCompactEachRow: 0,
  JSONCompactEachRowWithNamesAndTypes: 2,
  CSV: 0,
  CSVWithNames: 1,
  TabSeparated: 0,
  TabSeparatedWithNames: 1,
  [progressFormat]: 0,
}

/** Parameters of the address that are not settings of the engine. */
const requestParameters = new Set(['query', 'query_id', 'database', 'wait_end_of_query'])

interface Engine {
  readonly limits: ChildLimits
  readonly pool: SessionPool
  readonly readers: ReaderThreads
  readonly own: Slots
  readonly readOnly: Slots
}

interface Statement {
  readonly sql: string
  readonly format: string
}

function main(): void {
  process.umask(0o077)
  const options: ChildOptions = JSON.parse(process.argv[2] ?? '{}')
  process.on('disconnect', () => {
    leaveNothing(options.runtimeDir)
    // Not `process.exit`: it would wait for the engine's threads.
    process.kill(process.pid, 'SIGKILL')
  })
  // The terminal sends these to the whole group; the parent decides when the engine ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  start(options).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    const message: ChildMessage = { kind: 'failed', reason }
    process.send?.(message, () => process.exit(1))
  })
}

/** Where the process is shut in, the folder itself is mounted: only what is in it can go, and the parent takes the rest. */
function leaveNothing(runtimeDir: string): void {
  for (const name of existsSync(runtimeDir) ? readdirSync(runtimeDir) : [])
    rmSync(join(runtimeDir, name), { recursive: true, force: true })
  try {
    rmdirSync(runtimeDir)
  } catch {
    // It is mounted, or gone.
  }
}

async function start(options: ChildOptions): Promise<void> {
  const { limits, listen } = options
  mkdirSync(options.runtimeDir, { recursive: true, mode: 0o700 })
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 })
  const configPath = join(options.runtimeDir, 'engine.xml')
  writeFileSync(
    `${configPath}.${process.pid}`,
    engineConfig({ path: configPath, memoryBytesMax: limits.memoryBytesMax }),
  )
  renameSync(`${configPath}.${process.pid}`, configPath)
  // The first session reads the configuration and holds the engine open. It fails when another process has the folder.
  const first = new Session(options.dataDir, { connectionArgs: [`--config-file=${configPath}`] })
  const shown = (await first.queryAsync('SHOW GRANTS', { format: 'TabSeparatedRaw' })).text()
  if (!grantsAreRestricted(shown)) throw new Error(`The engine did not take its restricted grants: ${shown}`)
  const version = (await first.queryAsync('SELECT version()', { format: 'TabSeparatedRaw' })).text().trim()
  const engine: Engine = {
    limits,
    pool: new SessionPool(options.dataDir),
    readers: new ReaderThreads(options.dataDir),
    own: new Slots({ concurrentMax: limits.concurrentMax, queuedMax: limits.queuedMax }),
    readOnly: new Slots({ concurrentMax: limits.readOnlyConcurrentMax, queuedMax: limits.queuedMax }),
  }
  const server = createServer((request, response) => {
    handle(engine, request, response).catch((error: unknown) => fail(response, error))
  })
  // The parent keeps its connections; closing an idle one would race with its next request.
  server.keepAliveTimeout = 0
  server.requestTimeout = 0
  if ('socketPath' in listen) rmSync(listen.socketPath, { force: true })
  server.listen('socketPath' in listen ? { path: listen.socketPath } : { host: '127.0.0.1', port: listen.port }, () => {
    const message: ChildMessage = { kind: 'ready', version }
    process.send?.(message)
  })
  process.on('message', () => {
    server.close()
    const deadlineMs = performance.now() + exitGraceMs
    const leave = setInterval(() => {
      if (engine.own.runningCount + engine.readOnly.runningCount > 0 && performance.now() < deadlineMs) return
      clearInterval(leave)
      engine.pool.close()
      first.close()
      leaveNothing(options.runtimeDir)
      process.exit(0)
    }, 10)
  })
}

async function handle(engine: Engine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://engine')
  if (url.pathname === '/ping') {
    response.end('Ok.\n')
    return
  }
  const body = await readBody(request, engine.limits.bodyBytesMax)
  if (body === null) {
    response.statusCode = 413
    fail(response, new Error('Code: 307. DB::Exception: The request body is over the limit. (TOO_MANY_BYTES)'))
    return
  }
  const isReadOnly = url.searchParams.get('readonly') === '1'
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const giveBack = await (isReadOnly ? engine.readOnly : engine.own).take(gone.signal)
  if (!giveBack) {
    response.statusCode = 503
    const text = 'Code: 202. DB::Exception: Too many simultaneous queries. (TOO_MANY_SIMULTANEOUS_QUERIES)'
    fail(response, new Error(text))
    return
  }
  const overdue = new Overdue(Number(url.searchParams.get('max_execution_time') ?? 0))
  overdue.begin()
  try {
    await run(engine, { parameters: url.searchParams, body, overdue }, response)
  } finally {
    overdue.end()
    giveBack()
  }
}

/**
 * A few functions look at the clock late or never, and nothing but the end of the process stops them. The limit itself
 * is the engine's business; at three times that we end ourselves, and the parent starts us again.
 */
class Overdue {
  readonly limitSec: number
  #timer: NodeJS.Timeout | undefined

  /** @param limitSec of the statement; none when it is 0 */
  constructor(limitSec: number) {
    this.limitSec = limitSec
  }

  /** The engine is at work. */
  begin(): void {
    this.end()
    if (!(this.limitSec > 0)) return
    this.#timer = setTimeout(() => process.kill(process.pid, 'SIGKILL'), this.limitSec * overdueFactor * 1000)
  }

  /** It has answered. */
  end(): void {
    clearTimeout(this.#timer)
  }
}

async function run(
  engine: Engine,
  { parameters, body, overdue }: { parameters: URLSearchParams; body: Buffer; overdue: Overdue },
  response: ServerResponse,
): Promise<void> {
  const args = sessionArgs(parameters)
  const query = parameters.get('query')
  if (query !== null) {
    await engine.pool.use(args, session => insert(session, query, body, response))
    return
  }
  const statement = parseStatement(body.toString('utf8'))
  const isStreamed = parameters.get('wait_end_of_query') === '0' && statement.format in headerLinesOf
  if (isStreamed && statement.format === progressFormat) {
    await streamWithProgress(engine, { args, statement, overdue }, response)
    return
  }
  const send = isStreamed ? streamResult : sendResult
  await engine.pool.use(args, session => send(session, statement, response))
}

/** Settings become arguments of the session, sorted so that equal ones share it, with `readonly` after all others. */
function sessionArgs(parameters: URLSearchParams): string[] {
  const settings = [...parameters].filter(([name]) => !requestParameters.has(name))
  for (const [name] of settings) {
    if (!/^[a-z][a-z0-9_]*$/.test(name)) {
      throw new Error('Code: 115. DB::Exception: That is not the name of a setting. (UNKNOWN_SETTING)')
    }
  }
  return settings
    .sort(([a], [b]) => Number(a === 'readonly') - Number(b === 'readonly') || (a < b ? -1 : 1))
    .map(([name, setting]) => `--${name}=${setting}`)
}

function parseStatement(text: string): Statement {
  const format = /\nFORMAT (\w+)\s*$/.exec(text)
  return { sql: format ? text.slice(0, format.index) : text, format: format?.[1] ?? 'TabSeparated' }
}

async function insert(session: Session, query: string, body: Buffer, response: ServerResponse): Promise<void> {
  const found = /^INSERT INTO ([\w.]+)\s*(?:\(([^)]*)\))?\s*FORMAT (\w+)\s*$/.exec(query)
  const format = insertFormats.find(known => known === found?.[3])
  if (!found?.[1] || !format) {
    throw new Error('Code: 62. DB::Exception: Expected INSERT INTO table (columns) FORMAT name. (SYNTAX_ERROR)')
  }
  const columns = found[2]?.split(',').map(name => name.trim().replaceAll('`', ''))
  const summary = await session.insert({ table: found[1], values: body, format, ...(columns ? { columns } : {}) })
  response.setHeader('X-ClickHouse-Summary', JSON.stringify({ written_rows: String(summary.rowsWritten) }))
  response.end()
}

async function sendResult(session: Session, statement: Statement, response: ServerResponse): Promise<void> {
  const result = await session.queryAsync(statement.sql, { format: statement.format })
  const summary = {
    read_rows: String(result.rowsRead),
    read_bytes: String(result.bytesRead),
    elapsed_ns: String(Math.round(result.elapsed * 1e9)),
  }
  response.setHeader('X-ClickHouse-Summary', JSON.stringify(summary))
  response.setHeader('X-ClickHouse-Format', statement.format)
  response.end(result.bytes())
}

/** Sends the result chunk by chunk, waiting for the reader; an error after the first chunk cuts the connection. */
async function streamResult(session: Session, statement: Statement, response: ServerResponse): Promise<void> {
  const stream: ChdbQueryStream = session.queryStream(statement.sql, { format: statement.format })
  const headerLines = headerLinesOf[statement.format] ?? 0
  response.setHeader('X-ClickHouse-Format', statement.format)
  let isFirst = true
  for await (const chunk of stream) {
    const bytes = chunk.raw()
    const isTaken = response.write(isFirst ? bytes : withoutHeader(bytes, headerLines))
    isFirst = false
    if (!isTaken && !response.closed) await drained(response)
    if (response.closed) throw new Error('Whoever asked went away.')
  }
  response.end()
}

/**
 * The same from a thread, with lines of progress in between. What fails after the first line is the last line.
 */
async function streamWithProgress(
  engine: Engine,
  { args, statement, overdue }: { args: readonly string[]; statement: Statement; overdue: Overdue },
  response: ServerResponse,
): Promise<void> {
  response.setHeader('X-ClickHouse-Format', statement.format)
  const tell = async () => {
    const line = await progressLine(engine, statement.sql)
    if (line !== '' && !response.closed) response.write(line)
  }
  const telling = setInterval(() => void tell().catch(() => {}), progressEveryMs)
  try {
    for await (const bytes of engine.readers.read({ args, ...statement })) {
      overdue.end()
      const isTaken = response.write(bytes)
      if (!isTaken && !response.closed) await drainedWithin(response, overdue.limitSec)
      if (response.closed) return
      // The statement is listed until its next part is asked for: after its last one these are its final figures.
      await tell()
      overdue.begin()
    }
    response.end()
  } catch (error) {
    if (!response.headersSent) throw error
    response.end(`${JSON.stringify({ exception: error instanceof Error ? error.message : String(error) })}\n`)
  } finally {
    clearInterval(telling)
  }
}

/** Whoever does not read holds a turn of everybody's: not longer than the statement itself might have. */
async function drainedWithin(response: ServerResponse, limitSec: number): Promise<void> {
  const late = limitSec > 0 ? setTimeout(() => response.destroy(), limitSec * 1000) : undefined
  await drained(response)
  clearTimeout(late)
}

/** What a statement has read so far, found by the comment that it begins with; empty when it is not running. */
async function progressLine(engine: Engine, sql: string): Promise<string> {
  const mark = /^\/\* \S+ /.exec(sql)?.[0]
  if (mark === undefined) return ''
  const found = `SELECT read_rows, read_bytes, toUInt64(elapsed * 1e9) AS elapsed_ns FROM system.processes WHERE startsWith(query, ${quote(mark)}) LIMIT 1`
  const row = await engine.pool.use([], session => session.queryAsync(found, { format: 'JSONEachRow' }))
  const text = row.text().trim()
  return text === '' ? '' : `{"progress":${text}}\n`
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise(resolve => {
    const go = () => {
      response.off('drain', go)
      response.off('close', go)
      resolve()
    }
    response.on('drain', go)
    response.on('close', go)
  })
}

/** A quoted CSV name may hold a line feed; the JSON and TSV formats escape theirs. */
function withoutHeader(bytes: Uint8Array, lines: number): Uint8Array {
  let at = 0
  let isQuoted = false
  for (let left = lines; left > 0 && at < bytes.length; at += 1) {
    if (bytes[at] === 0x22) isQuoted = !isQuoted
    else if (bytes[at] === 0x0a && !isQuoted) left -= 1
  }
  return bytes.subarray(at)
}

/** The whole body, or null when it is larger than the limit (the rest is read and thrown away). */
async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= bytesMax) chunks.push(chunk)
    else chunks.length = 0
  }
  return bytes <= bytesMax ? Buffer.concat(chunks, bytes) : null
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  if (response.statusCode === 200) response.statusCode = 500
  response.setHeader('X-ClickHouse-Exception-Code', String(engineErrorCode(error)))
  response.end(error instanceof Error ? error.message : String(error))
}

main()

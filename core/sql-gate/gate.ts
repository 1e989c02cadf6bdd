/**
 * The gate before users' SQL: what it lets through reads the views of `v`, the asking user's own rows through `mine`,
 * and nothing else: no other table, file, address, setting or function that tells of the machine.
 *
 * 1. Parameters are put in as literals.
 * 2. The engine parses the text and writes it down in its own form. That form is what is looked at and what runs, so a
 *    trick with comments, quotes, encodings or a second statement has nothing left to hide in.
 * 3. `reviewStatement` reads that form token by token and refuses what it does not know to be harmless.
 * 4. `mine.x` becomes `mine.x(owner = …)` with the id of who asks. A call of it that the user wrote is refused.
 * 5. It runs on a read-only session with limits, in a process without rights beyond its own databases.
 *
 * Refused alternatives: a deny list over the tree of `EXPLAIN AST` (functions handed over by name and sets of IN do not
 * show as what they are); `additional_table_filters` as the owner's boundary (SETTINGS of a subquery takes it off).
 */
import { Readable } from 'node:stream'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import { literal, quote } from '../clickhouse/literal.ts'
import type { AnalyticsStore, ReadOnlyLimits, ReadOnlyResult } from '../clickhouse/port.ts'
import { type Catalog, loadCatalog } from './catalog.ts'
import { fillPlaceholders, fillWithSamples } from './placeholders.ts'
import { type OwnTable, type Review, reviewStatement } from './review.ts'
import { type RowFormat, renderRows } from './rows-out.ts'
import { tokenize } from './tokens.ts'

/** Users' SQL over the schemas `v` and `mine`. */
export interface SqlGate {
  /**
   * Runs one SELECT.
   *
   * @throws AppError QUERY_REFUSED (the sentence names what is refused), QUERY_FAILED (bad SQL), QUERY_LIMIT, BAD_REQUEST
   *   (a parameter), UNAVAILABLE
   */
  run(query: UserQuery): Promise<ReadOnlyResult>
  /** The same as bytes: 64-bit integers that are safe as numbers, larger ones as strings. Fails before its first byte. */
  stream(query: UserQuery & { format: RowFormat }): Promise<Readable>
  /** Looks without running; parameters need no values. @returns the views it reads, e.g. `v.samples` */
  check(sql: string): Promise<{ tables: string[] }>
}

export interface UserQuery {
  /** At most 20,000 characters. */
  readonly sql: string
  /** Whose rows `mine` shows. */
  readonly userId: UserId
  /** Values for the `{name:Type}` in the SQL. */
  readonly params?: Readonly<Record<string, unknown>>
  readonly limits: ReadOnlyLimits
  /** Who asks, for the engine's list of queries, e.g. `http:/api/query`. */
  readonly tag: string
  readonly signal?: AbortSignal
}

const charsMax = 20_000
/** Parameters and the engine's own form make it longer. */
const formattedCharsMax = 200_000
const formatTimeSecMax = 3

/**
 * Where rows of several owners lie in one table, a condition of the user must see none before the owner's own condition
 * has chosen. Left to itself the engine moves `toUInt64(video_id) = 1` below it, and the error that comes of somebody
 * else's row quotes that row.
 */
const ownerFirst: Readonly<Record<string, number>> = {
  query_plan_filter_push_down: 0,
  query_plan_merge_filters: 0,
  optimize_move_to_prewhere: 0,
  enable_join_runtime_filters: 0,
}

/** @param store migrated: the views that exist now are those that can be read */
export async function createSqlGate(store: AnalyticsStore): Promise<SqlGate> {
  const catalog = await loadCatalog(store)

  async function run(query: UserQuery): Promise<ReadOnlyResult> {
    assertLength(query.sql)
    const sql = fillPlaceholders(query.sql, query.params ?? {})
    const formatted = await format(store, sql, query.signal)
    const { ownTables } = review(formatted, catalog)
    const { limits, tag, signal } = query
    return await store.queryReadOnly(withOwner(formatted, ownTables, query.userId), limits, {
      tag,
      settings: ownTables.length > 0 ? ownerFirst : {},
      ...(signal ? { signal } : {}),
    })
  }

  return {
    run,
    async stream({ format: rowFormat, ...query }) {
      return Readable.from(renderRows(await run(query), rowFormat), { objectMode: false })
    },
    async check(sql) {
      assertLength(sql)
      const { tables } = review(await format(store, fillWithSamples(sql)), catalog)
      return { tables: [...tables] }
    },
  }
}

function assertLength(sql: string): void {
  if (sql.length > charsMax) {
    throw new AppError('QUERY_REFUSED', `The SQL has ${sql.length} characters: at most ${charsMax} are allowed.`)
  }
  if (sql.includes('\0') || !sql.isWellFormed()) {
    throw new AppError('QUERY_REFUSED', 'The SQL holds characters that are not text.')
  }
}

/**
 * The statement in the engine's own form, on one line.
 * @throws AppError QUERY_FAILED when it is not exactly one statement
 */
async function format(store: AnalyticsStore, sql: string, signal?: AbortSignal): Promise<string> {
  const options = {
    tag: 'sql-gate:format',
    settings: { max_execution_time: formatTimeSecMax },
    ...(signal ? { signal } : {}),
  }
  const rows = await store
    .query<{ once: string; twice: string | null }>(
      `WITH formatQuerySingleLine(${quote(sql)}) AS once SELECT once, formatQuerySingleLineOrNull(once) AS twice`,
      options,
    )
    .catch((error: unknown) => {
      throw withoutOurPart(error)
    })
  const { once = '', twice = null } = rows[0] ?? {}
  // Then a word in capitals is a keyword and no other word is, on every reading: no name passes for one.
  if (once !== twice) {
    throw new AppError(
      'QUERY_REFUSED',
      'The engine reads its own form of this SQL in another way: write it more simply.',
    )
  }
  const formatted = once.trim()
  if (formatted.length > formattedCharsMax) {
    throw new AppError(
      'QUERY_REFUSED',
      `The SQL is too long: at most ${formattedCharsMax} characters with its parameters.`,
    )
  }
  return formatted
}

/** The engine's sentence about a syntax error ends with the statement that we put around the user's. */
function withoutOurPart(error: unknown): unknown {
  if (!(error instanceof AppError) || error.code !== 'QUERY_FAILED') return error
  const message = error.message.replace(/[\s:]*In scope (?:WITH|SELECT) formatQuerySingleLine\([\s\S]*$/, '.')
  return new AppError('QUERY_FAILED', message, { details: error.details, cause: error })
}

function review(formatted: string, catalog: Catalog): Review {
  return reviewStatement(tokenize(formatted), catalog)
}

/** Puts the owner in wherever a view of `mine` is read. */
function withOwner(sql: string, ownTables: readonly OwnTable[], userId: UserId): string {
  const owner = literal('owner', 'UUID', userId)
  let out = ''
  let at = 0
  for (const { start, end, name, isSet } of [...ownTables].sort((a, b) => a.start - b.start)) {
    const call = `mine.${name}(owner = ${owner})`
    out += sql.slice(at, start) + (isSet ? `SELECT * FROM ${call}` : call)
    at = end
  }
  return out + sql.slice(at)
}

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
import { type QueryFormat, sqlCharsMax } from '../../contracts/queries.ts'
import { literal, quote } from '../clickhouse/literal.ts'
import type { AnalyticsStore, QueryOptions, ReadOnlyLimits, ReadOnlyPart, ReadOnlyResult } from '../clickhouse/port.ts'
import { type Catalog, loadCatalog } from './catalog.ts'
import { type Filled, fillPlaceholders, type Placeholder, placeholdersOf } from './placeholders.ts'
import { withNamePlace, withSyntaxPlace, withTokenPlace } from './places.ts'
import { type OwnTable, type Review, reviewStatement } from './review.ts'
import { renderParts } from './rows-out.ts'
import { tokenize } from './tokens.ts'
import { QueryTurns } from './turns.ts'

/** Users' SQL over the schemas `v` and `mine`. */
export interface SqlGate {
  /**
   * Runs one SELECT and gives its whole answer, held in memory.
   *
   * @throws AppError QUERY_REFUSED (the sentence names what is refused), QUERY_FAILED (bad SQL), QUERY_LIMIT, BAD_REQUEST
   *   (a parameter), UNAVAILABLE. The first two have the place in the user's text in `details`, where it is known
   *   (`QueryPlaceSchema`).
   */
  run(query: UserQuery): Promise<ReadOnlyResult>
  /**
   * The same as bytes while it runs: 64-bit integers that are safe as numbers, larger ones as strings. Fails before its
   * first byte, or in the stream. `parquet` is made by the engine whole, and held in memory: it has at most 128 MiB.
   */
  stream(query: UserQuery & { format: QueryFormat }): Promise<Readable>
  /** Looks without running; parameters need no values. */
  check(sql: string): Promise<CheckedSql>
  /** How the engine would run it: a step a line, indented. Parameters without a value have an empty one. */
  explain(query: UserQuery): Promise<CheckedSql & { plan: string[] }>
  /** What SQL may name. */
  readonly catalog: Catalog
}

/** What was found out about a text without running it. */
export interface CheckedSql {
  /** The views it reads, e.g. `v.samples`. */
  tables: string[]
  parameters: Placeholder[]
  /** The answer depends on the instant at which it is asked for. */
  usesClock: boolean
}

/** What one query may cost, and how many of the user's may run at once (`QueryTurns`). */
export interface QueryLimits extends ReadOnlyLimits {
  readonly atOnceMax: number | null
}

export interface UserQuery {
  /** At most `sqlCharsMax` characters. */
  readonly sql: string
  /** Whose rows `mine` shows. */
  readonly userId: UserId
  /** Values for the `{name:Type}` in the SQL. */
  readonly params?: Readonly<Record<string, unknown>>
  readonly limits: QueryLimits
  /** Who asks, for the engine's list of queries, e.g. `http:/api/query`. */
  readonly tag: string
  readonly signal?: AbortSignal
}

/** Parameters and the engine's own form make it longer. */
const formattedCharsMax = 200_000
const formatTimeSecMax = 3
/** Of an answer that the engine makes whole. */
const fileBytesMax = 128 * 1024 ** 2

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
  const turns = new QueryTurns()

  /** Parameters filled in, parsed by the engine, looked at. */
  async function look(filled: Filled, signal?: AbortSignal): Promise<{ formatted: string; review: Review }> {
    const formatted = await format(store, filled, signal)
    const tokens = tokenize(formatted)
    try {
      return { formatted, review: reviewStatement(tokens, catalog) }
    } catch (error) {
      throw withTokenPlace(error, tokens, filled)
    }
  }

  /** What may run of a user's query, and how. */
  async function prepare(query: UserQuery) {
    assertLength(query.sql)
    const filled = fillPlaceholders(query.sql, query.params ?? {})
    const { formatted, review } = await look(filled, query.signal)
    return { filled, sql: withOwner(formatted, review.ownTables, query.userId), options: optionsOf(query, review) }
  }

  async function* parts(query: UserQuery): AsyncGenerator<ReadOnlyPart, void, void> {
    const { filled, sql, options } = await prepare(query)
    const giveBack = await takeTurn(query)
    try {
      yield* store.streamReadOnly(sql, query.limits, options)
    } catch (error) {
      throw withNamePlace(error, filled)
    } finally {
      giveBack()
    }
  }

  const takeTurn = ({ userId, limits, signal }: UserQuery) => turns.take(userId, limits.atOnceMax, signal)

  /** One query in its turn. */
  async function inTurn<T>(query: UserQuery, filled: Filled, ask: () => Promise<T>): Promise<T> {
    const giveBack = await takeTurn(query)
    try {
      return await ask()
    } catch (error) {
      throw withNamePlace(error, filled)
    } finally {
      giveBack()
    }
  }

  return {
    catalog,
    async run(query) {
      const { filled, sql, options } = await prepare(query)
      return await inTurn(query, filled, () => store.queryReadOnly(sql, query.limits, options))
    },
    async stream({ format: wanted, ...query }) {
      if (wanted !== 'parquet') return await begun(renderParts(parts(query), wanted))
      const { filled, sql, options } = await prepare(query)
      const resultBytesMax = Math.min(query.limits.resultBytesMax, fileBytesMax)
      const limits = { ...query.limits, resultBytesMax }
      return await inTurn(query, filled, () => store.fileReadOnly(sql, 'Parquet', limits, options))
    },
    async check(sql) {
      assertLength(sql)
      const { review } = await look(fillPlaceholders(sql, {}, { missing: 'sample' }))
      return factsOf(sql, review)
    },
    async explain(query) {
      assertLength(query.sql)
      const filled = fillPlaceholders(query.sql, query.params ?? {}, { missing: 'sample' })
      const { formatted, review } = await look(filled, query.signal)
      const sql = `EXPLAIN ${withOwner(formatted, review.ownTables, query.userId)}`
      const ask = () => store.queryReadOnly(sql, query.limits, optionsOf(query, review))
      const { rows } = await inTurn(query, filled, ask)
      const plan = rows.map(([line]) => String(line)).filter(line => line.trim() !== '' && !unsaidOfPlan.test(line))
      return { ...factsOf(query.sql, review), plan: plan.map(shortLine) }
    },
  }
}

function factsOf(sql: string, { tables, usesClock }: Review): CheckedSql {
  return { tables: [...tables], parameters: placeholdersOf(sql), usesClock }
}

function optionsOf({ tag, signal }: UserQuery, { ownTables }: Review): QueryOptions {
  return { tag, settings: ownTables.length > 0 ? ownerFirst : {}, ...(signal ? { signal } : {}) }
}

/**
 * Resolves when the first piece is there. Not a generator around the pieces: one that nobody has begun to read would not
 * hear of its end.
 */
async function begun(pieces: AsyncGenerator<string, void, void>): Promise<Readable> {
  let first: IteratorResult<string, void> | null = await pieces.next()
  const rest: AsyncIterator<string, void> = {
    async next() {
      const piece = first ?? (await pieces.next())
      first = null
      return piece
    },
    return: () => pieces.return(),
  }
  return Readable.from({ [Symbol.asyncIterator]: () => rest }, { objectMode: false })
}

/** Long lists of columns that say nothing of how it runs, and how much of everybody's rows lies where. */
const unsaidOfPlan = /^[\s│├└─]*(Output|Parts):/
const planLineCharsMax = 200

function shortLine(line: string): string {
  return line.length > planLineCharsMax ? `${line.slice(0, planLineCharsMax - 1)}…` : line
}

function assertLength(sql: string): void {
  if (sql.length > sqlCharsMax) {
    throw new AppError('QUERY_REFUSED', `The SQL has ${sql.length} characters: at most ${sqlCharsMax} are allowed.`)
  }
  if (sql.includes('\0') || !sql.isWellFormed()) {
    throw new AppError('QUERY_REFUSED', 'The SQL holds characters that are not text.')
  }
}

/**
 * The statement in the engine's own form, on one line.
 * @throws AppError QUERY_FAILED when it is not exactly one statement
 */
async function format(store: AnalyticsStore, filled: Filled, signal?: AbortSignal): Promise<string> {
  const options = {
    tag: 'sql-gate:format',
    settings: { max_execution_time: formatTimeSecMax },
    ...(signal ? { signal } : {}),
  }
  const rows = await store
    .query<{ once: string; twice: string | null }>(
      `WITH formatQuerySingleLine(${quote(filled.sql)}) AS once SELECT once, formatQuerySingleLineOrNull(once) AS twice`,
      options,
    )
    .catch((error: unknown) => {
      throw withSyntaxPlace(withoutOurPart(error), filled)
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

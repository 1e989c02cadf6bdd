import type { AnalyticsContext } from '../../../analytics/context.ts'
import { meter } from '../../../analytics/measures/series.ts'
import { outlierMeter, titleOf } from '../../../analytics/measures/subject-at.ts'
import { trends } from '../../../analytics/measures/trends.ts'
import { makeWindow } from '../../../analytics/measures/window.ts'
import { median } from '../../../analytics/scores.ts'
import type { AlertCondition, AlertMeasure, AlertRead, AlertRule } from '../../../contracts/alerts.ts'
import { AppError, assertNever } from '../../../contracts/errors.ts'
import { type UserId, VideoIdSchema } from '../../../contracts/ids.ts'
import { type MissingReason, periodMs, type TrendRow, type TrendsParams } from '../../../contracts/measures.ts'
import type { Observation, Reading } from './step-rule.ts'

// From a rule to what it reads, at any instants of data time: now, or step by step through the past.

type RuleReads = Pick<AlertRule, 'measure' | 'condition'>

/** Rows of a saved query that an alert looks at. */
const queryRowsMax = 10_000
/** Fewest rows whose median says what is usual. */
const usualRowsMin = 5

/** What a saved query gave. */
export interface QueryRows {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
}

/** Runs saved queries as somebody who may. */
export interface SavedQueries {
  /** @throws AppError NOT_FOUND; and what the query is refused or fails with */
  run(o: {
    readonly userId: UserId
    readonly queryId: string
    readonly params: Readonly<Record<string, unknown>>
    /** Data time, for a query that has a parameter for it. */
    readonly at: Date
    readonly rowsMax: number
    readonly signal: AbortSignal
  }): Promise<QueryRows>
  /** Whether the query has a parameter `now`: only then can it be asked about the past. */
  hasInstant(userId: UserId, queryId: string): Promise<boolean>
}

export interface RuleReader {
  /** What the rule reads at this instant, each row with its value before where the condition compares with it. */
  read(at: Date): Promise<Observation>
  /** The value before is not to be had: who reads again and again has to remember what was. */
  readonly lacksPast: boolean
}

/** Who reads, and with what. */
export interface ReadDeps {
  readonly ctx: AnalyticsContext
  readonly queries: SavedQueries
  readonly userId: UserId
  readonly signal: AbortSignal
}

/**
 * Gets ready to read a rule at instants between `fromMs` and `toMs`.
 * @throws AppError NOT_FOUND for a saved query that is gone; and what the stores throw
 */
export async function openReader(
  deps: ReadDeps,
  rule: RuleReads,
  span: { readonly fromMs: number; readonly toMs: number },
): Promise<RuleReader> {
  const { measure, condition } = rule
  const overMs = condition.kind === 'change' ? periodMs[condition.over] : 0
  const lacksPast =
    overMs > 0 && measure.source === 'query' && !(await deps.queries.hasInstant(deps.userId, measure.queryId))
  const rowsAt = await rowsReader(deps, rule, { fromMs: Math.max(0, span.fromMs - overMs), toMs: span.toMs })
  return {
    lacksPast,
    async read(at) {
      const readings = await rowsAt(at)
      if (overMs === 0 || lacksPast) return { at, readings }
      const before = new Map((await rowsAt(new Date(at.getTime() - overMs))).map(row => [row.key, row.value]))
      return { at, readings: readings.map(row => ({ ...row, before: before.get(row.key) ?? null })) }
    },
  }
}

/**
 * What makes two rules read the same: then one reading serves both. Rules over queries are their owner's alone, because
 * what a query gives depends on who asks.
 */
export function readingKey(userId: UserId, { measure, condition }: RuleReads): string {
  const over = condition.kind === 'change' ? condition.over : ''
  const rows = measure.source === 'list' ? rowCountOf(measure, condition) : 0
  const owner = measure.source === 'query' ? userId : ''
  return JSON.stringify([sortedEntries(measure), isOutlier(condition), over, rows, owner])
}

function sortedEntries(measure: AlertMeasure): [string, unknown][] {
  return Object.entries(measure).sort(([a], [b]) => (a < b ? -1 : 1))
}

type RowsAt = (at: Date) => Promise<Reading[]>

async function rowsReader(
  deps: ReadDeps,
  { measure, condition }: RuleReads,
  span: { readonly fromMs: number; readonly toMs: number },
): Promise<RowsAt> {
  switch (measure.source) {
    case 'subject':
      return await subjectRows(deps.ctx, measure, { ...span, isOutlier: isOutlier(condition) })
    case 'list':
      return at => listRows(deps.ctx, measure, condition, at)
    case 'query':
      return at => queryRows(deps, measure, condition, at)
    default:
      return assertNever(measure)
  }
}

function isOutlier(condition: AlertCondition): boolean {
  return condition.kind === 'outlier'
}

// One subject

async function subjectRows(
  ctx: AnalyticsContext,
  measure: Extract<AlertMeasure, { source: 'subject' }>,
  o: { readonly fromMs: number; readonly toMs: number; readonly isOutlier: boolean },
): Promise<RowsAt> {
  const { type, id, metric, period, platform } = measure
  const label = await titleOf(ctx, { type, id })
  const window = makeWindow(o.fromMs, o.toMs)
  const ask: (atMs: number) => number | MissingReason | Promise<number | MissingReason> =
    o.isOutlier || metric === 'outlier'
      ? await outlierMeter(ctx, VideoIdSchema.parse(id), window)
      : await meter(ctx, { type, id, platform, metric }, window, periodMs[period])
  return async at => {
    const found = await ask(at.getTime())
    return [{ key: id, label, value: typeof found === 'string' ? null : found, before: null, rank: null, type }]
  }
}

// A ranked list

async function listRows(
  ctx: AnalyticsContext,
  measure: Extract<AlertMeasure, { source: 'list' }>,
  condition: AlertCondition,
  at: Date,
): Promise<Reading[]> {
  const { source: _source, top: _top, metric, read, ...asked } = measure
  const params: TrendsParams = { ...asked, limit: rowCountOf(measure, condition) }
  const { rows } = await trends(contextAt(ctx, at), params)
  const shown = isOutlier(condition) ? 'outlier' : metric
  const readings = rows.map(row => ({
    key: row.key,
    label: titleOfRow(row, measure.type),
    value: row[shown],
    before: null,
    rank: row.rank,
    type: measure.type,
  }))
  return summed(readings, read, `${read} of the first ${params.limit} ${measure.type}`)
}

/** An order by outlier multiple finds the outliers; who looks for entrants looks as far as they may fall. */
function rowCountOf(measure: Extract<AlertMeasure, { source: 'list' }>, condition: AlertCondition): number {
  return condition.kind === 'entrant' ? Math.max(condition.top, condition.rearm ?? 0) : measure.top
}

function titleOfRow(row: TrendRow, type: TrendsParams['type']): string {
  return type === 'topics' ? `#${row.title}` : row.title || row.key
}

/** The same numbers as they were known at an instant: the world's clock stands there. */
function contextAt(ctx: AnalyticsContext, at: Date): AnalyticsContext {
  const clock = { nowMs: () => at.getTime(), speed: ctx.world.clock.speed }
  return { ...ctx, world: { ...ctx.world, clock } }
}

// A saved query

async function queryRows(
  { queries, userId, signal }: ReadDeps,
  measure: Extract<AlertMeasure, { source: 'query' }>,
  condition: AlertCondition,
  at: Date,
): Promise<Reading[]> {
  const { queryId, params, read } = measure
  const answer = await queries.run({ userId, queryId, params, at, rowsMax: queryRowsMax, signal })
  const valueAt = read === 'count' || measure.column === '' ? -1 : columnIndex(answer, measure.column)
  const keyAt = keyIndex(answer, measure.keyColumn, valueAt)
  const seen = new Map<string, number>()
  const readings = answer.rows.map((row, index) => {
    const label = keyAt < 0 ? `row ${index + 1}` : String(row[keyAt] ?? '')
    const times = (seen.get(label) ?? 0) + 1
    seen.set(label, times)
    return {
      key: times === 1 ? label : `${label} #${times}`,
      label,
      value: valueAt < 0 ? null : numberIn(row[valueAt]),
      before: null,
      rank: index + 1,
      type: null,
    }
  })
  const measured = isOutlier(condition) ? multiples(readings) : readings
  return summed(measured, read, read === 'count' ? 'rows' : `${read} of ${measure.column}`)
}

function columnIndex({ columns }: QueryRows, name: string): number {
  const index = columns.indexOf(name)
  if (index >= 0) return index
  throw new AppError('BAD_REQUEST', `The query has no column ${name}: it has ${columns.join(', ')}.`, {
    details: { field: 'column' },
  })
}

function keyIndex(answer: QueryRows, keyColumn: string | undefined, valueAt: number): number {
  if (keyColumn !== undefined) return columnIndex(answer, keyColumn)
  return answer.columns.findIndex((_, index) => index !== valueAt)
}

/** Whole numbers beyond 2^53 come as text. */
function numberIn(cell: unknown): number | null {
  const value = typeof cell === 'string' && cell.trim() !== '' ? Number(cell) : cell
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Each value as a multiple of what is usual among the rows; none where too few say what that is. */
function multiples(readings: readonly Reading[]): Reading[] {
  const given = readings.flatMap(({ value }) => value ?? [])
  const usual = given.length < usualRowsMin ? 0 : median(given)
  return readings.map(row => ({ ...row, value: row.value === null || usual <= 0 ? null : row.value / usual }))
}

// Many rows

/** Every row for itself, or one number of them all. */
function summed(readings: Reading[], read: AlertRead, label: string): Reading[] {
  if (read === 'any') return readings
  const values = readings.flatMap(({ value }) => value ?? [])
  return [{ key: '', label, value: totalOf(read, values, readings.length), before: null, rank: null, type: null }]
}

function totalOf(read: Exclude<AlertRead, 'any'>, values: readonly number[], rowCount: number): number | null {
  if (read === 'count') return rowCount
  if (values.length === 0) return null
  switch (read) {
    case 'sum':
      return values.reduce((sum, value) => sum + value, 0)
    case 'average':
      return values.reduce((sum, value) => sum + value, 0) / values.length
    case 'least':
      return Math.min(...values)
    case 'largest':
      return Math.max(...values)
    default:
      return assertNever(read)
  }
}

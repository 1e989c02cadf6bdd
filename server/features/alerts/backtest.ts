import { performance } from 'node:perf_hooks'
import type { AnalyticsContext } from '../../../analytics/context.ts'
import { type Backtest, type BacktestRequest, backtestStepsMax, firingRowsMax } from '../../../contracts/alerts.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import { openReader, type SavedQueries } from './read-rule.ts'
import { sentenceOf } from './rule-text.ts'
import { freshMemory, type RuleMemory, stepRule } from './step-rule.ts'

const spanMsDefault = 7 * 86_400_000
const spanMsMax = 400 * 86_400_000
/** The longest that a back-test works, in real time; what it has by then is the answer. */
const workMsMax = 30_000
/** Steps that a back-test takes when nobody says. */
const stepsWanted = 168
const stepMsMin = 60_000

/**
 * What a rule would have told over past readings: the same reading and the same steps as a live alert, at even distances of
 * data time. Nothing is kept, and nobody is told.
 *
 * @throws AppError BAD_REQUEST for too many steps, a span beyond 400 days, or a query that cannot be asked about the past
 */
export async function backtest(
  deps: {
    readonly ctx: AnalyticsContext
    readonly queries: SavedQueries
    readonly userId: UserId
    readonly signal: AbortSignal
  },
  request: BacktestRequest,
): Promise<Backtest> {
  const { rule } = request
  const { fromMs, toMs, stepMs } = planOf(request, deps.ctx.world.clock.nowMs())
  if (rule.measure.source === 'query' && !(await deps.queries.hasInstant(deps.userId, rule.measure.queryId)))
    throw new AppError(
      'BAD_REQUEST',
      'This query cannot be asked about the past: give it a parameter {now:DateTime} in the place of now().',
      { details: { field: 'rule.measure.queryId' } },
    )
  const reader = await openReader(deps, rule, { fromMs, toMs })
  const points: Backtest['points'] = []
  const firings: Backtest['firings'] = []
  const endMs = performance.now() + workMsMax
  let memory: RuleMemory = freshMemory
  let atMs = fromMs
  for (; atMs <= toMs && performance.now() < endMs; atMs += stepMs) {
    deps.signal.throwIfAborted()
    const observation = await reader.read(new Date(atMs))
    const step = stepRule(rule, memory, observation)
    memory = step.memory
    const at = observation.at.toISOString()
    points.push({ at, value: step.level })
    if (step.causes.length === 0) continue
    const rows = step.causes.slice(0, firingRowsMax)
    firings.push({ at, sentence: sentenceOf(rule, step.causes), value: step.level, rows, rowCount: step.causes.length })
  }
  return {
    from: new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
    stepSeconds: stepMs / 1000,
    steps: points.length,
    isCut: atMs <= toMs,
    points,
    firings,
  }
}

function planOf({ from, to, stepSeconds }: BacktestRequest, nowMs: number) {
  const toMs = to === undefined ? nowMs : Date.parse(to)
  const fromMs = from === undefined ? Math.max(0, toMs - spanMsDefault) : Date.parse(from)
  if (fromMs >= toMs || toMs - fromMs > spanMsMax)
    throw new AppError('BAD_REQUEST', 'A back-test goes over at most 400 days, from an instant to a later one.', {
      details: { field: 'from' },
    })
  const even = Math.max(stepMsMin, Math.ceil((toMs - fromMs) / stepsWanted / stepMsMin) * stepMsMin)
  const stepMs = stepSeconds === undefined ? even : stepSeconds * 1000
  const steps = Math.floor((toMs - fromMs) / stepMs) + 1
  if (steps > backtestStepsMax)
    throw new AppError(
      'BAD_REQUEST',
      `A back-test has at most ${backtestStepsMax} steps, and this one ${steps}: take longer steps or a shorter span.`,
      { details: { field: 'stepSeconds' } },
    )
  return { fromMs, toMs, stepMs }
}

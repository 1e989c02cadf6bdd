import type { AlertCondition, FiringRow } from '../../../contracts/alerts.ts'
import { assertNever } from '../../../contracts/errors.ts'

// The heart of alerts, without stores and clocks: what a condition makes of what was read, and of what it remembers. Live
// evaluations and back-tests are the same steps.

/** One row of what a rule reads. `before` is its value a window ago, where the condition compares with it. */
export type Reading = FiringRow

/** What a rule read at one instant of data time, in the order of ranks. */
export interface Observation {
  readonly at: Date
  readonly readings: readonly Reading[]
}

/** What an evaluation leaves for the next one. */
export interface RuleMemory {
  /** Keys whose condition holds and was told: they are not told again before they are armed again. */
  readonly raised: readonly string[]
  /** Keys on the list, of a condition that looks for new ones; null before the first look. */
  readonly inside: readonly string[] | null
  /** Data time of the last firing, epoch ms. */
  readonly firedAtMs: number | null
}

export const freshMemory: RuleMemory = { raised: [], inside: null, firedAtMs: null }

/** What came of an evaluation. */
export interface Step {
  readonly memory: RuleMemory
  /** The rows that made it fire; empty when it did not. */
  readonly causes: readonly Reading[]
  /** The number that the condition looked at, the most telling one of several rows; null when there was none. */
  readonly level: number | null
}

/** Keys that are remembered of a rule. Beyond that a row that tells nothing new may be told again. */
const rememberedMax = 1000

/** One evaluation: what it remembers from now on, and whether it fires. */
export function stepRule(
  { condition, cooldownSeconds }: { readonly condition: AlertCondition; readonly cooldownSeconds: number },
  memory: RuleMemory,
  observation: Observation,
): Step {
  const atMs = observation.at.getTime()
  const isCooling = memory.firedAtMs !== null && atMs - memory.firedAtMs < cooldownSeconds * 1000
  const step = condition.kind === 'entrant' ? stepEntrants : stepLevels
  const { causes, ...found } = step(condition, memory, observation, isCooling)
  const firedAtMs = causes.length > 0 ? atMs : memory.firedAtMs
  return { causes, level: found.level, memory: { ...found.kept, firedAtMs } }
}

interface Found {
  readonly causes: readonly Reading[]
  readonly level: number | null
  readonly kept: Pick<RuleMemory, 'raised' | 'inside'>
}

/** What crosses its level while the rule rests stays untold and unremembered: it fires afterwards if it is still there. */
function stepLevels(
  condition: AlertCondition,
  memory: RuleMemory,
  { readings }: Observation,
  isCooling: boolean,
): Found {
  const limits = limitsOf(condition)
  const raised = new Set(memory.raised)
  const crossed: Reading[] = []
  const stillThere = new Set<string>()
  let level: number | null = null
  for (const reading of readings) {
    stillThere.add(reading.key)
    const own = levelOf(condition, reading)
    if (own === null) continue
    if (level === null || isBeyond(own, level, limits.isBelow)) level = own
    if (raised.has(reading.key)) {
      if (!isBeyond(own, limits.rearm, limits.isBelow)) raised.delete(reading.key)
    } else if (isBeyond(own, limits.fire, limits.isBelow)) crossed.push(reading)
  }
  const kept = [...raised].filter(key => stillThere.has(key))
  const causes = isCooling ? [] : crossed
  const told = causes.map(({ key }) => key)
  return { causes, level, kept: { raised: [...told, ...kept].slice(0, rememberedMax), inside: null } }
}

/** The first look only learns who is there; a list without rows says nothing. */
function stepEntrants(
  condition: AlertCondition,
  memory: RuleMemory,
  { readings }: Observation,
  isCooling: boolean,
): Found {
  if (condition.kind !== 'entrant') throw new Error('Only this kind has entrants.')
  const { top, rearm = top } = condition
  const first = readings.filter(({ rank }) => rank !== null && rank <= top)
  if (readings.length === 0) return { causes: [], level: null, kept: { raised: [], inside: memory.inside } }
  if (memory.inside === null) return { causes: [], level: 0, kept: { raised: [], inside: first.map(({ key }) => key) } }
  const known = new Set(memory.inside)
  const entrants = first.filter(({ key }) => !known.has(key))
  const near = new Set(readings.filter(({ rank }) => rank !== null && rank <= rearm).map(({ key }) => key))
  const stayed = memory.inside.filter(key => near.has(key))
  const causes = isCooling ? [] : entrants
  const inside = [...causes.map(({ key }) => key), ...stayed].slice(0, rememberedMax)
  return { causes, level: entrants.length, kept: { raised: [], inside } }
}

interface Limits {
  /** The condition is about small numbers. */
  readonly isBelow: boolean
  readonly fire: number
  readonly rearm: number
}

function limitsOf(condition: AlertCondition): Limits {
  switch (condition.kind) {
    case 'threshold': {
      const { value, rearm = value } = condition
      return { isBelow: condition.direction === 'below', fire: value, rearm }
    }
    case 'change': {
      const { by, rearm = by } = condition
      return { isBelow: false, fire: by, rearm }
    }
    case 'outlier': {
      const { times, rearm = times } = condition
      return { isBelow: false, fire: times, rearm }
    }
    case 'entrant':
      return { isBelow: false, fire: 0, rearm: 0 }
    default:
      return assertNever(condition)
  }
}

/** The number that a condition compares; null where there is none. A change of percent from nothing has none. */
export function levelOf(condition: AlertCondition, { value, before }: Reading): number | null {
  if (value === null || condition.kind !== 'change') return value
  if (before === null) return null
  const change = condition.direction === 'up' ? value - before : before - value
  if (condition.unit === 'absolute') return change
  return before === 0 ? null : (change / Math.abs(before)) * 100
}

function isBeyond(level: number, limit: number, isBelow: boolean): boolean {
  return isBelow ? level < limit : level > limit
}

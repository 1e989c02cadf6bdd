import type { AlertCondition, AlertMeasure, AlertRule } from '../../../contracts/alerts.ts'
import { assertNever } from '../../../contracts/errors.ts'
import { levelOf, type Reading } from './step-rule.ts'

// What a firing says of itself, in plain words: in the terminal, in mails and in webhooks.

/** Rows that a sentence names. */
const namedMax = 3

/** What made a rule fire, e.g. `Channel A: velocity 12,300, above 10,000.` */
export function sentenceOf(rule: Pick<AlertRule, 'measure' | 'condition'>, causes: readonly Reading[]): string {
  const [only, another] = causes
  if (only === undefined) return ''
  const { condition, measure } = rule
  if (condition.kind === 'entrant') return `New in the top ${condition.top}: ${named(causes, rankText)}.`
  const limit = limitText(condition)
  if (another !== undefined)
    return `${causes.length} rows ${limit}: ${named(causes, row => levelText(condition, row))}.`
  const metric = condition.kind === 'outlier' ? '' : `${metricName(measure)} `
  return `${only.label}: ${metric}${levelText(condition, only)}, ${limit}.`
}

function named(causes: readonly Reading[], text: (row: Reading) => string): string {
  const first = causes.slice(0, namedMax).map(row => `${row.label} (${text(row)})`)
  const more = causes.length - first.length
  return more > 0 ? `${first.join(', ')} and ${more} more` : first.join(', ')
}

function rankText({ rank }: Reading): string {
  return `#${rank}`
}

function limitText(condition: AlertCondition): string {
  switch (condition.kind) {
    case 'threshold':
      return `${condition.direction} ${numberText(condition.value)}`
    case 'change': {
      const by = `${numberText(condition.by)}${condition.unit === 'percent' ? ' %' : ''}`
      return `${condition.direction} by more than ${by} in ${condition.over}`
    }
    case 'outlier':
      return `above ${numberText(condition.times)} times the usual`
    case 'entrant':
      return ''
    default:
      return assertNever(condition)
  }
}

function levelText(condition: AlertCondition, row: Reading): string {
  const level = levelOf(condition, row)
  if (level === null) return '-'
  if (condition.kind === 'outlier') return `${numberText(level)}x`
  if (condition.kind !== 'change') return numberText(level)
  const by = condition.unit === 'percent' ? `${numberText(level)} %` : numberText(level)
  const way = condition.direction === 'up' ? 'up' : 'down'
  return `${way} ${by}, from ${numberText(row.before ?? 0)} to ${numberText(row.value ?? 0)}`
}

function metricName(measure: AlertMeasure): string {
  switch (measure.source) {
    case 'subject':
      return measure.metric
    case 'list':
      return measure.read === 'any' ? measure.metric : `${readNames[measure.read]} ${measure.metric}`
    case 'query':
      return measure.read === 'any' ? measure.column : `${readNames[measure.read]} ${measure.column}`.trim()
    default:
      return assertNever(measure)
  }
}

const readNames = {
  any: '',
  count: 'rows',
  sum: 'sum of',
  average: 'average',
  least: 'least',
  largest: 'largest',
} as const

/** Whole numbers with separators; small ones with as many digits as tell something. */
function numberText(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : 2
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}

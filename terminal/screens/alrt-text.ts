import type {
  Alert,
  AlertCondition,
  AlertMeasure,
  AlertRule,
  AlertState,
  FiringDelivery,
} from '../../contracts/alerts.ts'
import { formatSubject, subjectOf } from '../command/subject.ts'
import { formatCount, formatMultiple } from '../text/format.ts'
import type { Style } from '../theme/style.ts'
import type { Cell } from '../widgets/table.ts'

/** What a rule reads and when it fires, e.g. `velocity 24h of @mrbeast above 10K`. */
export function ruleText({ measure, condition }: Pick<AlertRule, 'measure' | 'condition'>): string {
  return `${measureText(measure, condition)} ${conditionText(condition)}`
}

function measureText(measure: AlertMeasure, { kind }: AlertCondition): string {
  const metric = kind === 'entrant' ? '' : kind === 'outlier' ? 'outlier of ' : `${metricText(measure)} of `
  return `${metric}${aboutText(measure)}`
}

function metricText(measure: AlertMeasure): string {
  switch (measure.source) {
    case 'subject':
      return `${measure.metric} ${measure.period}`
    case 'list':
      return measure.read === 'any' ? measure.metric : `${measure.read} of ${measure.metric}`
    case 'query':
      return measure.read === 'any'
        ? measure.column
        : measure.read === 'count'
          ? 'rows'
          : `${measure.read} of ${measure.column}`
  }
}

/** What the form's first field says of a measure: a subject, a list as TOP takes it, or the id of a saved query. */
export function aboutText(measure: AlertMeasure): string {
  switch (measure.source) {
    case 'subject':
      return formatSubject(subjectOf(measure.type, measure.id))
    case 'list':
      return listText(measure)
    case 'query':
      return measure.queryId
  }
}

function listText(measure: Extract<AlertMeasure, { source: 'list' }>): string {
  const { type, period, platform, sort, niche, country, creator, topic } = measure
  const named = Object.entries({ niche, country, creator, topic })
  return [
    'TOP',
    type.toUpperCase(),
    period.toUpperCase(),
    ...(platform === 'all' ? [] : [platform.toUpperCase()]),
    sort.toUpperCase(),
    ...named.flatMap(([name, value]) => (value === undefined ? [] : [`${name.toUpperCase()}=${value}`])),
  ].join(' ')
}

function conditionText(condition: AlertCondition): string {
  switch (condition.kind) {
    case 'threshold':
      return `${condition.direction} ${formatCount(condition.value)}`
    case 'change': {
      const by = condition.unit === 'percent' ? `${condition.by}%` : formatCount(condition.by)
      return `${condition.direction} by ${by} in ${condition.over}`
    }
    case 'outlier':
      return `above ${formatMultiple(condition.times)}`
    case 'entrant':
      return `new among the first ${condition.top}`
  }
}

/** The number that a rule looked at last, in the unit of its condition. */
export function levelText(condition: AlertCondition, value: number | null): string {
  if (value === null) return '-'
  if (condition.kind === 'change' && condition.unit === 'percent') return `${Number(value.toFixed(1))}%`
  if (condition.kind === 'outlier') return formatMultiple(value)
  return formatCount(Math.abs(value) < 100 ? Number(value.toFixed(2)) : value)
}

/** The number at which a rule fires; null where it fires by names. */
export function limitOf(condition: AlertCondition): number | null {
  switch (condition.kind) {
    case 'threshold':
      return condition.value
    case 'change':
      return condition.by
    case 'outlier':
      return condition.times
    case 'entrant':
      return null
  }
}

const stateCells: Readonly<Record<AlertState, (style: Style) => Cell>> = {
  armed: ({ glyphs }) => ({ text: `${glyphs.ring} armed`, role: 'good' }),
  firing: () => ({ text: '! firing', role: 'error', isBold: true }),
  cooling: ({ glyphs }) => ({ text: `${glyphs.dot} cooling`, role: 'warn' }),
  muted: () => ({ text: '- muted', role: 'muted' }),
  error: () => ({ text: 'x error', role: 'error' }),
  off: () => ({ text: '  off', role: 'faint' }),
}

export function stateCell({ state }: Pick<Alert, 'state'>, style: Style): Cell {
  return stateCells[state](style)
}

/** Where a firing was told, e.g. `terminal, webhook failed`. */
export function deliveriesText(deliveries: readonly FiringDelivery[]): string {
  if (deliveries.length === 0) return 'nobody'
  return deliveries
    .map(({ channel, status }) =>
      status === 'delivered' ? channel : `${channel} ${status === 'nobody' ? 'none' : status}`,
    )
    .join(', ')
}

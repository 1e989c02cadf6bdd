import type { Fact, metrics, SeriesPoint } from '../../contracts/measures.ts'
import { formatCount, formatInstant, formatMultiple, formatPercentChange, formatShare } from '../text/format.ts'

type Metric = (typeof metrics)[number]
type State = SeriesPoint['state']

/** A measure's value as charts and legends show it: `1.2M`, `340/h`, `2.5x`, `3.4%`. */
export function formatMeasure(metric: Metric, value: number): string {
  if (metric === 'velocity') return `${formatCount(value)}/h`
  if (metric === 'acceleration') return formatMultiple(value)
  return metric === 'engagement' ? formatShare(value) : formatCount(value)
}

/** Why there is no number, in words. */
export function describeMissing(state: State): string {
  const words: Record<State, string> = {
    value: 'no reading',
    zero: 'zero',
    not_provided: 'not provided',
    needs_scope: 'needs a permission',
    stale: 'no reading recent enough',
    too_few: 'too few readings',
    needs_amendment: "needs YouTube's amendment for derived metrics (KEYS)",
  }
  return words[state]
}

/** A fact's value in full, by its unit, or in words why there is none. Counts keep every digit: `1,234,567`. */
export function formatFact(fact: Fact): string {
  const { value, unit, state } = fact
  if (value === null) return describeMissing(state)
  if (typeof value === 'string') return unit === 'instant' ? instantText(value) : value
  switch (unit) {
    case 'count':
      return value.toLocaleString('en-US')
    case 'perHour':
      return `${formatCount(value)}/h`
    case 'ratio':
      // Of the ratios only engagement is a share of a whole; the others, e.g. a z-score, are plain numbers.
      return fact.key === 'engagement' ? formatShare(value) : String(Number(value.toPrecision(3)))
    case 'multiple':
      return formatMultiple(value)
    case 'percent':
      return formatPercentChange(value)
    case 'seconds':
      return clockText(value)
    case 'instant':
      return `${formatInstant(value)} UTC`
    case 'text':
      return String(value)
  }
}

function instantText(instant: string): string {
  const atMs = Date.parse(instant)
  return Number.isNaN(atMs) ? instant : `${formatInstant(atMs)} UTC`
}

/** `4:05`, or `1:02:03` from an hour on. */
export function clockText(seconds: number): string {
  const whole = Math.round(seconds)
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return parts
    .slice(parts[0] === 0 ? 1 : 0)
    .map((part, i) => (i === 0 ? String(part) : String(part).padStart(2, '0')))
    .join(':')
}

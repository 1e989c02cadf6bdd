import type { ValueFormat } from '../../contracts/dashboards.ts'
import { MissingReasonSchema } from '../../contracts/measures.ts'
import {
  formatAge,
  formatBytes,
  formatChange,
  formatCount,
  formatInstant,
  formatMissing,
  formatMultiple,
  formatPercentChange,
  formatShare,
} from '../text/format.ts'
import type { Cell } from '../widgets/table.ts'
import type { PanelRow } from './board-answers.ts'
import { clockText } from './measure-text.ts'

/** A value as a number, or null: whole numbers beyond 2^53 come as text. */
export function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string' || !/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value)) return null
  return Number(value)
}

/** Instants as the protocol (ISO 8601) and the engine (`2017-11-14 06:30:00.000`, UTC) write them. */
const instantPattern = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?)?$/

/** A value as an instant in epoch milliseconds, or null. */
export function instantOf(value: unknown): number | null {
  if (typeof value !== 'string' || !instantPattern.test(value)) return null
  const hasZone = value.length === 10 || /(Z|[+-]\d{2}:\d{2})$/.test(value)
  const atMs = Date.parse(hasZone ? value : `${value.replace(' ', 'T')}Z`)
  return Number.isNaN(atMs) ? null : atMs
}

/** A value as words, whatever it is; empty for none. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value)) return value.map(textOf).join(' ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** A number as its format writes it. */
export function formatNumber(value: number, format: ValueFormat, dataNowMs: number): string {
  switch (format) {
    case 'integer':
      return Math.round(value).toLocaleString('en-US')
    case 'change':
      return formatChange(value)
    case 'share':
      return formatShare(value)
    case 'percent':
      return formatPercentChange(value)
    case 'multiple':
      return formatMultiple(value)
    case 'bytes':
      return formatBytes(value)
    case 'seconds':
      return clockText(value)
    case 'instant':
      return formatInstant(value)
    case 'age':
      return formatAge(new Date(value).toISOString(), dataNowMs)
    case 'text':
      return String(value)
    case 'auto':
    case 'count':
      return formatCount(value)
  }
}

/** A field of a row as a cell of a table. What is missing says why, where the row knows. */
export function cellOf(row: PanelRow, field: string, format: ValueFormat, dataNowMs: number): Cell {
  const value = row.values[field]
  if (value === null || value === undefined) return { text: formatMissing(reasonOf(row, field)), role: 'faint' }
  const atMs = instantOf(value)
  if (format === 'age' && atMs !== null)
    return { text: formatAge(new Date(atMs).toISOString(), dataNowMs), role: 'muted' }
  if ((format === 'instant' || format === 'auto') && atMs !== null)
    return { text: formatInstant(atMs).slice(0, textOf(value).length === 10 ? 10 : 16), role: 'muted' }
  const number = format === 'text' ? null : numberOf(value)
  if (number === null) return { text: textOf(value), role: 'subject' }
  const role = format === 'change' || format === 'percent' ? changeRole(number) : 'text'
  return { text: formatNumber(number, format, dataNowMs), role }
}

function changeRole(value: number): 'up' | 'down' | 'muted' {
  return value > 0 ? 'up' : value < 0 ? 'down' : 'muted'
}

function reasonOf({ values }: PanelRow, field: string) {
  const { missing } = values
  if (typeof missing !== 'object' || missing === null) return undefined
  return MissingReasonSchema.safeParse(Reflect.get(missing, field)).data
}

/** One number of several rows. */
export function reduceRows(
  rows: readonly PanelRow[],
  field: string,
  how: 'first' | 'sum' | 'mean' | 'max' | 'count',
): number | null {
  if (how === 'count') return rows.length
  const numbers = rows.flatMap(row => numberOf(row.values[field]) ?? [])
  if (how === 'first') return rows[0] === undefined ? null : numberOf(rows[0].values[field])
  if (numbers.length === 0) return null
  const sum = numbers.reduce((total, value) => total + value, 0)
  return how === 'sum' ? sum : how === 'mean' ? sum / numbers.length : Math.max(...numbers)
}

/** A field's list of numbers; what is no number is a gap. */
export function numbersOf(value: unknown): (number | null)[] {
  return Array.isArray(value) ? value.map(numberOf) : []
}

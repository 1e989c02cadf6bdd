import type { MissingReason } from '../../contracts/measures.ts'

const units = [
  { from: 1e12, sign: 'T' },
  { from: 1e9, sign: 'B' },
  { from: 1e6, sign: 'M' },
  { from: 1e3, sign: 'K' },
] as const

const sizeUnits = [
  { from: 1e12, sign: 'TB' },
  { from: 1e9, sign: 'GB' },
  { from: 1e6, sign: 'MB' },
  { from: 1e3, sign: 'kB' },
] as const

/** A count in at most six cells: `0`, `987`, `12.3K`, `4.56M`, `-1.20B`. */
export function formatCount(count: number): string {
  if (!Number.isFinite(count)) return '?'
  const size = Math.abs(count)
  // 999.95 would be written as 1000 of the smaller unit, so a unit starts a little below its power.
  const unit = units.find(each => size >= each.from * 0.9995)
  if (unit === undefined) return Number.isInteger(count) ? String(count) : trimFraction(count)
  return `${trimFraction(count / unit.from)}${unit.sign}`
}

/** A size in decimal units, in at most seven cells: `0 B`, `987 B`, `12.3 kB`, `4.56 GB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '?'
  const unit = sizeUnits.find(each => bytes >= each.from * 0.9995)
  return unit === undefined ? `${trimFraction(bytes)} B` : `${trimFraction(bytes / unit.from)} ${unit.sign}`
}

/** A count with its sign: `+1.2K`, `-340`, `0`. */
export function formatChange(count: number): string {
  return count > 0 ? `+${formatCount(count)}` : formatCount(count)
}

/** A share as percent, `0.034` as `3.4%`. */
export function formatShare(share: number): string {
  return `${trimFraction(share * 100)}%`
}

/** Percent points with their sign, `3.4` as `+3.4%`. */
export function formatPercentChange(percent: number): string {
  return `${percent > 0 ? '+' : ''}${trimFraction(percent)}%`
}

/** A multiple, `2.5` as `2.5x`. */
export function formatMultiple(multiple: number): string {
  return `${multiple >= 1000 ? formatCount(multiple) : trimFraction(multiple)}x`
}

/** How long a span is, in at most four cells: `4s`, `12m`, `3h`, `5d`, `12w`, `3y`. Negative spans count as none. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  const days = Math.floor(seconds / 86_400)
  if (days < 60) return `${days}d`
  return days < 730 ? `${Math.floor(days / 7)}w` : `${Math.floor(days / 365)}y`
}

/** The age of an instant at another: `3h`. An instant that cannot be read has the age `?`. */
export function formatAge(instant: string, nowMs: number): string {
  const atMs = Date.parse(instant)
  return Number.isNaN(atMs) ? '?' : formatSpan(nowMs - atMs)
}

/** `2017-11-14 06:30` in UTC, or with seconds. */
export function formatInstant(atMs: number, hasSeconds = false): string {
  if (!Number.isFinite(atMs) || Math.abs(atMs) > 8.64e15) return '?'
  return new Date(atMs)
    .toISOString()
    .slice(0, hasSeconds ? 19 : 16)
    .replace('T', ' ')
}

/** When something is, by the clock of this machine: `08:00` within 24 hours, else `11-24 08:00`. */
export function formatLocal(instant: string, nowMs: number): string {
  const at = new Date(instant)
  if (Number.isNaN(at.getTime())) return '?'
  const two = (number: number) => String(number).padStart(2, '0')
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}`
  return Math.abs(at.getTime() - nowMs) < 86_400_000 ? clock : `${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock}`
}

/** Why there is no number, in at most five cells. */
export function formatMissing(reason: MissingReason | undefined): string {
  if (reason === undefined) return '-'
  return { not_provided: 'n/a', needs_scope: 'scope', stale: 'stale', too_few: 'few', needs_amendment: 'terms' }[reason]
}

/** Three significant digits at most, without needless zeros behind the point. */
function trimFraction(value: number): string {
  const size = Math.abs(value)
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  const text = value.toFixed(digits)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

/**
 * The definitions of docs/metrics.md as plain maths: what the SQL must agree with, and what is computed here because
 * it is about a handful of rows. Instants are epoch milliseconds.
 */

/** One reading: views at an instant. */
export interface Reading {
  readonly atMs: number
  readonly views: number
}

const hourMs = 3_600_000
const lookBackMsMin = 36 * hourMs

/** How far back a value may lie: the longer of 36 h and the window. */
export function lookBackMs(windowMs: number): number {
  return Math.max(lookBackMsMin, windowMs)
}

/**
 * One reading per instant, in order of time; of equal instants the one with the most views.
 * @param readings any order
 */
export function collapse(readings: readonly Reading[]): Reading[] {
  const byInstant = new Map<number, Reading>()
  for (const reading of readings) {
    const known = byInstant.get(reading.atMs)
    if (!known || known.views < reading.views) byInstant.set(reading.atMs, reading)
  }
  return [...byInstant.values()].sort((a, b) => a.atMs - b.atMs)
}

/** The last reading at or before `atMs` that is no older than `backMs`. @param readings collapsed */
export function valueAt(readings: readonly Reading[], atMs: number, backMs: number): Reading | null {
  const last = readings.findLast(reading => reading.atMs <= atMs)
  return last && last.atMs >= atMs - backMs ? last : null
}

/** What one video gained; `null` when it has no value at the window's end. */
export interface Gain {
  readonly state: 'value' | 'new' | 'partial'
  readonly gain: number
  readonly start: Reading
  readonly end: Reading
  /** Gain per hour between the two readings; `null` when they are the same instant. */
  readonly velocity: number | null
}

/** @param readings collapsed */
export function gainOf(
  readings: readonly Reading[],
  window: { readonly fromMs: number; readonly toMs: number },
  publishedAtMs: number | null,
): Gain | null {
  const back = lookBackMs(window.toMs - window.fromMs)
  const end = valueAt(readings, window.toMs, back)
  if (!end) return null
  const before = valueAt(readings, window.fromMs, back)
  if (before) return gainBetween('value', before, end)
  if (publishedAtMs !== null && publishedAtMs > window.fromMs && publishedAtMs <= window.toMs) {
    return gainBetween('new', { atMs: publishedAtMs, views: 0 }, end)
  }
  const first = readings.find(reading => reading.atMs > window.fromMs)
  return first ? gainBetween('partial', first, end) : null
}

function gainBetween(state: Gain['state'], start: Reading, end: Reading): Gain {
  const gain = end.views - start.views
  return { state, gain, start, end, velocity: velocityBetween(start, end) }
}

/** Views per hour between two readings; `null` unless the second is later. */
export function velocityBetween(start: Reading, end: Reading): number | null {
  return end.atMs > start.atMs ? ((end.views - start.views) * hourMs) / (end.atMs - start.atMs) : null
}

/** Velocity of the window's last quarter divided by that of the window; `null` when either is missing or the latter is 0. */
export function accelerationOf(quarterVelocity: number | null, velocity: number | null): number | null {
  return quarterVelocity === null || velocity === null || velocity === 0 ? null : quarterVelocity / velocity
}

/** Counters of one sample; `null` is not provided. */
export interface Counters {
  readonly views: number | null
  readonly likes: number | null
  readonly comments: number | null
  readonly shares: number | null
  readonly saves: number | null
}

/** (likes + comments + shares + saves) / views over the counters that are given, saying which. */
export function engagementOf(counters: Counters): { value: number | null; over: string[] } {
  const given = (['likes', 'comments', 'shares', 'saves'] as const).filter(name => counters[name] !== null)
  const sum = given.reduce((total, name) => total + (counters[name] ?? 0), 0)
  const { views } = counters
  return { value: views === null || views === 0 || given.length === 0 ? null : sum / views, over: given }
}

/** Fewest uploads that a creator's usual is taken from. */
const outlierPeersMin = 5

/**
 * A video's views against what its creator's other uploads had at the same age.
 * @param peers views at equal age of at most 30 uploads
 * @returns the multiple of the median, and the robust z-score (Iglewicz & Hoaglin 1993); `null` with fewer than 5 peers,
 *   a median of 0, or (z) when the peers do not differ
 */
export function outlierOf(views: number, peers: readonly number[]): { multiple: number | null; z: number | null } {
  if (peers.length < outlierPeersMin) return { multiple: null, z: null }
  const middle = median(peers)
  const mad = median(peers.map(peer => Math.abs(peer - middle)))
  return {
    multiple: middle === 0 ? null : views / middle,
    z: mad === 0 ? null : (0.6745 * (views - middle)) / mad,
  }
}

/** @param values not empty */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = Math.floor(sorted.length / 2)
  const upper = sorted[half] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}

/** One day of the clip index: velocity of the day's constituents on that day and on the day before. */
export interface IndexDay {
  readonly atMs: number
  /** Sum over this day's constituents, views per hour; `null` when there is nothing to compare. */
  readonly velocity: number | null
  readonly velocityBefore: number | null
}

/**
 * Chain-links days into a level that starts at 100: each day the level is multiplied by how the velocity of that day's
 * constituents changed since the day before. A day that cannot be compared leaves the level where it was.
 * @param days in order of time
 * @returns one level a day, the base (100) first: `days.length + 1` values
 */
export function chainIndex(days: readonly IndexDay[]): number[] {
  const levels = [100]
  for (const { velocity, velocityBefore } of days) {
    const last = levels.at(-1) ?? 100
    const isComparable = velocity !== null && velocityBefore !== null && velocityBefore > 0 && velocity >= 0
    levels.push(isComparable ? last * (velocity / velocityBefore) : last)
  }
  return levels
}

/** Ages at which views are frozen. */
export const frozenAges = [
  { name: 'V1h', ms: hourMs },
  { name: 'V1', ms: 24 * hourMs },
  { name: 'V3', ms: 72 * hourMs },
  { name: 'V7', ms: 168 * hourMs },
  { name: 'V30', ms: 720 * hourMs },
] as const

/**
 * Views at a fixed age: the last reading at or before it, no older than 36 h; `null` before the age is reached or
 * without such a reading.
 * @param readings collapsed
 */
export function viewsAtAge(
  readings: readonly Reading[],
  publishedAtMs: number,
  ageMs: number,
  nowMs: number,
): Reading | null {
  const atMs = publishedAtMs + ageMs
  return atMs > nowMs ? null : valueAt(readings, atMs, lookBackMsMin)
}

/** A stretch of time on the screen of a chart. `fromMs` < `toMs`. */
export interface ChartWindow {
  fromMs: number
  toMs: number
}

/** Narrowest window that zooming reaches: ten minutes. */
export const windowMsMin = 600_000

/** The window `factor` times as long, around an instant that keeps its place; never longer than `bounds` nor beyond it. */
export function zoomWindow(window: ChartWindow, bounds: ChartWindow, factor: number, aroundMs: number): ChartWindow {
  const lengthMs = window.toMs - window.fromMs
  const boundsMs = bounds.toMs - bounds.fromMs
  const wantedMs = Math.min(boundsMs, Math.max(Math.min(windowMsMin, boundsMs), lengthMs * factor))
  const share = (aroundMs - window.fromMs) / lengthMs
  const fromMs = aroundMs - share * wantedMs
  return clampWindow({ fromMs, toMs: fromMs + wantedMs }, bounds)
}

/** The window moved by a share of its length (negative: earlier), stopped at the bounds. */
export function panWindow(window: ChartWindow, bounds: ChartWindow, share: number): ChartWindow {
  const byMs = (window.toMs - window.fromMs) * share
  return clampWindow({ fromMs: window.fromMs + byMs, toMs: window.toMs + byMs }, bounds)
}

/** The window moved inside the bounds with its length kept, or the bounds when it is longer. */
export function clampWindow(window: ChartWindow, bounds: ChartWindow): ChartWindow {
  const lengthMs = window.toMs - window.fromMs
  if (lengthMs >= bounds.toMs - bounds.fromMs) return bounds
  const fromMs = Math.min(Math.max(window.fromMs, bounds.fromMs), bounds.toMs - lengthMs)
  return { fromMs, toMs: fromMs + lengthMs }
}

/**
 * The instant `by` steps (±Infinity: to the end) from the crosshair among `instants` (ascending), or the last one when there
 * is no crosshair yet; null when there are none. Stops at the ends.
 */
export function stepCursor(instants: readonly number[], cursorAtMs: number | null, by: number): number | null {
  if (cursorAtMs === null) return instants.at(by === Number.NEGATIVE_INFINITY ? 0 : -1) ?? null
  const at = nearestIndex(instants, cursorAtMs)
  return instants[Math.min(Math.max(0, at + by), instants.length - 1)] ?? null
}

/** The place of the instant nearest to `atMs` in an ascending list; -1 for an empty one. */
export function nearestIndex(instants: readonly number[], atMs: number): number {
  let low = 0
  let high = instants.length - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((instants[middle] ?? 0) < atMs) low = middle + 1
    else high = middle
  }
  const before = instants[low - 1]
  const here = instants[low]
  if (here === undefined) return instants.length - 1
  return before !== undefined && atMs - before < here - atMs ? low - 1 : low
}

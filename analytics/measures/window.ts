import { AppError } from '../../contracts/errors.ts'
import { type Period, periodMs } from '../../contracts/measures.ts'
import { lookBackMs } from '../scores.ts'

/** A window of data time, epoch milliseconds: after `fromMs`, up to and including `toMs`. */
export interface Window {
  readonly fromMs: number
  readonly toMs: number
  /** How old a value at either end may be. */
  readonly backMs: number
}

/** The window that ends now, or the one that is named; 24 h unless a period is given. */
export function windowOf(
  params: { period?: Period | undefined; from?: string | undefined; to?: string | undefined },
  nowMs: number,
  defaultPeriod: Period = '24h',
): Window {
  if (params.from !== undefined && params.to !== undefined) {
    return makeWindow(Date.parse(params.from), Date.parse(params.to))
  }
  return makeWindow(nowMs - periodMs[params.period ?? defaultPeriod], nowMs)
}

export function makeWindow(fromMs: number, toMs: number): Window {
  if (!(fromMs >= 0) || toMs > 4_102_444_800_000) {
    throw new AppError('BAD_REQUEST', 'The window must lie between 1970 and 2100: change from and to.')
  }
  return { fromMs, toMs, backMs: lookBackMs(toMs - fromMs) }
}

/** The window of the same length that ends where this one starts. */
export function windowBefore(window: Window): Window {
  const spanMs = window.toMs - window.fromMs
  return { fromMs: Math.max(0, window.fromMs - spanMs), toMs: window.fromMs, backMs: window.backMs }
}

/** The last quarter of a window. */
export function lastQuarter(window: Window): Window {
  const spanMs = Math.round((window.toMs - window.fromMs) / 4)
  return { fromMs: window.toMs - spanMs, toMs: window.toMs, backMs: lookBackMs(spanMs) }
}

/**
 * Time as the rest of the program sees it. Nothing outside this file calls `Date.now()` for data time: windows of a
 * replay use a virtual clock, tests a manual one.
 */
export interface Clock {
  /** Epoch milliseconds of data time. */
  nowMs(): number
  /** How many seconds of data time pass in one second of real time: 1 but for a replay. */
  readonly speed: number
}

export const systemClock: Clock = { nowMs: () => Date.now(), speed: 1 }

/** Data time = start + speed × real time since `startedAtMs`. */
export function virtualClock(options: { dataStartMs: number; speed: number; real?: Clock }): Clock {
  const real = options.real ?? systemClock
  const realStartMs = real.nowMs()
  return {
    speed: options.speed,
    nowMs: () => Math.round(options.dataStartMs + (real.nowMs() - realStartMs) * options.speed),
  }
}

/** A clock that moves only when told to, for tests. */
export function manualClock(startMs: number): Clock & { advance(ms: number): void; set(ms: number): void } {
  let at = startMs
  return {
    speed: 1,
    nowMs: () => at,
    advance(ms) {
      at += ms
    },
    set(ms) {
      at = ms
    },
  }
}

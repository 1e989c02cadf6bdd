import type { RateLimiterAbstract } from 'rate-limiter-flexible'

/** Small shared state with an end: counters, locks, rate limits. Memory in the embedded profile, Redis in a cluster. */
export interface KeyValue {
  get(key: string): Promise<string | null>
  set(key: string, value: string, options?: { ttlMs?: number }): Promise<void>
  /** Sets only when absent; true when this call set it. */
  setIfAbsent(key: string, value: string, options: { ttlMs: number }): Promise<boolean>
  delete(key: string): Promise<void>
  /** Adds to a counter that starts at zero and ends `ttlMs` after its first increment; returns the new value. */
  increment(key: string, by: number, options: { ttlMs: number }): Promise<number>
  /**
   * The limiter, made once, of `points` in each `durationSec` (whole seconds), counted by key in windows that begin with the first use.
   * Limiters of one name share their counts, in memory only those with equal points. `consume` rejects with a
   * `RateLimiterRes` when the points are used up, and with an Error, at once, while the store does not answer. Real time.
   */
  limiter(options: { name: string; points: number; durationSec: number }): RateLimiterAbstract
  close(): Promise<void>
}

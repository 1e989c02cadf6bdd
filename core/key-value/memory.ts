import { type IRateLimiterOptions, RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible'
import { AppError } from '../../contracts/errors.ts'
import type { Clock } from '../clock.ts'
import type { KeyValue } from './port.ts'

/**
 * About 20 MB of short keys. A full store drops what has ended, then what was written longest ago; a limiter, for which
 * the same number holds, the key that began to be counted longest ago.
 */
const entriesMaxDefault = 100_000

interface Entry {
  value: string
  endsAtMs: number
}

/**
 * The key-value store of one process; gone when it ends. Every state in it is one that may be lost: a counter that
 * starts again, a limit that is full again.
 */
export function memoryKeyValue(options: { clock: Clock; entriesMax?: number }): KeyValue {
  const { clock } = options
  const { entriesMax = entriesMaxDefault } = options
  const values = new BoundedMap<Entry>(clock, entriesMax)
  const limiters = new Map<string, BoundedLimiter>()
  const endOf = (ttlMs: number | undefined) => (ttlMs === undefined ? Number.POSITIVE_INFINITY : clock.nowMs() + ttlMs)

  return {
    async get(key) {
      return values.get(key)?.value ?? null
    },
    async set(key, value, setOptions) {
      values.set(key, { value, endsAtMs: endOf(setOptions?.ttlMs) })
    },
    async setIfAbsent(key, value, { ttlMs }) {
      if (values.get(key)) return false
      values.set(key, { value, endsAtMs: endOf(ttlMs) })
      return true
    },
    async delete(key) {
      values.delete(key)
    },
    async increment(key, by, { ttlMs }) {
      const entry = values.get(key)
      const sum = Number(entry?.value ?? 0) + by
      if (!Number.isSafeInteger(sum)) throw new AppError('INTERNAL', 'A key that is counted holds no whole number.')
      values.set(key, { value: String(sum), endsAtMs: entry?.endsAtMs ?? endOf(ttlMs) })
      return sum
    },
    limiter({ name, points, durationSec }) {
      const key = `${name} ${points} ${durationSec}`
      const known =
        limiters.get(key) ?? new BoundedLimiter({ keyPrefix: name, points, duration: durationSec }, entriesMax)
      limiters.set(key, known)
      return known
    },
    async close() {
      values.clear()
    },
  }
}

/** The library's own forgets a key when its window ends, and until then takes any number of them. */
class BoundedLimiter extends RateLimiterMemory {
  readonly #keysMax: number
  /** Every key that is counted, and some whose window has ended; the oldest first. */
  readonly #begun = new Set<string | number>()

  constructor(options: IRateLimiterOptions, keysMax: number) {
    super(options)
    this.#keysMax = keysMax
  }

  override async consume(...args: Parameters<RateLimiterMemory['consume']>): Promise<RateLimiterRes> {
    const taken = await super.consume(...args)
    if (taken.isFirstInDuration) {
      const [key] = args
      this.#begun.delete(key)
      this.#begun.add(key)
      const [oldest] = this.#begun
      if (this.#begun.size > this.#keysMax && oldest !== undefined) {
        this.#begun.delete(oldest)
        await this.delete(oldest)
      }
    }
    return taken
  }
}

/** A map whose entries end, in the order of their last writing. */
class BoundedMap<V extends { endsAtMs: number }> {
  readonly #entries = new Map<string, V>()
  readonly #clock: Clock
  readonly #entriesMax: number

  constructor(clock: Clock, entriesMax: number) {
    this.#clock = clock
    this.#entriesMax = entriesMax
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key)
    if (!entry || entry.endsAtMs > this.#clock.nowMs()) return entry
    this.#entries.delete(key)
    return undefined
  }

  set(key: string, entry: V): void {
    this.#entries.delete(key)
    if (this.#entries.size >= this.#entriesMax) this.#makeRoom()
    this.#entries.set(key, entry)
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  clear(): void {
    this.#entries.clear()
  }

  /** Frees a tenth at once, so that a full store does not sweep on every write. */
  #makeRoom(): void {
    const nowMs = this.#clock.nowMs()
    for (const [key, entry] of this.#entries) if (entry.endsAtMs <= nowMs) this.#entries.delete(key)
    const entriesKept = Math.floor(this.#entriesMax * 0.9)
    for (const key of this.#entries.keys()) {
      if (this.#entries.size <= entriesKept) return
      this.#entries.delete(key)
    }
  }
}

/** A token bucket as it was left: tokens may be a fraction. */
export interface Bucket {
  tokens: number
  atMs: number
}

/** `capacity` and `cost` in tokens, cost at most capacity; `perSecond` above zero. */
export interface BucketLimit {
  capacity: number
  perSecond: number
  cost: number
}

/**
 * Fills the bucket by the time that passed and takes `cost` if it is there. An absent bucket is full; a clock that went
 * back adds nothing. `redis.ts` has the same arithmetic in Lua; the port suite holds them equal.
 */
export function refill(
  before: Bucket | null,
  limit: BucketLimit,
  nowMs: number,
): { bucket: Bucket; result: { isAllowed: boolean; remaining: number; retryAfterMs: number } } {
  const passedMs = before ? Math.max(0, nowMs - before.atMs) : 0
  const filled = Math.min(limit.capacity, (before?.tokens ?? limit.capacity) + (passedMs * limit.perSecond) / 1000)
  const isAllowed = filled >= limit.cost
  const tokens = isAllowed ? filled - limit.cost : filled
  const retryAfterMs = isAllowed ? 0 : Math.ceil(((limit.cost - filled) / limit.perSecond) * 1000)
  return { bucket: { tokens, atMs: nowMs }, result: { isAllowed, remaining: Math.floor(tokens), retryAfterMs } }
}

/** @throws RangeError for a limit that could never be met: our bug, since limits are constants or checked settings. */
export function assertBucket(limit: BucketLimit): void {
  const isPossible = limit.capacity > 0 && limit.perSecond > 0 && limit.cost > 0 && limit.cost <= limit.capacity
  if (!isPossible) throw new RangeError('A token bucket needs 0 < cost <= capacity and a refill above zero.')
}

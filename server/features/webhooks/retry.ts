const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** What passes before the second, third, … attempt: ten attempts within about 24 hours. */
const pausesMs = [
  30 * second,
  2 * minute,
  8 * minute,
  30 * minute,
  hour,
  2 * hour,
  4 * hour,
  8 * hour,
  8 * hour,
] as const
const jitter = 0.2
const retryAfterMsMax = 8 * hour

/**
 * How long to wait after an attempt that failed, in ms; null when that was the last one. Spread by a fifth either way,
 * so that what failed together does not come back together.
 *
 * @param attempts made so far, 1 or more
 * @param askedMs what the receiver asked for (`Retry-After`); longer than eight hours counts as eight
 * @param random from 0 up to 1
 */
export function pauseAfter(attempts: number, askedMs: number | null, random: number): number | null {
  const pauseMs = pausesMs[attempts - 1]
  if (pauseMs === undefined) return null
  const spread = Math.round(pauseMs * (1 - jitter + 2 * jitter * random))
  return Math.max(spread, Math.min(askedMs ?? 0, retryAfterMsMax))
}

/** `Retry-After` in ms from now: whole seconds or an HTTP date; null when it is neither or absent. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * second
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}

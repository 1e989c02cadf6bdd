/** How often things are worth reading: minutes for the fresh and fast, a day for the old. Pure. */

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** Younger than this: read so often. The last line holds for all others. */
const postSteps = [
  { ageMs: 2 * hourMs, everyMs: 5 * minuteMs },
  { ageMs: dayMs, everyMs: 15 * minuteMs },
  { ageMs: 3 * dayMs, everyMs: hourMs },
  { ageMs: 7 * dayMs, everyMs: 3 * hourMs },
  { ageMs: 30 * dayMs, everyMs: 12 * hourMs },
  { ageMs: Number.POSITIVE_INFINITY, everyMs: dayMs },
] as const

/** How often a creator is asked for new posts, by the age of the newest one. */
const creatorSteps = [
  { ageMs: dayMs, everyMs: 15 * minuteMs },
  { ageMs: 7 * dayMs, everyMs: hourMs },
  { ageMs: 30 * dayMs, everyMs: 6 * hourMs },
  { ageMs: Number.POSITIVE_INFINITY, everyMs: dayMs },
] as const

/** A post that gained this part of its views in an hour is read four times as often, but not more than every 5 minutes. */
const fastPartPerHour = 0.02
const fastViewsPerHourMin = 100
const everyMsMin = 5 * minuteMs

/** What is known of a post when its next reading is planned. */
export interface PostPace {
  readonly publishedAtMs: number | null
  readonly nowMs: number
  readonly views: bigint | null
  /** The reading before, or null. */
  readonly before: { readonly views: bigint; readonly atMs: number } | null
}

/** @returns milliseconds until the post's numbers are worth reading again */
export function postIntervalMs(post: PostPace): number {
  const everyMs = stepOf(postSteps, post.publishedAtMs, post.nowMs)
  return isFast(post) ? Math.max(everyMsMin, everyMs / 4) : everyMs
}

/** @returns milliseconds until a creator is worth asking for new posts again */
export function creatorIntervalMs(newestPostAtMs: number | null, nowMs: number): number {
  return stepOf(creatorSteps, newestPostAtMs, nowMs)
}

/** The same, a tenth longer or shorter, so that what began together does not stay together. @param random from 0 up to 1 */
export function jittered(intervalMs: number, random: number): number {
  return Math.round(intervalMs * (0.9 + 0.2 * random))
}

/** How long to wait after so many failures in a row: one second doubled up to an hour, half of it by chance. */
export function backoffMs(failures: number, random: number): number {
  const wholeMs = Math.min(hourMs, 1_000 * 2 ** Math.min(failures, 20))
  return Math.round(wholeMs * (0.5 + 0.5 * random))
}

function isFast({ views, before, nowMs }: PostPace): boolean {
  if (views === null || before === null || nowMs <= before.atMs) return false
  const perHour = (Number(views - before.views) * hourMs) / (nowMs - before.atMs)
  return perHour >= fastViewsPerHourMin && perHour >= Number(before.views) * fastPartPerHour
}

function stepOf(
  steps: readonly { readonly ageMs: number; readonly everyMs: number }[],
  sinceMs: number | null,
  nowMs: number,
): number {
  const ageMs = sinceMs === null ? Number.POSITIVE_INFINITY : nowMs - sinceMs
  const step = steps.find(each => ageMs < each.ageMs) ?? steps.at(-1)
  return step?.everyMs ?? dayMs
}

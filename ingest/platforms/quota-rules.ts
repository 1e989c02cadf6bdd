import type { Platform } from '../../contracts/ids.ts'

/**
 * The limits of the platforms, as data. They hold for a set of developer credentials, of Instagram's also per account;
 * what is stated here is what every project is given, and a credential that was given more is simply not used up.
 */
export type QuotaRule =
  /** So many units in each day of the platform: YouTube's day begins at midnight in California. */
  | { readonly kind: 'day'; readonly units: number }
  /**
   * At most `units` in any `windowMs`: `burst` of them at once, the others evenly. So no window of that length, wherever it
   * begins, ever holds more.
   */
  | { readonly kind: 'rolling'; readonly units: number; readonly windowMs: number; readonly burst: number }

const minuteMs = 60_000
const hourMs = 60 * minuteMs

const rules: Readonly<Record<string, QuotaRule>> = {
  'youtube:units': { kind: 'day', units: 10_000 },
  'youtube:search': { kind: 'day', units: 100 },
  'youtube:stats': { kind: 'day', units: 10_000 },
  // Of the 200 below: for the files of own posts, which people ask for.
  'instagram:files': { kind: 'rolling', units: 20, windowMs: hourMs, burst: 10 },
}

/** Where a bucket has no rule of its own. */
const rulesOfPlatforms: Readonly<Record<Platform, QuotaRule>> = {
  // Google states no number for the Analytics API.
  youtube: { kind: 'rolling', units: 60, windowMs: minuteMs, burst: 10 },
  // Per endpoint; rapid pages were refused below the stated limit, so few at once.
  tiktok: { kind: 'rolling', units: 600, windowMs: minuteMs, burst: 20 },
  // 200 × the app's active users in any hour, of which there is at least one; the platform's own percentage comes on top.
  instagram: { kind: 'rolling', units: 180, windowMs: hourMs, burst: 50 },
}

/** @param bucket as clients name it, with or without the account behind a slash */
export function quotaRuleOf(bucket: string): QuotaRule {
  const name = bucket.split('/')[0] ?? bucket
  const rule = rules[name]
  if (rule) return rule
  if (name.startsWith('tiktok:')) return rulesOfPlatforms.tiktok
  if (name.startsWith('instagram:')) return rulesOfPlatforms.instagram
  return rulesOfPlatforms.youtube
}

/** The part of a user's own credentials that reading public creators may use; the operator's serve nothing else. */
export const publicPart = 0.5

const pacific = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/Los_Angeles',
  hourCycle: 'h23',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
})

/** When the day in California that holds this instant began. */
export function pacificDayStart(atMs: number): number {
  const guessMs = atMs - sinceMidnightMs(atMs)
  // On the two days when the clocks change the guess is an hour off.
  const offMs = sinceMidnightMs(guessMs)
  if (offMs === 0) return guessMs
  return offMs > 12 * hourMs ? guessMs + (24 * hourMs - offMs) : guessMs - offMs
}

/** When the next one begins: 23 to 25 hours after this one did. */
export function nextPacificDay(atMs: number): number {
  return pacificDayStart(pacificDayStart(atMs) + 26 * hourMs)
}

function sinceMidnightMs(atMs: number): number {
  let ms = atMs % 1000
  for (const { type, value } of pacific.formatToParts(atMs)) {
    if (type === 'hour') ms += Number(value) * hourMs
    if (type === 'minute') ms += Number(value) * minuteMs
    if (type === 'second') ms += Number(value) * 1000
  }
  return ms
}

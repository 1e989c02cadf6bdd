import { unit } from './chance.ts'

/**
 * How a post's counters move: fast at first, then slower, by day more than by night; some burst days later, some stand
 * still for a while, some lose views to a purge. A function of age alone, so any moment can be asked for.
 */
export interface Growth {
  /** Views without a burst, in the end. */
  readonly viewsFinal: number
  readonly tauMs: number
  readonly burst: { readonly ageMs: number; readonly widthMs: number; readonly views: number } | null
  readonly plateau: { readonly fromMs: number; readonly toMs: number } | null
  readonly purge: { readonly ageMs: number; readonly part: number } | null
  readonly likeRate: number
  readonly commentRate: number
  readonly shareRate: number
  readonly saveRate: number
}

export interface Counters {
  readonly views: number
  readonly likes: number
  readonly comments: number
  readonly shares: number
  readonly saves: number
}

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** @param size views that half of the creator's posts stay under */
export function growthOf(size: number, ...place: readonly number[]): Growth {
  const chance = (n: number) => unit(...place, 100 + n)
  // A heavy tail: one post of a hundred gets sixteen times the median.
  const viewsFinal = Math.min(size * 200, size * 0.66 * (1 - chance(0)) ** -0.6)
  return {
    viewsFinal,
    tauMs: (6 + 114 * chance(1) ** 2) * hourMs,
    burst:
      chance(2) < 0.25
        ? {
            ageMs: (1 + 19 * chance(3)) * dayMs,
            widthMs: (1 + 5 * chance(4)) * hourMs,
            views: viewsFinal * (0.5 + 7.5 * chance(5) ** 2),
          }
        : null,
    plateau: chance(6) < 0.2 ? plateauFrom(chance(7) * 60 * hourMs, chance(8)) : null,
    purge: chance(9) < 0.06 ? { ageMs: (2 + 28 * chance(10)) * dayMs, part: 0.02 + 0.04 * chance(11) } : null,
    likeRate: 0.02 + 0.06 * chance(12),
    commentRate: 0.0005 + 0.005 * chance(13),
    shareRate: 0.001 + 0.01 * chance(14),
    saveRate: 0.001 + 0.008 * chance(15),
  }
}

function plateauFrom(fromMs: number, chance: number): Growth['plateau'] {
  return { fromMs, toMs: fromMs + (4 + 44 * chance) * hourMs }
}

/** @param publishedAtMs for the time of day */
export function countersAt(growth: Growth, publishedAtMs: number, nowMs: number): Counters {
  const views = viewsAt(growth, publishedAtMs, nowMs)
  return {
    views,
    likes: Math.floor(views * growth.likeRate),
    comments: Math.floor(views * growth.commentRate),
    shares: Math.floor(views * growth.shareRate),
    saves: Math.floor(views * growth.saveRate),
  }
}

function viewsAt(growth: Growth, publishedAtMs: number, nowMs: number): number {
  const ageMs = nowMs - publishedAtMs
  if (ageMs <= 0) return 0
  const livelyMs = lively(withoutPlateau(growth, ageMs), publishedAtMs)
  let views = growth.viewsFinal * (1 - Math.exp(-livelyMs / growth.tauMs))
  if (growth.burst !== null) {
    const { ageMs: at, widthMs } = growth.burst
    views += growth.burst.views * (logistic((ageMs - at) / widthMs) - logistic(-at / widthMs))
  }
  if (growth.purge !== null && ageMs > growth.purge.ageMs) views *= 1 - growth.purge.part
  return Math.floor(views)
}

function withoutPlateau({ plateau }: Growth, ageMs: number): number {
  if (plateau === null || ageMs <= plateau.fromMs) return ageMs
  return ageMs <= plateau.toMs ? plateau.fromMs : ageMs - (plateau.toMs - plateau.fromMs)
}

/** Age as viewers live it: at half the pace in the small hours, at one and a half in the evening (UTC). */
function lively(ageMs: number, publishedAtMs: number): number {
  const wave = (atMs: number) => Math.cos(2 * Math.PI * (atMs / dayMs - 0.5))
  return ageMs + ((0.5 * dayMs) / (2 * Math.PI)) * (wave(publishedAtMs) - wave(publishedAtMs + ageMs))
}

function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x))
}

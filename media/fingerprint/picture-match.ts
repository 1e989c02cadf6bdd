import { bitsBetween, hashWords } from './picture-hash.ts'
import { type PictureTrack, printedPerSec } from './picture-print.ts'

/** Pictures with at most so many of 256 bits different show the same. */
export const sameBitsMax = 76
/** How much faster a copy may run than what it was made of: seconds of the original for one of the copy. */
const speeds = [1, 0.8, 0.9, 1.1, 1.25]
/** Of a copy's pictures so many must lie on one line of time, and at least so many in number. */
const shareMin = 0.35
const picturesMin = 3
/** Instants on a line may be so far from it. */
const lineSec = 0.5

/** Of long copies so many pictures are looked for first: where none of them is, the others need no looking for. */
const triedFirst = 64

/** Where a copy shows the pictures of the original. */
export interface PictureMatch {
  /** Which view of the original, and which part of the copy. */
  readonly view: string
  readonly part: string
  readonly isMirrored: boolean
  readonly speed: number
  /** The instant of the original that the copy's beginning shows: original = speed × copy + offset. */
  readonly offsetSec: number
  /** Share of the copy's pictures that are on the line, 0.35 to 1. */
  readonly share: number
}

/**
 * Looks for the original's pictures in a copy: in the same order, at one speed. Between two tracks every pair of equal
 * pictures votes for the lines of time on which both lie.
 * @param copy made by `queryPrint`
 * @param original made by `storedPrint`, or of its keyframes alone: then copies shorter than about three of their
 *   distances are not found
 * @returns the line with the greatest share, or null
 */
export function matchPictures(copy: readonly PictureTrack[], original: readonly PictureTrack[]): PictureMatch | null {
  let best: PictureMatch | null = null
  for (const part of copy) {
    for (const view of original) {
      const found = matchTracks(part, view)
      if (found && (best === null || found.share > best.share)) best = found
    }
  }
  return best
}

function matchTracks(copy: PictureTrack, original: PictureTrack): PictureMatch | null {
  const step = Math.max(1, Math.floor(copy.atSec.length / triedFirst))
  if (equalPairs(copy, original, step).length === 0) return null
  const pairs = equalPairs(copy, original, 1)
  if (pairs.length < picturesMin) return null
  let best: PictureMatch | null = null
  for (const speed of speeds) {
    const found = bestLine(pairs, speed, copy, original)
    if (!found || (best && found.share <= best.share)) continue
    const { view } = original
    best = { view, part: copy.view, isMirrored: copy.isMirrored, speed, ...found }
  }
  return best
}

interface Pair {
  readonly copySec: number
  readonly originalSec: number
}

/** @param copyStep of the copy only every so many-th picture */
function equalPairs(copy: PictureTrack, original: PictureTrack, copyStep: number): Pair[] {
  const pairs: Pair[] = []
  for (let copyIndex = 0; copyIndex < copy.atSec.length; copyIndex += copyStep) {
    const copySec = copy.atSec[copyIndex] ?? 0
    for (const [originalIndex, originalSec] of original.atSec.entries()) {
      if (isSame(copy.words, copyIndex, original.words, originalIndex)) pairs.push({ copySec, originalSec })
    }
  }
  return pairs
}

function isSame(a: Uint32Array, aIndex: number, b: Uint32Array, bIndex: number): boolean {
  let bits = 0
  for (let word = 0; word < hashWords; word += 1) {
    bits += bitsBetween(a[aIndex * hashWords + word] ?? 0, b[bIndex * hashWords + word] ?? 0)
    if (bits > sameBitsMax) return false
  }
  return true
}

/** The offset on which most of the copy's pictures lie, if enough of them do. */
function bestLine(
  pairs: readonly Pair[],
  speed: number,
  copy: PictureTrack,
  original: PictureTrack,
): { offsetSec: number; share: number } | null {
  const offsets = pairs
    .map(({ copySec, originalSec }) => ({ copySec, originalSec, offsetSec: originalSec - speed * copySec }))
    .sort((a, b) => a.offsetSec - b.offsetSec)
  // A window of one line's width moves over the sorted offsets; per instant of either side one pair counts.
  const copies = new Counted()
  const originals = new Counted()
  let best = { count: 0, offsetSec: 0 }
  let first = 0
  for (const [last, pair] of offsets.entries()) {
    copies.add(pair.copySec)
    originals.add(pair.originalSec)
    for (let left = offsets[first]; left && left.offsetSec < pair.offsetSec - lineSec; left = offsets[++first]) {
      copies.remove(left.copySec)
      originals.remove(left.originalSec)
    }
    const count = Math.min(copies.size, originals.size)
    if (count > best.count) best = { count, offsetSec: offsets[(first + last) >> 1]?.offsetSec ?? pair.offsetSec }
  }
  const possible = Math.min(copy.atSec.length, originalsBeside(copy, original, speed, best.offsetSec))
  const share = possible === 0 ? 0 : Math.min(1, best.count / possible)
  return best.count >= picturesMin && share >= shareMin ? { offsetSec: best.offsetSec, share } : null
}

/**
 * How many pictures of the original the copy could show at best: fewer than its own where only keyframes were printed.
 */
function originalsBeside(copy: PictureTrack, original: PictureTrack, speed: number, offsetSec: number): number {
  const firstSec = speed * (copy.atSec[0] ?? 0) + offsetSec - lineSec
  const lastSec = speed * (copy.atSec.at(-1) ?? 0) + offsetSec + lineSec
  const inside = original.atSec.filter(atSec => atSec >= firstSec && atSec <= lastSec).length
  // Where the original is printed as densely as the copy, what it lacks at the ends is the copy's own.
  const isSparse = inside < ((lastSec - firstSec) * printedPerSec) / 2
  return isSparse && inside > 0 ? inside : copy.atSec.length
}

/** A set whose members know how often they were added. */
class Counted {
  readonly #counts = new Map<number, number>()

  get size(): number {
    return this.#counts.size
  }

  add(member: number): void {
    this.#counts.set(member, (this.#counts.get(member) ?? 0) + 1)
  }

  remove(member: number): void {
    const left = (this.#counts.get(member) ?? 0) - 1
    if (left > 0) this.#counts.set(member, left)
    else this.#counts.delete(member)
  }
}

/**
 * Whether a video looks the same all the time, as a meeting's camera does: then any of its pictures matches any other,
 * and pictures alone prove nothing.
 * @param track its `full` view
 */
export function looksTheSame(track: PictureTrack): boolean {
  const apartSec = 5
  let pairs = 0
  let same = 0
  const step = Math.ceil(track.atSec.length / 200)
  for (let a = 0; a < track.atSec.length; a += step) {
    for (let b = a + step; b < track.atSec.length; b += step) {
      if ((track.atSec[b] ?? 0) - (track.atSec[a] ?? 0) < apartSec) continue
      pairs += 1
      if (isSame(track.words, a, track.words, b)) same += 1
    }
  }
  return pairs > 0 && same / pairs > 0.3
}

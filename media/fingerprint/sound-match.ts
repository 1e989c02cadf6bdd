import { bitsBetween } from './picture-hash.ts'

/**
 * Length of one chromaprint item, seconds: 4096 samples at 11,025 a second, of which two thirds are shared with the
 * next.
 */
export const soundItemSec = 0.12383
/** Of the bits of a copy's sound fewer than this share differ from the original's; of unrelated sound half do. */
const differentMax = 0.25
/** Less than 7 s says too little. */
const itemsMin = Math.round(7 / soundItemSec)
/**
 * Items a second apart must differ in at least this share of their bits: speech and music do in 0.39 and more, silence and
 * held tones, which equal themselves everywhere, in less than 0.25.
 */
const changingMin = 0.3
const secondItems = Math.round(1 / soundItemSec)

/** Comparing so many items takes a tenth of a second. */
const comparisonsMax = 20_000_000

/** Where a copy has the sound of the original. */
export interface SoundMatch {
  /** The instant of the original that the copy's beginning has. */
  readonly offsetSec: number
  /** Share of bits that differ, 0 to 0.25. */
  readonly difference: number
  /** How much of the copy's sound lies inside the original, seconds. */
  readonly overlapSec: number
}

/**
 * Moves a copy's chromaprint along the original's to where they differ least. Speed and pitch must be the same: a copy
 * that was shifted is not found. Of long ones a stretch out of the middle is moved, and all of the copy compared where
 * that fits.
 * @returns null when they differ everywhere, or the copy has less than 7 s of sound that says anything
 */
export function matchSound(copy: Uint32Array, original: Uint32Array): SoundMatch | null {
  const movedCount = Math.max(itemsMin, Math.min(copy.length, Math.floor(comparisonsMax / original.length)))
  const from = Math.max(0, (copy.length - movedCount) >> 1)
  const moved = copy.subarray(from, from + movedCount)
  if (!saysAnything(moved)) return null
  let best: { offset: number; difference: number } | null = null
  for (let offset = itemsMin - moved.length; offset <= original.length - itemsMin; offset += 1) {
    const difference = differenceAt(moved, original, offset)
    if (difference < (best?.difference ?? differentMax) && saysAnything(shared(moved, original, offset))) {
      best = { offset, difference }
    }
  }
  if (!best) return null
  const offset = best.offset - from
  const difference = differenceAt(copy, original, offset)
  if (difference >= differentMax) return null
  return {
    offsetSec: Math.round(offset * soundItemSec * 1000) / 1000,
    difference: Math.round(difference * 1000) / 1000,
    overlapSec: Math.round(shared(copy, original, offset).length * soundItemSec * 10) / 10,
  }
}

/** Share of the bits that differ when the copy's first item is laid on the original's item `offset`. */
function differenceAt(copy: Uint32Array, original: Uint32Array, offset: number): number {
  const from = Math.max(0, -offset)
  const to = Math.min(copy.length, original.length - offset)
  let bits = 0
  for (let at = from; at < to; at += 1) bits += bitsBetween(copy[at] ?? 0, original[at + offset] ?? 0)
  return bits / ((to - from) * 32)
}

/** The items of the copy that then lie on some of the original's. */
function shared(copy: Uint32Array, original: Uint32Array, offset: number): Uint32Array {
  return copy.subarray(Math.max(0, -offset), Math.min(copy.length, original.length - offset))
}

function saysAnything(items: Uint32Array): boolean {
  return items.length >= itemsMin && differenceAt(items.subarray(secondItems), items, 0) >= changingMin
}

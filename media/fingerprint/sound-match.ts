import { bitsBetween } from './picture-hash.ts'

/**
 * Length of one chromaprint item, seconds: 4096 samples at 11,025 a second, of which two thirds are shared with the
 * next.
 */
export const soundItemSec = 0.12383
const itemsIn = (sec: number) => Math.round(sec / soundItemSec)
/**
 * How much of the sound two videos must share, in how few of its bits it differs then (of unrelated sound half do, and at
 * the best place of a minute a quarter), and which share of the copy it is. Little sound has to be more alike, and
 * nearly all that the copy has: a jingle is no copy. So has sound at another speed, whose pitch was kept.
 */
const proofs = [
  { speeds: [1], itemsMin: itemsIn(7), differentMax: 0.25, shareMin: 0 },
  { speeds: [1], itemsMin: itemsIn(4.5), differentMax: 0.15, shareMin: 0.8 },
  { speeds: [0.8, 0.9, 1.1, 1.25], itemsMin: itemsIn(7), differentMax: 0.2, shareMin: 0 },
] as const
type Proof = (typeof proofs)[number]
/**
 * Items a second apart must differ in at least this share of their bits: speech and music do in 0.39 and more, silence and
 * held tones, which equal themselves everywhere, in less than 0.25.
 */
const changingMin = 0.3
const secondItems = itemsIn(1)

/** Comparing so many items takes a tenth of a second. */
const comparisonsMax = 20_000_000

/** Where a copy has the sound of the original. */
export interface SoundMatch {
  /** The instant of the original that the copy's beginning has. */
  readonly offsetSec: number
  /** Seconds of the original for one of the copy. */
  readonly speed: number
  /** Share of bits that differ, 0 to 0.25. */
  readonly difference: number
  /** How much of the original's sound the copy has, seconds. */
  readonly overlapSec: number
}

/**
 * Moves a copy's chromaprint along the original's to where they differ least; where that proves nothing, as if it ran
 * faster or slower. The pitch must be the same: a copy that was shifted is not found. Of long ones a stretch out of
 * the middle is moved, and all of the copy compared where that fits.
 * @returns null when they differ everywhere, or the copy has less than 4.5 s of sound that says anything
 */
export function matchSound(copy: Uint32Array, original: Uint32Array): SoundMatch | null {
  for (const proof of proofs) {
    for (const speed of proof.speeds) {
      const found = matchAtSpeed(speed === 1 ? copy : stretched(copy, speed), original, proof)
      if (found) return { ...found, speed }
    }
  }
  return null
}

/** The copy as it would be if it ran as fast as the original: each item as often as it has to, or left out. */
function stretched(copy: Uint32Array, speed: number): Uint32Array {
  return Uint32Array.from({ length: Math.floor(copy.length * speed) }, (_, at) => {
    return copy[Math.min(copy.length - 1, Math.round(at / speed))] ?? 0
  })
}

function matchAtSpeed(
  copy: Uint32Array,
  original: Uint32Array,
  { itemsMin, differentMax, shareMin }: Proof,
): Omit<SoundMatch, 'speed'> | null {
  const movedCount = Math.max(itemsMin, Math.min(copy.length, Math.floor(comparisonsMax / original.length)))
  const from = Math.max(0, (copy.length - movedCount) >> 1)
  const moved = copy.subarray(from, from + movedCount)
  const saysEnough = (items: Uint32Array) => items.length >= itemsMin && saysAnything(items)
  if (!saysEnough(moved)) return null
  let best: { offset: number; difference: number } | null = null
  for (let offset = itemsMin - moved.length; offset <= original.length - itemsMin; offset += 1) {
    const difference = differenceAt(moved, original, offset)
    if (difference < (best?.difference ?? differentMax) && saysEnough(shared(moved, original, offset))) {
      best = { offset, difference }
    }
  }
  if (!best) return null
  const offset = best.offset - from
  const difference = differenceAt(copy, original, offset)
  const overlap = shared(copy, original, offset).length
  if (difference >= differentMax || overlap < shareMin * copy.length) return null
  return {
    offsetSec: Math.round(offset * soundItemSec * 1000) / 1000,
    difference: Math.round(difference * 1000) / 1000,
    overlapSec: Math.round(overlap * soundItemSec * 10) / 10,
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
  return differenceAt(items.subarray(secondItems), items, 0) >= changingMin
}

import { describe, expect, it } from 'vitest'
import { matchFingerprints } from './match.ts'
import { hashWords } from './picture-hash.ts'
import { looksTheSame, matchPictures } from './picture-match.ts'
import type { PictureTrack } from './picture-print.ts'
import { matchSound, soundItemSec } from './sound-match.ts'

/** Numbers that look random and are the same in every run (xorshift32). */
function numbers(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state >>> 0
  }
}

const words = (count: number, seed: number) => Uint32Array.from({ length: count }, numbers(seed))

/** A track of pictures that all differ. */
function track(seconds: readonly number[], hashes: Uint32Array, view = 'full', isMirrored = false): PictureTrack {
  return { view, isMirrored, atSec: seconds, words: hashes }
}

const everyHalf = (sec: number) => Array.from({ length: sec * 2 }, (_, index) => index / 2)
const original = track(everyHalf(600), words(1200 * hashWords, 7))
const picturesOf = (indexes: readonly number[]) =>
  Uint32Array.from(indexes.flatMap(index => [...original.words.subarray(index * hashWords, (index + 1) * hashWords)]))

/** Turns `count` bits of each picture. */
function worn(hashes: Uint32Array, count: number): Uint32Array {
  return hashes.map((word, at) => {
    const bits = Math.max(0, Math.min(32, count - (at % hashWords) * 32))
    return bits === 32 ? ~word >>> 0 : (word ^ (2 ** bits - 1)) >>> 0
  })
}

describe('copies by their pictures', () => {
  it('are found with where they begin, at up to 76 bits of difference', () => {
    const inside = everyHalf(20).map((_, index) => 400 + index)
    const found = matchPictures([track(everyHalf(20), worn(picturesOf(inside), 76))], [original])
    expect(found).toEqual({ view: 'full', part: 'full', isMirrored: false, speed: 1, offsetSec: 200, share: 1 })
    expect(matchPictures([track(everyHalf(20), worn(picturesOf(inside), 77))], [original])).toBeNull()
  })

  it('are found when they run faster, in a mirror, or as a part of the screen', () => {
    const faster = everyHalf(20).map((_, index) => 100 + Math.round(index * 1.25))
    const copy = [
      track(everyHalf(20), words(40 * hashWords, 99)),
      track(everyHalf(20), picturesOf(faster), 'part1', true),
    ]
    const found = matchPictures(copy, [track(everyHalf(10), words(20 * hashWords, 3), 'inner'), original])
    expect(found).toMatchObject({ view: 'full', part: 'part1', isMirrored: true, speed: 1.25 })
    expect(found?.offsetSec).toBeCloseTo(50, 0)
  })

  it('need a third of their pictures on one line: scattered ones, in whatever number, are no copy', () => {
    const third = everyHalf(20).map((_, index) => (index < 13 ? 300 + index : -1))
    const mixed = (indexes: readonly number[]) => {
      const other = words(indexes.length * hashWords, 42)
      for (const [at, index] of indexes.entries()) if (index >= 0) other.set(picturesOf([index]), at * hashWords)
      return [track(everyHalf(20), other)]
    }
    expect(matchPictures(mixed(third), [original])).toBeNull()
    expect(matchPictures(mixed(third.map((_, at) => (at < 14 ? 300 + at : -1))), [original])?.share).toBe(0.35)
    expect(matchPictures(mixed(third.map((_, at) => (at * 389) % 1200)), [original])).toBeNull()
  })

  it('are found among keyframes, of which a clip has only a few', () => {
    const keyframes = track(
      everyHalf(600).filter((_, index) => index % 8 === 0),
      picturesOf(everyHalf(600).flatMap((_, index) => (index % 8 === 0 ? [index] : []))),
    )
    const inside = everyHalf(20).map((_, index) => 401 + index)
    const found = matchPictures([track(everyHalf(20), picturesOf(inside))], [keyframes])
    expect(found?.offsetSec).toBe(200.5)
    expect(found?.share).toBeGreaterThan(0.8)
  })
})

describe('copies by their sound', () => {
  const sound = words(5000, 11)

  it('are found with where they begin, when fewer than a quarter of the bits differ', () => {
    const copy = sound.slice(1000, 1100).map(word => (word ^ 0b111_1111) >>> 0)
    expect(matchSound(copy, sound)).toEqual({
      offsetSec: Math.round(1000 * soundItemSec * 1000) / 1000,
      speed: 1,
      difference: 0.219,
      overlapSec: 12.4,
    })
    expect(
      matchSound(
        copy.map(word => (word ^ 0b1_1000_0000) >>> 0),
        sound,
      ),
    ).toBeNull()
  })

  it('may begin before the original does, but share at least 7 s with it', () => {
    const copy = Uint32Array.from([...words(40, 5), ...sound.slice(0, 60)])
    expect(matchSound(copy, sound)?.offsetSec).toBeCloseTo(-40 * soundItemSec, 1)
    expect(matchSound(Uint32Array.from([...words(60, 5), ...sound.slice(0, 50)]), sound)).toBeNull()
  })

  it('of less than 7 s must be nearly equal, and nearly all of the copy', () => {
    const short = sound.slice(300, 340)
    expect(matchSound(short, sound)).toMatchObject({ difference: 0, overlapSec: 5 })
    const turned = (bits: number) => short.map(word => (word ^ (2 ** bits - 1)) >>> 0)
    expect(matchSound(turned(4), sound)).toMatchObject({ difference: 0.125 })
    expect(matchSound(turned(5), sound)).toBeNull()
    expect(matchSound(sound.slice(300, 330), sound)).toBeNull()
    // As much of the sound in a longer copy may be a jingle.
    expect(matchSound(Uint32Array.from([...words(60, 5), ...sound.slice(0, 40)]), sound)).toBeNull()
  })

  it('are found when they run faster or slower, with the pitch kept', () => {
    const at = (speed: number) =>
      Uint32Array.from({ length: 120 }, (_, item) => sound[700 + Math.round(item * speed)] ?? 0)
    for (const speed of [0.8, 0.9, 1.1, 1.25]) {
      const found = matchSound(at(speed), sound)
      expect(found).toMatchObject({ speed })
      expect(found?.offsetSec).toBeCloseTo(700 * soundItemSec, 0)
    }
    expect(matchSound(at(1.6), sound)).toBeNull()
  })

  it('are found by a stretch of them where both are long', () => {
    const hours = words(200_000, 17)
    expect(matchSound(hours.slice(100_000, 101_000), hours)).toMatchObject({ difference: 0, overlapSec: 123.8 })
    expect(matchSound(Uint32Array.from([...hours.slice(5000, 5500), ...words(600, 18)]), hours)).toBeNull()
  })

  it('are not known by silence, which is the same everywhere', () => {
    const silence = new Uint32Array(200).fill(627_964_279)
    expect(matchSound(silence, silence)).toBeNull()
  })
})

describe('a match', () => {
  const stillPicture = words(hashWords, 77)
  const still = track(
    everyHalf(60),
    Uint32Array.from({ length: 120 * hashWords }, (_, at) => stillPicture[at % hashWords] ?? 0),
  )
  const stillClip = track(everyHalf(10), still.words.subarray(0, 20 * hashWords))
  const sound = words(500, 13)
  const clipSound = sound.slice(100, 180)

  it('says whether it is of pictures, of sound, or of both', () => {
    const clip = track(everyHalf(10), picturesOf(everyHalf(10).map((_, index) => index + 30)))
    const kindOf = (copy: Uint32Array | null, pictures = [clip]) =>
      matchFingerprints({ pictures, sound: copy }, { pictures: [original], sound })?.kind
    expect(kindOf(null)).toBe('picture')
    expect(kindOf(words(80, 99))).toBe('picture')
    expect(kindOf(clipSound)).toBe('both')
    expect(kindOf(clipSound, [])).toBe('sound')
    expect(kindOf(null, [])).toBeUndefined()
  })

  it('is not made by pictures of a camera that always shows the same, unless the sound agrees', () => {
    expect([looksTheSame(still), looksTheSame(original)]).toEqual([true, false])
    const matched = (copy: Uint32Array | null) =>
      matchFingerprints({ pictures: [stillClip], sound: copy }, { pictures: [still], sound })?.kind
    expect(matched(null)).toBeUndefined()
    expect(matched(words(80, 99))).toBeUndefined()
    expect(matched(clipSound)).toBe('both')
    const placed = matchFingerprints({ pictures: [stillClip], sound: clipSound }, { pictures: [still], sound })
    expect(placed?.picture?.offsetSec).toBe(placed?.sound?.offsetSec)
  })
})

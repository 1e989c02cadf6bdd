import type { Picture } from '../picture.ts'
import { type Area, areaAt, type GreyAreas, greyAreas } from './grey-areas.ts'
import { hashedGrid, hashPicture, hashWords } from './picture-hash.ts'
import { seamedAreas } from './seams.ts'

/** Fingerprints hold so many pictures a second at most. */
export const printedPerSec = 2

/** One view of a video over time: `words` has 8 for each instant of `atSec`. */
export interface PictureTrack {
  readonly view: string
  readonly isMirrored: boolean
  readonly atSec: readonly number[]
  readonly words: Uint32Array
}

const full: Area = { left: 0, top: 0, width: 1, height: 1 }

/**
 * The parts of a picture that copies of it usually show: all of it, the upright middle (9:16), the middle that fills
 * half of an upright screen (9:8), and the inner 80 % that is left when a copy is zoomed in.
 */
function storedViews({ widthPx, heightPx }: Picture): ReadonlyMap<string, Area> {
  const middle = (ratio: number): Area => {
    const width = Math.min(1, (ratio * heightPx) / widthPx)
    return { left: (1 - width) / 2, top: 0, width, height: 1 }
  }
  const views = new Map([['full', full]])
  // An upright video has no narrower middle.
  for (const [name, ratio] of [
    ['upright', 9 / 16],
    ['half', 9 / 8],
  ] as const) {
    if (middle(ratio).width < 0.95) views.set(name, middle(ratio))
  }
  return views.set('inner', { left: 0.1, top: 0.1, width: 0.8, height: 0.8 })
}

/** Takes the frames of one video, in order of time, all of one size. */
export interface PrintBuilder {
  push(frame: Picture, atSec: number): void
  finish(): PictureTrack[]
}

/** The fingerprint by which copies of a video are found later: its stored views, twice a second. */
export function storedPrint(): PrintBuilder {
  const tracks = new Map<string, TrackBuilder>()
  return thinned(
    (frame, atSec) => {
      const grey = greyAreas(frame)
      for (const [view, area] of storedViews(frame)) {
        const track = tracks.get(view) ?? trackBuilder(view, false)
        tracks.set(view, track)
        const hash = hashPicture(areaAt(grey, area, hashedGrid))
        if (hash) track.push(atSec, hash.plain)
      }
    },
    () => [...tracks.values()].map(track => track.finish()),
  )
}

/**
 * The fingerprint of a video that may be a copy: all of it and the parts that seams divide it into, each also as seen
 * in a mirror. Seams are known at the end only, so the pictures are kept until then: 14 kB each, for clips.
 */
export function queryPrint(): PrintBuilder {
  const kept: { grey: GreyAreas; atSec: number }[] = []
  return thinned(
    (frame, atSec) => kept.push({ grey: greyAreas(frame), atSec }),
    () =>
      [full, ...seamedAreas(kept.map(({ grey }) => grey))].flatMap((area, index) => {
        const view = index === 0 ? 'full' : `part${index}`
        const plain = trackBuilder(view, false)
        const mirrored = trackBuilder(view, true)
        for (const { grey, atSec } of kept) {
          const hash = hashPicture(areaAt(grey, area, hashedGrid))
          if (!hash) continue
          plain.push(atSec, hash.plain)
          mirrored.push(atSec, hash.mirrored)
        }
        return [plain.finish(), mirrored.finish()]
      }),
  )
}

/** Lets a frame through when the last one is (nearly) half a second ago. */
function thinned(take: (frame: Picture, atSec: number) => void, finish: () => PictureTrack[]): PrintBuilder {
  let nextSec = Number.NEGATIVE_INFINITY
  return {
    push(frame, atSec) {
      if (atSec < nextSec) return
      nextSec = atSec + 0.9 / printedPerSec
      take(frame, atSec)
    },
    finish,
  }
}

interface TrackBuilder {
  push(atSec: number, hash: Uint32Array): void
  finish(): PictureTrack
}

function trackBuilder(view: string, isMirrored: boolean): TrackBuilder {
  const atSec: number[] = []
  const hashes: Uint32Array[] = []
  return {
    push(instant, hash) {
      atSec.push(Math.round(instant * 1000) / 1000)
      hashes.push(hash)
    },
    finish() {
      const words = new Uint32Array(hashes.length * hashWords)
      for (const [index, hash] of hashes.entries()) words.set(hash, index * hashWords)
      return { view, isMirrored, atSec, words }
    },
  }
}

import { looksTheSame, matchPictures, type PictureMatch } from './picture-match.ts'
import type { PictureTrack } from './picture-print.ts'
import { matchSound, type SoundMatch } from './sound-match.ts'

/** By what a video is known. `sound` is null where it has none, or the engine cannot tell it. */
export interface Fingerprint {
  readonly pictures: readonly PictureTrack[]
  readonly sound: Uint32Array | null
}

/**
 * That one video shows or sounds what another does. The kinds are kept apart: sound alone may be the same song under
 * two videos, pictures alone may be the same game beside two.
 */
export interface Match {
  readonly kind: 'picture' | 'sound' | 'both'
  readonly picture: PictureMatch | null
  readonly sound: SoundMatch | null
}

/**
 * Whether a video may be a copy of (a part of) another. Where either looks the same all the time, pictures alone are
 * no evidence: without the sound there is no match, and with it the sound says where it is from.
 * @param copy its pictures made by `queryPrint`
 * @param original its pictures made by `storedPrint`
 */
export function matchFingerprints(copy: Fingerprint, original: Fingerprint): Match | null {
  const sound = copy.sound && original.sound ? matchSound(copy.sound, original.sound) : null
  const seen = matchPictures(copy.pictures, original.pictures)
  const isStill = [original, copy].some(({ pictures }) => {
    const full = pictures.find(({ view, isMirrored }) => view === 'full' && !isMirrored)
    return full !== undefined && looksTheSame(full)
  })
  const picture = isStill ? seen && sound && { ...seen, offsetSec: sound.offsetSec, speed: sound.speed } : seen
  if (picture) return { kind: sound ? 'both' : 'picture', picture, sound }
  return sound ? { kind: 'sound', picture, sound } : null
}

/**
 * Which of a user's media are copies of which. When media has been analysed, its fingerprint is kept and compared with
 * those of the same user's other media that the store names as near; what is found is kept as well, so that asking for
 * copies is reading a list. Nothing is compared between users.
 */
import { setImmediate } from 'node:timers/promises'
import { type FoundCopy, writeCopies } from '../../../analytics/copies/copies.ts'
import {
  forgetMediaPrint,
  likelyRelatives,
  type MediaPrint,
  type OwnedVod,
  readMediaPrint,
  writeMediaPrint,
} from '../../../analytics/copies/media-prints.ts'
import type { QueryTarget } from '../../../analytics/queries/run-query.ts'
import { matchFingerprints } from '../../../media/fingerprint/match.ts'
import { sameBitsMax } from '../../../media/fingerprint/picture-match.ts'
import { soundItemSec } from '../../../media/fingerprint/sound-match.ts'
import type { ServerDeps } from '../../deps.ts'

type StoreDeps = Pick<ServerDeps, 'store' | 'clock'>

/** Media of the same length may be copies of each other: the one that was there first is the original. */
const sameLengthSec = 1
/**
 * Keeps what a VOD's media is known by, in the place of what was kept before, and finds its relatives.
 * @param vod its owner and id, and how long its media is
 * @returns how many relatives were found
 */
export async function rememberPrint(
  deps: StoreDeps,
  vod: OwnedVod & { readonly durationSec: number },
  print: MediaPrint,
  signal: AbortSignal,
): Promise<number> {
  const target = realNumbers(deps)
  await forgetMediaPrint(target, vod)
  await writeMediaPrint(target, vod, print)
  const found: FoundCopy[] = []
  for (const relative of await likelyRelatives(target, vod, sameBitsMax)) {
    // Comparing takes up to a second, in a process that may serve others.
    await setImmediate()
    signal.throwIfAborted()
    const other = await readMediaPrint(target, { owner: vod.owner, vodId: relative })
    const copy = relationOf(
      { vodId: vod.vodId, print, durationSec: vod.durationSec },
      { vodId: relative, print: other },
    )
    if (copy) found.push(copy)
  }
  await writeCopies(target, vod.owner, found, new Date(deps.clock.nowMs()))
  return found.length
}

/**
 * Keeps for a VOD what another VOD of the same content is known by, and finds its relatives.
 * @returns how many were found
 */
export async function copyPrint(
  deps: StoreDeps,
  vod: OwnedVod & { readonly durationSec: number },
  fromVodId: string,
  signal: AbortSignal,
): Promise<number> {
  const print = await readMediaPrint(realNumbers(deps), { owner: vod.owner, vodId: fromVodId })
  return await rememberPrint(deps, vod, print, signal)
}

/** Removes all that a VOD's media is known by, and whose copy it was; returns when it is gone. */
export async function forgetPrint(deps: Pick<StoreDeps, 'store'>, vod: OwnedVod): Promise<void> {
  await forgetMediaPrint(realNumbers(deps), vod)
}

interface Compared {
  readonly vodId: string
  readonly print: MediaPrint
}

/** Of two media the longer is the original; of equally long ones that which was there before `added`. */
function relationOf(added: Compared & { readonly durationSec: number }, other: Compared): FoundCopy | null {
  const isOriginal = added.durationSec > lengthOf(other.print) + sameLengthSec
  const [original, copy] = isOriginal ? [added, other] : [other, added]
  const match = matchFingerprints(
    { pictures: partsOf(copy.print), sound: copy.print.sound },
    { pictures: original.print.views, sound: original.print.sound },
  )
  if (!match) return null
  return {
    originalVodId: original.vodId,
    vodId: copy.vodId,
    kind: match.kind,
    isMirrored: match.picture?.isMirrored ?? false,
    speed: match.picture?.speed ?? match.sound?.speed ?? 1,
    startSec: Math.max(0, match.picture?.offsetSec ?? match.sound?.offsetSec ?? 0),
    pictureShare: match.picture?.share ?? null,
    soundDifference: match.sound?.difference ?? null,
  }
}

/** Of media that was not looked at as a copy the whole picture serves: then only unedited ones are found by it. */
function partsOf({ parts, views }: MediaPrint): MediaPrint['parts'] {
  return parts.length > 0 ? parts : views.filter(({ view }) => view === 'full')
}

/** How long media is, as far as its print says. */
function lengthOf({ views, sound }: MediaPrint): number {
  const lastSec = Math.max(0, ...views.map(({ atSec }) => atSec.at(-1) ?? 0))
  return Math.max(lastSec, (sound?.length ?? 0) * soundItemSec)
}

/** Media of users are real: a replay or imported history that is looked at has none of them. */
function realNumbers({ store }: Pick<StoreDeps, 'store'>): QueryTarget {
  return { store, world: { database: 'cliptape' } }
}

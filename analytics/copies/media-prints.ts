/**
 * Fingerprints of users' media in the analytics store, and which media may be copies by them. The engine compares
 * samples of pictures with all of an owner's and names candidates; whether one is a copy is decided by whoever compares
 * the whole fingerprints. Rows belong to an owner, and every question is about one owner's.
 */
import { z } from 'zod'
import type { UserId } from '../../contracts/ids.ts'
import { compose, type QueryTarget, runCommand, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'

const tag = 'analytics:copies'
const table = 'media_prints_v1'
const rowsPerInsert = 20_000
/** Media that are compared whole, for each way in which they may be found. */
const candidatesMax = 20
/** Items of sound that two media share before they are compared; chance gives fewer. */
const sharedItemsMin = 4
const wordsPerPicture = 8
/** What a copy may be known by: its parts, or the whole picture of media that was not looked at as a copy. */
const sampledKinds = "(kind = 'part' OR (kind = 'view' AND view = 'full'))"
const mirrored = '~'

/** Pictures of one view of a video over time: `words` has 8 for each instant. */
export interface PrintTrack {
  readonly view: string
  readonly isMirrored: boolean
  readonly atSec: readonly number[]
  readonly words: Uint32Array
}

/**
 * All that one VOD's media is known by: `views` as what copies are made of, `parts` as what it may be a copy with,
 * `sound` as chromaprint items.
 */
export interface MediaPrint {
  readonly views: readonly PrintTrack[]
  readonly parts: readonly PrintTrack[]
  readonly sound: Uint32Array | null
}

/** Whose media. */
export interface OwnedVod {
  readonly owner: UserId
  readonly vodId: string
}

/** Keeps a fingerprint; what was kept of the VOD before must be forgotten first. */
export async function writeMediaPrint(
  target: QueryTarget,
  { owner, vodId }: OwnedVod,
  print: MediaPrint,
): Promise<void> {
  const of = { owner_id: owner, vod_id: vodId }
  const rows = [
    ...print.views.flatMap(track => trackRows(track).map(row => ({ ...of, kind: 'view', ...row }))),
    ...print.parts.flatMap(track => trackRows(track).map(row => ({ ...of, kind: 'part', ...row }))),
    ...soundRows(print.sound).map(row => ({ ...of, kind: 'sound', ...row })),
  ]
  for (let from = 0; from < rows.length; from += rowsPerInsert) {
    const part = rows.slice(from, from + rowsPerInsert)
    await target.store.insert(`${target.world.database}.${table}`, part, { tag })
  }
}

function trackRows({ view, isMirrored, atSec, words }: PrintTrack) {
  const name = isMirrored ? `${view}${mirrored}` : view
  return atSec.map((sec, index) => {
    // 64-bit numbers travel as text.
    const bits = (word: number) => {
      const at = index * wordsPerPicture + word * 2
      return String((BigInt(words[at + 1] ?? 0) << 32n) | BigInt(words[at] ?? 0))
    }
    const at_ms = Math.max(0, Math.round(sec * 1000))
    return { view: name, at_ms, bits_0: bits(0), bits_1: bits(1), bits_2: bits(2), bits_3: bits(3) }
  })
}

/** Items of sound have no instants of their own: their number stands for it. */
function soundRows(sound: Uint32Array | null) {
  return [...(sound ?? [])].map((item, index) => {
    return { view: '', at_ms: index, bits_0: String(item), bits_1: '0', bits_2: '0', bits_3: '0' }
  })
}

/** Removes all that is kept of a VOD's media; returns when it is gone from the disk's files. */
export async function forgetMediaPrint(target: QueryTarget, { owner, vodId }: OwnedVod): Promise<void> {
  // A rewrite of parts is dear: most VODs have nothing here.
  const params = { owner, vodId }
  const found = await runQuery(target, sqlPart('media-copies', 'has_prints'), params, z.unknown(), { tag })
  if (found.length === 0) return
  await runCommand(target, sqlPart('media-copies', 'forget_prints'), params, tag)
  await runCommand(target, sqlPart('media-copies', 'forget_copies'), params, tag)
}

const CandidateRow = z.object({ vod_id: z.string(), hits: wholeNumber })

/**
 * VODs of the same owner that this one may be a copy of, or that may be copies of it; at most 60, those with most in
 * common first in each way of having it.
 * @param bitsMax in how many of 256 bits two pictures of the same may differ
 */
export async function likelyRelatives(
  target: QueryTarget,
  { owner, vodId }: OwnedVod,
  bitsMax: number,
): Promise<string[]> {
  const near = (slots: Readonly<Record<'subject' | 'compared' | 'sampled', string>>) =>
    runQuery(
      target,
      compose(sqlPart('media-copies', 'near_pictures'), slots),
      { owner, vodId, bitsMax, limit: candidatesMax },
      CandidateRow,
      { tag },
    )
  const found = [
    await near({
      subject: 'stored.vod_id',
      compared: `kind = 'view' AND vod_id != {vodId:String}`,
      sampled: `${sampledKinds} AND vod_id = {vodId:String}`,
    }),
    await near({
      subject: 'sample.vod_id',
      compared: `kind = 'view' AND vod_id = {vodId:String}`,
      sampled: `${sampledKinds} AND vod_id != {vodId:String}`,
    }),
    await runQuery(
      target,
      sqlPart('media-copies', 'same_sound'),
      { owner, vodId, itemsMin: sharedItemsMin, limit: candidatesMax },
      CandidateRow,
      { tag },
    ),
  ]
  return [...new Set(found.flat().map(row => row.vod_id))]
}

const PrintRow = z.object({
  kind: z.enum(['view', 'part', 'sound']),
  view: z.string(),
  at_ms: z.array(z.number()),
  words: z.array(z.number()),
})

/** What is kept of a VOD's media; nothing in any of its lists when nothing is. */
export async function readMediaPrint(target: QueryTarget, { owner, vodId }: OwnedVod): Promise<MediaPrint> {
  const rows = await runQuery(target, sqlPart('media-copies', 'print'), { owner, vodId }, PrintRow, { tag })
  const tracks = (kind: 'view' | 'part') => rows.filter(row => row.kind === kind).map(toTrack)
  const sound = rows.find(row => row.kind === 'sound')
  return {
    views: tracks('view'),
    parts: tracks('part'),
    sound: sound ? Uint32Array.from(sound.at_ms, (_, index) => sound.words[index * wordsPerPicture] ?? 0) : null,
  }
}

function toTrack({ view, at_ms, words }: z.infer<typeof PrintRow>): PrintTrack {
  return {
    view: view.replace(mirrored, ''),
    isMirrored: view.endsWith(mirrored),
    atSec: at_ms.map(ms => ms / 1000),
    words: Uint32Array.from(words),
  }
}

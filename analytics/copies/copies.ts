import { z } from 'zod'
import type { Copies, Copy } from '../../contracts/copies.ts'
import type { UserId } from '../../contracts/ids.ts'
import { type Period, periodMs } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { type QueryTarget, runQuery, sqlPart } from '../queries/run-query.ts'
import type { OwnedVod } from './media-prints.ts'
import { clippersIn, type OwnVod, readPosts } from './posts.ts'

const tag = 'analytics:copies'
/** Most copies of one answer. */
const copiesMax = 1000

/** That one VOD's media shows or sounds (a part of) another's. */
export type FoundCopy = Pick<
  Copy,
  'originalVodId' | 'vodId' | 'kind' | 'isMirrored' | 'speed' | 'startSec' | 'pictureShare' | 'soundDifference'
>

/** Keeps what comparing found. */
export async function writeCopies(
  target: QueryTarget,
  owner: OwnedVod['owner'],
  copies: readonly FoundCopy[],
  foundAt: Date,
): Promise<void> {
  if (copies.length === 0) return
  const rows = copies.map(copy => ({
    owner_id: owner,
    original_vod_id: copy.originalVodId,
    copy_vod_id: copy.vodId,
    kind: copy.kind,
    is_mirrored: copy.isMirrored,
    speed: copy.speed,
    start_seconds: copy.startSec,
    picture_share: copy.pictureShare,
    sound_difference: copy.soundDifference,
    found_at: foundAt.toISOString().replace('T', ' ').replace('Z', ''),
  }))
  await target.store.insert(`${target.world.database}.media_copies_v1`, rows, { tag })
}

const CopyRow = z.object({
  original_vod_id: z.string(),
  copy_vod_id: z.string(),
  kind: z.enum(['picture', 'sound', 'both']),
  is_mirrored: z.boolean(),
  speed: z.number(),
  start_seconds: z.number(),
  picture_share: z.number().nullable(),
  sound_difference: z.number().nullable(),
})

/**
 * The copies of some of a user's VODs, at most 1,000, and the clipper count: distinct accounts that published one
 * inside the period that ends now, by what is known of the indexed videos that the copies are attached to. Copies that
 * share the sound alone are listed and not counted.
 * @param originals the posts of their creators are not counted
 */
export async function copiesOf(
  ctx: AnalyticsContext,
  owner: UserId,
  originals: readonly OwnVod[],
  period: Period,
): Promise<Copies> {
  const rows = await runQuery(
    ctx,
    sqlPart('media-copies', 'copies'),
    { owner, originals: originals.map(({ vodId }) => vodId), limit: copiesMax },
    CopyRow,
    { tag },
  )
  const posts = await readPosts(
    ctx,
    originals,
    rows.map(row => row.copy_vod_id),
  )
  const makers = new Set(originals.map(posts.makerOf))
  const counted = rows.flatMap(row => (row.kind === 'sound' ? [] : (posts.counted(row.copy_vod_id, makers) ?? [])))
  const copies = rows.map((row): Copy => {
    const post = posts.of(row.copy_vod_id)
    return {
      originalVodId: row.original_vod_id,
      vodId: row.copy_vod_id,
      kind: row.kind,
      isMirrored: row.is_mirrored,
      speed: row.speed,
      startSec: row.start_seconds,
      pictureShare: row.picture_share,
      soundDifference: row.sound_difference,
      title: post?.title ?? '',
      creatorId: post?.creatorId ?? null,
      publishedAt: post && post.publishedMs !== null ? new Date(post.publishedMs).toISOString() : null,
    }
  })
  const toMs = ctx.world.clock.nowMs()
  return { period, clippers: clippersIn(counted, { fromMs: toMs - periodMs[period], toMs }), copies }
}

/**
 * The clipper counts of one user: of creators and single VODs, over the copies among that user's own media. They are
 * nobody else's numbers: they travel in the context of the one who asks, and stay out of whatever users share.
 */
import { z } from 'zod'
import type { UserId } from '../../contracts/ids.ts'
import type { TrendRow } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import type { Window } from '../measures/window.ts'
import { runQuery, sqlPart } from '../queries/run-query.ts'
import { type CopyPost, clippersIn, type OwnVod, readPosts } from './posts.ts'

const tag = 'analytics:copies'
/** VODs of one user with a fingerprint, and copies that are counted: those that were found last. */
const rowsMax = 10_000

/**
 * Who posted copies of a creator's media and of single VODs, by wire id. Whoever is in it has media with a fingerprint,
 * perhaps without any copy.
 */
export type OwnClippers = Readonly<Record<'clips' | 'creators', ReadonlyMap<string, readonly CopyPost[]>>>

const PrintedRow = z.object({ vod_id: z.string() })
const PairRow = z.object({ original_vod_id: z.string(), copy_vod_id: z.string() })

/** @returns null when none of the user's `vods` has a fingerprint of its pictures */
export async function readOwnClippers(
  ctx: AnalyticsContext,
  owner: UserId,
  vods: readonly OwnVod[],
): Promise<OwnClippers | null> {
  const values = { owner, limit: rowsMax }
  const printed = await runQuery(ctx, sqlPart('media-copies', 'printed'), values, PrintedRow, { tag })
  const withPrint = new Set(printed.map(row => row.vod_id))
  const originals = vods.filter(({ vodId }) => withPrint.has(vodId))
  if (originals.length === 0) return null
  const pairs = await runQuery(ctx, sqlPart('media-copies', 'pairs'), values, PairRow, { tag })
  const posts = await readPosts(
    ctx,
    originals,
    pairs.map(pair => pair.copy_vod_id),
  )
  const copies = Map.groupBy(pairs, pair => pair.original_vod_id)
  const clips = new Map<string, CopyPost[]>()
  const creators = new Map<string, CopyPost[]>()
  for (const original of originals) {
    const maker = posts.makerOf(original)
    const makers = new Set([maker])
    const found = (copies.get(original.vodId) ?? []).flatMap(pair => posts.counted(pair.copy_vod_id, makers) ?? [])
    clips.set(original.vodId, found)
    if (maker === null) continue
    const known = creators.get(maker) ?? []
    known.push(...found)
    creators.set(maker, known)
  }
  return { clips, creators }
}

/**
 * The clipper count of a creator or VOD in the eyes of the one who asks.
 * @param id as on the wire
 * @returns null when none of its media has a fingerprint of that user's
 */
export function ownClippers(
  { clippers }: Pick<AnalyticsContext, 'clippers'>,
  type: 'clips' | 'creators',
  id: string,
  window: Pick<Window, 'fromMs' | 'toMs'>,
): number | null {
  const posts = clippers?.[type].get(id)
  return posts === undefined ? null : clippersIn(posts, window)
}

/** Rows of clips or creators with the clipper counts of the one who asks. */
export function withOwnClippers(
  ctx: Pick<AnalyticsContext, 'clippers'>,
  type: 'clips' | 'creators',
  window: Window,
  rows: readonly (TrendRow | null)[],
): (TrendRow | null)[] {
  if (ctx.clippers === undefined) return [...rows]
  return rows.map(row => {
    const clippers = row && ownClippers(ctx, type, row.key, window)
    if (row === null || clippers === null) return row
    const { clippers: _reason, ...missing } = row.missing
    return { ...row, clippers, missing }
  })
}

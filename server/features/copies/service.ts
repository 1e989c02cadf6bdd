import type { AnalyticsContext } from '../../../analytics/context.ts'
import { copiesOf } from '../../../analytics/copies/copies.ts'
import type { Copies } from '../../../contracts/copies.ts'
import type { CreatorId } from '../../../contracts/ids.ts'
import type { Period } from '../../../contracts/measures.ts'
import type { VodId } from '../../../contracts/vods.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { getVod } from '../vods/service.ts'

type CopyDeps = Pick<ServerDeps, 'db' | 'store' | 'clock' | 'niches'>

/** VODs of one creator whose copies are counted together. */
const originalsMax = 1000

/**
 * The copies of one VOD among the caller's own media.
 * @throws AppError NOT_FOUND when the caller has no media of it
 */
export async function copiesOfVod(deps: CopyDeps, caller: Caller, vodId: VodId, period: Period): Promise<Copies> {
  const vod = await getVod(deps, caller, vodId)
  return await copiesOf(realContext(deps), ownerOf(caller), [vod], period)
}

/** The copies of all VODs of one creator that the caller has media of: none when there are no such VODs. */
export async function copiesOfCreator(
  deps: CopyDeps,
  caller: Caller,
  creatorId: CreatorId,
  period: Period,
): Promise<Copies> {
  const owner = ownerOf(caller)
  const rows = await deps.db.asUser(owner, trx =>
    trx
      .selectFrom('vods')
      .select(['vod_id', 'creator_id'])
      .where('owner_id', '=', owner)
      .where('creator_id', '=', creatorId)
      .orderBy('created_at', 'desc')
      .limit(originalsMax)
      .execute(),
  )
  const originals = rows.map(row => ({ vodId: row.vod_id, creatorId: row.creator_id }))
  return await copiesOf(realContext(deps), owner, originals, period)
}

/** Media of users are real: a replay or imported history that is looked at has none of them. */
export function realContext(deps: Pick<ServerDeps, 'store' | 'clock' | 'niches'>): AnalyticsContext {
  return { store: deps.store, world: { database: 'cliptape', clock: deps.clock }, niches: deps.niches() }
}

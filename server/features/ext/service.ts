import { hash } from 'node:crypto'
import { indexedVods } from '../../../analytics/measures/indexed-vods.ts'
import { type CreatorId, creatorId, PlatformSchema, type UserId } from '../../../contracts/ids.ts'
import type { Db } from '../../../core/db/port.ts'
import { canonical, touching } from '../../live/public-question.ts'
import type { SharedQuestion } from '../shared-answers.ts'
import { generatedAt, inWorld, type QuestionDeps } from '../shared-questions.ts'

/** Creators of one user whose VODs one answer looks at; the rest is left out, the newest first. */
const monitoredMax = 5_000

/** The creators that a user monitors. */
export async function monitoredCreators(deps: { db: Db }, userId: UserId): Promise<CreatorId[]> {
  const rows = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('monitored_creators')
      .select(['platform', 'creator_id'])
      .where('owner_id', '=', userId)
      .orderBy('created_at', 'desc')
      .orderBy('platform')
      .orderBy('creator_id')
      .limit(monitoredMax)
      .execute(),
  )
  return rows.map(row => creatorId(PlatformSchema.parse(row.platform), row.creator_id)).sort()
}

/**
 * VODs in the order of indexing. Equal for all who ask about the same creators, so that many keys of one owner share an
 * answer.
 */
export function vodsQuestion(
  deps: QuestionDeps,
  creators: readonly CreatorId[],
  params: { readonly since?: string | undefined; readonly limit: number; readonly cursor?: string | undefined },
): SharedQuestion {
  const { since, limit, cursor } = params
  return {
    // A list of thousands is known by its hash.
    key: `vods ${canonical({ since, limit, cursor })} ${hash('sha256', creators.join('\n'))}`,
    isTouchedBy: touching(deps, () => false),
    async compute() {
      const sinceMs = since === undefined ? 0 : Math.floor(Date.parse(since))
      const found = await inWorld(deps, ctx => indexedVods(ctx, { creators, sinceMs, limit, cursor }))
      return {
        data: found.rows,
        version: found.nextCursor ?? '',
        rest: {
          generatedAt: generatedAt(deps),
          asOf: found.horizon.toISOString(),
          ...(found.nextCursor === null ? {} : { nextCursor: found.nextCursor }),
        },
      }
    },
  }
}

import { hash } from 'node:crypto'
import { indexedVods } from '../../../analytics/measures/indexed-vods.ts'
import type { CreatorId } from '../../../contracts/ids.ts'
import { canonical, touching } from '../../live/public-question.ts'
import type { SharedQuestion } from '../shared-answers.ts'
import { generatedAt, inWorld, type QuestionDeps } from '../shared-questions.ts'

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

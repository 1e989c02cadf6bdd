import type { CreatorAnswer, CreatorQuestion } from '../../contracts/crm.ts'
import { AppError } from '../../contracts/errors.ts'
import type { Platform } from '../../contracts/ids.ts'
import type { Db } from '../../core/db/port.ts'
import { PlatformError } from '../../platforms/port.ts'
import { type AskDeps, askPlatform, keepPublic, NoRoom, notOffered, type PollDeps } from './poll-request.ts'
import { type OperatorKeys, publicAskerFor } from './poll-rows.ts'
import { creatorItems, sourceOf } from './reading-items.ts'

export interface FindCreatorDeps extends AskDeps, Pick<PollDeps, 'writer' | 'log'> {
  readonly db: Db
  readonly operator: OperatorKeys
  readonly isOperatorAmended: boolean
}

/** What it would take to ask, where nothing is there to ask with. */
const lacking: Readonly<Record<Platform, string>> = {
  youtube: 'YouTube is not asked: save an API key, or link a channel.',
  tiktok: 'TikTok tells nothing of the accounts of others: link the account if it is yours.',
  instagram: 'Instagram is not asked: link an account with Facebook Login, which alone sees others.',
}
const names: Readonly<Record<Platform, string>> = { youtube: 'YouTube', tiktok: 'TikTok', instagram: 'Instagram' }

/**
 * Asks a platform for somebody's public account, now: one request, within the quota of the operator's key or else of the
 * user's own credentials. What it says is kept like any other public reading, so the creator has a name at once.
 * @returns why not, as a sentence, when there is nobody or nothing to ask with; never rejects for what a platform does
 */
export async function findCreator(
  deps: FindCreatorDeps,
  { ownerId, platform, ref }: CreatorQuestion,
): Promise<CreatorAnswer> {
  const asker = await publicAskerFor(deps.db, { ...deps, ownerId, platform })
  if (asker === null) return { found: null, isUnknown: false, reason: lacking[platform] }
  try {
    const account = await askPlatform(deps, asker, 'creator', (data, access) => {
      if (data.creator === null) throw notOffered(asker, 'creator')
      return data.creator(access, ref, asker.viaId)
    })
    await keepPublic(deps, creatorItems(account, sourceOf(asker)))
    return { found: { creatorId: account.creatorId, handle: account.handle } }
  } catch (error) {
    return answerFor(platform, error)
  }
}

function answerFor(platform: Platform, error: unknown): CreatorAnswer {
  if (error instanceof NoRoom) {
    const until = new Date(error.retryAtMs).toISOString().slice(0, 16).replace('T', ' ')
    return {
      found: null,
      isUnknown: false,
      reason: `${error.message} ${names[platform]} can be asked at ${until} UTC.`,
    }
  }
  if (error instanceof PlatformError) {
    const isUnknown = error.class === 'not_found' || error.class === 'bad_request'
    return { found: null, isUnknown, reason: isUnknown ? `${names[platform]} has nobody by that name.` : error.message }
  }
  if (error instanceof AppError) return { found: null, isUnknown: false, reason: error.message }
  throw error
}

import { type OwnClippers, readOwnClippers } from '../../../analytics/copies/clippers.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import type { Log } from '../../../core/log.ts'
import type { Principal } from '../../auth/authenticator.ts'
import type { ServerDeps } from '../../deps.ts'
import { KeptByUser } from '../../kept-by-user.ts'
import type { Change } from '../../live/source.ts'
import { vodsMax } from '../vods/service.ts'
import { realContext } from './service.ts'

/** Media that is gone, and what another node missed, is known within this. */
const keptMs = 5_000
const usersMax = 10_000

/** The clipper counts of each user, for the questions that they ask. */
export class ClipperDesk {
  readonly #kept: KeptByUser<OwnClippers | null>
  readonly #log: Log

  constructor(deps: Pick<ServerDeps, 'db' | 'store' | 'clock' | 'niches' | 'log'>) {
    const { clock, log } = deps
    this.#log = log
    this.#kept = new KeptByUser({ clock, keptMs, usersMax, read: owner => ownClippersOf(deps, owner) })
  }

  /** Null: the user has no media of which copies are known. At most five seconds old. */
  async of(userId: UserId): Promise<OwnClippers | null> {
    return await this.#kept.get(userId)
  }

  /** Something happened: where it was work on media of a user, what was known of it is asked anew. */
  note(change: Change): void {
    const userId = change.kind === 'media' ? UserIdSchema.parse(change.userId) : null
    if (userId !== null && this.#kept.expire(userId)) void this.learn(userId)
  }

  /** Asks, so that `has` knows. Never rejects. */
  async learn(userId: UserId): Promise<void> {
    await this.of(userId).catch(err => this.#log.debug({ err }, 'The clipper counts of a user could not be read.'))
  }

  /** Whether there are any, as was known last; asks anew behind. */
  has(userId: UserId): boolean {
    void this.learn(userId)
    return this.#kept.known(userId) !== null
  }
}

/** Whose clipper counts the answers to a principal hold: none for a key that may not read VODs, and for services. */
export function clipperOwner(principal: Pick<Principal, 'userId' | 'scopes' | 'isService'>): UserId | null {
  const mayReadVods = principal.scopes === 'all' || principal.scopes.includes('vods:read')
  return mayReadVods && !principal.isService ? principal.userId : null
}

async function ownClippersOf(
  deps: Pick<ServerDeps, 'db' | 'store' | 'clock' | 'niches'>,
  owner: UserId,
): Promise<OwnClippers | null> {
  const rows = await deps.db.asUser(owner, trx =>
    trx.selectFrom('vods').select(['vod_id', 'creator_id']).where('owner_id', '=', owner).limit(vodsMax).execute(),
  )
  if (rows.length === 0) return null
  const vods = rows.map(row => ({ vodId: row.vod_id, creatorId: row.creator_id }))
  return await readOwnClippers(realContext(deps), owner, vods)
}

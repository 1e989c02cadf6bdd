import { sql, type Transaction } from 'kysely'
import { knownByHandle, searchCreators } from '../../../analytics/measures/library.ts'
import { type ListedCreator, type Monitored, type MonitorRequest, monitoredMax } from '../../../contracts/crm.ts'
import { AppError } from '../../../contracts/errors.ts'
import {
  type CreatorId,
  CreatorIdSchema,
  creatorId,
  type Platform,
  PlatformSchema,
  platforms,
  splitId,
  type UserId,
} from '../../../contracts/ids.ts'
import type { CreatorSearchParams } from '../../../contracts/measures.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { CreatorRef, CredentialKind } from '../../../platforms/port.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { measureContext } from '../measure-context.ts'

type Deps = Pick<ServerDeps, 'db' | 'store' | 'world' | 'niches' | 'platforms'>

/** Any kind of a platform reads names of creators in the same way. */
const kindOf: Readonly<Record<Platform, CredentialKind>> = {
  youtube: 'google',
  tiktok: 'tiktok_desktop',
  instagram: 'instagram_login',
}

/** The creators that a user watches, the newest first. */
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
  return rows.map(row => creatorId(PlatformSchema.parse(row.platform), row.creator_id))
}

/**
 * Creators by a part of their name, each with whether the caller watches it.
 * @param params.monitored only those that the caller watches, or only the others
 */
export async function listCreators(
  deps: Deps,
  caller: Caller,
  { monitored, ...params }: CreatorSearchParams & { monitored?: 'true' | 'false' | undefined },
): Promise<{ rows: ListedCreator[]; nextCursor: string | null }> {
  // A service key watches nobody.
  const watched = caller.principal?.isService ? [] : await monitoredCreators(deps, ownerOf(caller))
  const among = monitored === undefined ? undefined : { creators: watched, isIn: monitored === 'true' }
  const page = await searchCreators(measureContext(deps), params, among)
  const ids: ReadonlySet<string> = new Set(watched)
  return {
    rows: page.rows.map(row => ({ ...row, monitored: ids.has(row.creatorId) })),
    nextCursor: page.nextCursor,
  }
}

/**
 * Watches a creator.
 * @throws AppError BAD_REQUEST when the text names no creator, or could be one of several platforms; NOT_FOUND for a name
 *   that no source has read; CONFLICT when the user watches the most that one may
 */
export async function monitorCreator(deps: Deps, caller: Caller, request: MonitorRequest): Promise<Monitored> {
  const userId = ownerOf(caller)
  const id = await creatorOf(deps, request)
  const { platform, nativeId } = splitId(id)
  const isNew = await deps.db.asUser(userId, async trx => {
    await lockList(trx, userId)
    const added = await trx
      .insertInto('monitored_creators')
      .values({ owner_id: userId, platform, creator_id: nativeId })
      .onConflict(conflict => conflict.doNothing())
      .returning('creator_id')
      .executeTakeFirst()
    if (added) await assertRoom(trx, userId)
    return added !== undefined
  })
  const among = { creators: [id], isIn: true }
  const params = { search: '', platform: 'all' as const, limit: 1 }
  const [row] = (await searchCreators(measureContext(deps), params, among)).rows
  if (!row) throw new Error('A search among named creators finds each of them.')
  return { creator: { ...row, monitored: true }, isNew }
}

/** Watches a creator no longer; nothing happens when it was not watched. */
export async function unmonitorCreator(deps: { db: Db }, caller: Caller, id: CreatorId): Promise<void> {
  const userId = ownerOf(caller)
  const { platform, nativeId } = splitId(id)
  await deps.db.asUser(userId, trx =>
    trx
      .deleteFrom('monitored_creators')
      .where('owner_id', '=', userId)
      .where('platform', '=', platform)
      .where('creator_id', '=', nativeId)
      .execute(),
  )
}

/** One change at a time for each user, so that two requests at once stay within the limit. */
async function lockList(trx: Transaction<Database>, userId: UserId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`monitored_creators:${userId}`}, 0))`.execute(trx)
}

async function assertRoom(trx: Transaction<Database>, userId: UserId): Promise<void> {
  const { count } = await trx
    .selectFrom('monitored_creators')
    .select(eb => eb.fn.countAll<string>().as('count'))
    .where('owner_id', '=', userId)
    .executeTakeFirstOrThrow()
  if (Number(count) <= monitoredMax) return
  throw new AppError('CONFLICT', `You watch ${monitoredMax} creators, the most there may be: leave one first.`)
}

async function creatorOf(deps: Deps, { creator, platform }: MonitorRequest): Promise<CreatorId> {
  const text = creator.trim()
  const known = await knownId(deps, text)
  if (known !== null && (platform === undefined || known.startsWith(`${platform}:`))) return known
  const named = (platform === undefined ? platforms : [platform]).flatMap(one => {
    const ref = deps.platforms.data(kindOf[one]).parseCreator(text)
    return ref ? [{ platform: one, ref }] : []
  })
  if (named.length === 0) {
    throw new AppError(
      'BAD_REQUEST',
      'This names no creator: send the address of a channel or profile, an @handle, or an id such as youtube:UC….',
      { details: { field: 'creator' } },
    )
  }
  const byId = named.find(one => one.ref.by === 'id')
  if (byId) return creatorId(byId.platform, byId.ref.value)
  return await creatorByName(deps, text, named)
}

/** An id as Cliptape writes it that some source has named. */
async function knownId(deps: Deps, text: string): Promise<CreatorId | null> {
  const id = CreatorIdSchema.safeParse(text)
  if (!id.success || !text.isWellFormed()) return null
  const among = { creators: [id.data], isIn: true, isNamed: true }
  const { rows } = await searchCreators(measureContext(deps), { search: '', platform: 'all', limit: 1 }, among)
  return rows.length === 0 ? null : id.data
}

async function creatorByName(
  deps: Deps,
  text: string,
  named: readonly { platform: Platform; ref: CreatorRef }[],
): Promise<CreatorId> {
  const handles = named.map(({ platform, ref }) => ({ platform, handle: ref.value }))
  const found = await knownByHandle(measureContext(deps), handles)
  const [one] = found
  if (one === undefined) {
    throw new AppError(
      'NOT_FOUND',
      `No source has read a creator by the handle of ${text} yet: send its id, e.g. youtube:UC… or the address with /channel/.`,
      { details: { field: 'creator' } },
    )
  }
  if (found.length === 1) return one
  throw new AppError('BAD_REQUEST', `Several creators go by that name (${found.join(', ')}): send the id of one.`, {
    details: { field: 'creator', creators: found },
  })
}

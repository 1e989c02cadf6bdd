import { sql, type Transaction } from 'kysely'
import { RateLimiterRes } from 'rate-limiter-flexible'
import { knownByHandle, searchCreators } from '../../../analytics/measures/library.ts'
import {
  type CreatorAnswer,
  type CreatorQuestion,
  type ListedCreator,
  type Monitored,
  type MonitorRequest,
  monitoredMax,
} from '../../../contracts/crm.ts'
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

type Deps = Pick<ServerDeps, 'db' | 'store' | 'world' | 'niches' | 'platforms' | 'findCreator' | 'keyValue' | 'log'>

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
 * Watches a creator. One that nothing has read yet is asked for at its platform.
 * @throws AppError BAD_REQUEST when the text names no creator, or could be one of several; NOT_FOUND when no platform has
 *   it; CONFLICT when none could be asked, or the user watches the most that one may
 */
export async function monitorCreator(deps: Deps, caller: Caller, request: MonitorRequest): Promise<Monitored> {
  const userId = ownerOf(caller)
  const { id, handle } = await creatorOf(deps, userId, request)
  const { platform, nativeId } = splitId(id)
  if (platform === 'instagram' && handle === '')
    throw new AppError('BAD_REQUEST', 'Instagram finds others by their name alone: send the address or the @handle.', {
      details: { field: 'creator' },
    })
  const isNew = await deps.db.asUser(userId, async trx => {
    await lockList(trx, userId)
    const added = await trx
      .insertInto('monitored_creators')
      .values({ owner_id: userId, platform, creator_id: nativeId, handle })
      .onConflict(conflict => conflict.doNothing())
      .returning('creator_id')
      .executeTakeFirst()
    if (added) await assertRoom(trx, userId)
    else await keepHandle(trx, userId, { platform, nativeId, handle })
    return added !== undefined
  })
  const row = await listedRow(deps, id)
  if (!row) throw new Error('A search among named creators finds each of them.')
  return { creator: { ...row, monitored: true }, isNew }
}

/** Who was renamed is looked for by the new name. */
async function keepHandle(
  trx: Transaction<Database>,
  userId: UserId,
  { platform, nativeId, handle }: { platform: Platform; nativeId: string; handle: string },
): Promise<void> {
  if (handle === '') return
  await trx
    .updateTable('monitored_creators')
    .set({ handle })
    .where('owner_id', '=', userId)
    .where('platform', '=', platform)
    .where('creator_id', '=', nativeId)
    .execute()
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

/** Who is meant; `handle` where the platform finds others by it alone. */
interface Meant {
  readonly id: CreatorId
  readonly handle: string
}

interface Named {
  readonly platform: Platform
  readonly ref: CreatorRef
}

async function creatorOf(deps: Deps, userId: UserId, { creator, platform }: MonitorRequest): Promise<Meant> {
  const text = creator.trim()
  const known = await knownId(deps, text)
  if (known !== null && (platform === undefined || known.id.startsWith(`${platform}:`))) return known
  const named = (platform === undefined ? platforms : [platform]).flatMap((one): Named[] => {
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
  if (byId) return await creatorById(deps, userId, byId)
  return await creatorByName(deps, userId, text, named)
}

/** An id as Cliptape writes it that some source has named. */
async function knownId(deps: Deps, text: string): Promise<Meant | null> {
  const id = CreatorIdSchema.safeParse(text)
  if (!id.success || !text.isWellFormed()) return null
  const row = await listedRow(deps, id.data, true)
  return row ? meant(id.data, row.handle) : null
}

/** One of named creators. @param isNamed only if some source has named it */
async function listedRow(deps: Deps, id: CreatorId, isNamed = false) {
  const among = { creators: [id], isIn: true, isNamed }
  const params = { search: '', platform: 'all' as const, limit: 1 }
  return (await searchCreators(measureContext(deps), params, among)).rows[0]
}

/** Those whom Instagram must be asked for by name keep it. */
function meant(id: CreatorId, handle: string): Meant {
  return { id, handle: splitId(id).platform === 'instagram' ? handle : '' }
}

/** Questions of one user within an hour: the operator's key is everybody's. */
const findsPerHour = 60

async function find(deps: Deps, question: CreatorQuestion): Promise<CreatorAnswer> {
  const limiter = deps.keyValue.limiter({ name: 'creators.find', points: findsPerHour, durationSec: 3600 })
  try {
    await limiter.consume(question.ownerId)
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) {
      const minutes = Math.ceil(refusal.msBeforeNext / 60_000)
      const reason = `You have looked for ${findsPerHour} creators within an hour: wait ${minutes} min, or send an id.`
      return { found: null, isUnknown: false, reason }
    }
    deps.log.warn({ err: refusal }, 'Questions for creators are not counted: the store of the counts does not answer.')
  }
  return await deps.findCreator(question)
}

/** An id says who is meant also where the platform cannot be asked; who is not there is not watched. */
async function creatorById(deps: Deps, userId: UserId, { platform, ref }: Named): Promise<Meant> {
  const answer = await find(deps, { ownerId: userId, platform, ref })
  if (answer.found) return meant(creatorId(platform, answer.found.creatorId), answer.found.handle)
  if (answer.isUnknown) throw new AppError('NOT_FOUND', answer.reason, { details: { field: 'creator' } })
  return { id: creatorId(platform, ref.value), handle: '' }
}

/** Creators that were read before, or else those that the platforms have now. */
async function creatorByName(deps: Deps, userId: UserId, text: string, named: readonly Named[]): Promise<Meant> {
  const handles = named.map(({ platform, ref }) => ({ platform, handle: ref.value }))
  const known = await knownByHandle(measureContext(deps), handles)
  const found = known.map(id => meant(id, handles.find(one => id.startsWith(`${one.platform}:`))?.handle ?? ''))
  const [one, another] = found.length > 0 ? found : await askedByName(deps, userId, text, named)
  if (one && !another) return one
  const creators = (found.length > 0 ? found : [one, another].filter(each => each !== undefined)).map(each => each.id)
  throw new AppError('BAD_REQUEST', `Several creators go by that name (${creators.join(', ')}): send the id of one.`, {
    details: { field: 'creator', creators },
  })
}

async function askedByName(deps: Deps, userId: UserId, text: string, named: readonly Named[]): Promise<Meant[]> {
  const answers = await Promise.all(
    named.map(async ({ platform, ref }) => ({
      platform,
      answer: await find(deps, { ownerId: userId, platform, ref }),
    })),
  )
  const found = answers.flatMap(({ platform, answer }) =>
    answer.found ? [meant(creatorId(platform, answer.found.creatorId), answer.found.handle)] : [],
  )
  if (found.length > 0) return found
  const reasons = answers.flatMap(({ answer }) => (answer.found ? [] : [answer.reason]))
  const isUnknown = answers.every(({ answer }) => !answer.found && answer.isUnknown)
  throw new AppError(
    isUnknown ? 'NOT_FOUND' : 'CONFLICT',
    `Nobody was found by the name ${text}. ${reasons.join(' ')}`,
    { details: { field: 'creator' } },
  )
}

import { type Selectable, sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { type WatchedSubject, watchedRows } from '../../../analytics/measures/watched.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import { periods, trendTypes } from '../../../contracts/measures.ts'
import {
  type WatchItem,
  type WatchItemChange,
  type WatchItemRequest,
  type Watchlist,
  type WatchlistQuery,
  type WatchlistRequest,
  type WatchRow,
  type WatchSubject,
  watchColumns,
  watchItemsMax,
  watchlistsMax,
} from '../../../contracts/watchlists.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { assertVersion } from '../../http/version-tag.ts'
import { measureContext } from '../measure-context.ts'

type Trx = Transaction<Database>
type ListRow = Selectable<Database['watchlists']>
export type WatchlistDeps = Pick<ServerDeps, 'db' | 'bus' | 'clock' | 'log'>

/** @throws AppError CONFLICT when the user has the most lists, or one of that name */
export async function createWatchlist(
  deps: WatchlistDeps,
  caller: Caller,
  { items = [], ...request }: WatchlistRequest,
): Promise<Watchlist> {
  const userId = ownerOf(caller)
  const now = new Date(deps.clock.nowMs())
  const list = await deps.db.asUser(userId, async trx => {
    await takeTurn(trx, userId)
    const { count } = await trx
      .selectFrom('watchlists')
      .select(({ fn }) => fn.countAll<string>().as('count'))
      .where('owner_id', '=', userId)
      .executeTakeFirstOrThrow()
    if (Number(count) >= watchlistsMax)
      throw new AppError('CONFLICT', `You have ${watchlistsMax} watchlists, the most there may be: delete one first.`)
    await assertNameIsFree(trx, userId, request.name, null)
    const row = await trx
      .insertInto('watchlists')
      .values({ owner_id: userId, ...request, created_at: now, updated_at: now })
      .returningAll()
      .executeTakeFirstOrThrow()
    await putItems(trx, userId, row.id, items, now)
    return await wholeList(trx, userId, row)
  })
  await tellOfChange(deps, userId)
  return list
}

/** A user's watchlists, by name. */
export async function listWatchlists(
  deps: WatchlistDeps,
  caller: Caller,
): Promise<(Omit<Watchlist, 'items'> & { itemCount: number })[]> {
  const userId = ownerOf(caller)
  return await deps.db.asUser(userId, async trx => {
    const rows = await trx
      .selectFrom('watchlists')
      .selectAll()
      .select(eb =>
        eb
          .selectFrom('watchlist_items')
          .select(({ fn }) => fn.countAll<string>().as('count'))
          .whereRef('watchlist_items.watchlist_id', '=', 'watchlists.id')
          .as('item_count'),
      )
      .where('owner_id', '=', userId)
      .orderBy(sql`lower(name)`)
      .limit(watchlistsMax)
      .execute()
    return rows.map(row => ({ ...fromRow(row), itemCount: Number(row.item_count) }))
  })
}

/** @throws AppError NOT_FOUND */
export async function getWatchlist(deps: WatchlistDeps, caller: Caller, id: string): Promise<Watchlist> {
  const userId = ownerOf(caller)
  return await deps.db.asUser(userId, async trx => wholeList(trx, userId, await listOf(trx, userId, id)))
}

/**
 * Puts another name, columns, window and, where they are given, items in the place of a list's.
 * @throws AppError NOT_FOUND; PRECONDITION_FAILED; CONFLICT for a name that another list has
 */
export async function changeWatchlist(
  deps: WatchlistDeps,
  caller: Caller,
  id: string,
  { ifMatch, items, ...request }: WatchlistRequest & { readonly ifMatch: string | undefined },
): Promise<Watchlist> {
  return await change(deps, caller, id, async (trx, userId, known, now) => {
    assertVersion(ifMatch, known.version, 'watchlist')
    await assertNameIsFree(trx, userId, request.name, id)
    await trx.updateTable('watchlists').set(request).where('id', '=', id).execute()
    if (items === undefined) return
    const before = await itemsOf(trx, userId, id)
    await trx.deleteFrom('watchlist_items').where('watchlist_id', '=', id).where('owner_id', '=', userId).execute()
    const added = new Map(before.map(item => [keyOf(item), item.addedAt]))
    await putItems(
      trx,
      userId,
      id,
      items.map(item => ({ ...item, addedAt: added.get(keyOf(item)) })),
      now,
    )
  })
}

/** Removes a list with what stands on it. @throws AppError NOT_FOUND */
export async function deleteWatchlist(deps: WatchlistDeps, caller: Caller, id: string): Promise<void> {
  const userId = ownerOf(caller)
  await deps.db.asUser(userId, async trx => {
    await listOf(trx, userId, id)
    await trx.deleteFrom('watchlists').where('id', '=', id).where('owner_id', '=', userId).execute()
  })
  await tellOfChange(deps, userId)
}

/** Puts a subject at the end of a list; one that stands there already gets the note. @throws AppError NOT_FOUND; CONFLICT when the list is full */
export async function addWatchItem(
  deps: WatchlistDeps,
  caller: Caller,
  id: string,
  item: WatchItemRequest,
): Promise<Watchlist> {
  return await change(deps, caller, id, (trx, userId, _known, now) => putAtEnd(trx, userId, id, { ...item, now }))
}

/** Another note, place or list for one item. @throws AppError NOT_FOUND; CONFLICT when the other list is full */
export async function changeWatchItem(
  deps: WatchlistDeps,
  caller: Caller,
  id: string,
  { type, id: subjectId, note, position, watchlistId }: WatchItemChange,
): Promise<Watchlist> {
  return await change(deps, caller, id, async (trx, userId, _known, now) => {
    const items = await itemsOf(trx, userId, id)
    const item = items.find(one => one.type === type && one.id === subjectId)
    if (!item) throw noSuchItem()
    const changed = { ...item, note: note ?? item.note }
    if (watchlistId !== undefined && watchlistId !== id) {
      await listOf(trx, userId, watchlistId, { isLocked: true })
      await putAtEnd(trx, userId, watchlistId, { ...changed, now })
      await removeRow(trx, userId, id, item)
      await bumpVersion(trx, watchlistId, now)
      return
    }
    const others = items.filter(one => one !== item)
    await placeItems(trx, id, others.toSpliced(position ?? items.indexOf(item), 0, changed))
  })
}

/** @throws AppError NOT_FOUND */
export async function removeWatchItem(
  deps: WatchlistDeps,
  caller: Caller,
  id: string,
  subject: WatchSubject,
): Promise<Watchlist> {
  return await change(deps, caller, id, async (trx, userId) => {
    if (!(await removeRow(trx, userId, id, subject))) throw noSuchItem()
  })
}

/**
 * What stands on a list, each with its numbers; nothing for somebody who has no list and names none.
 * @throws AppError NOT_FOUND; UNAVAILABLE while one world goes
 */
export async function watchlistRows(
  deps: Pick<ServerDeps, 'db' | 'store' | 'world' | 'niches'>,
  userId: UserId,
  asked: WatchlistQuery,
): Promise<{ rows: WatchRow[]; asOf: Date }> {
  const list = await deps.db.asUser(userId, async trx => {
    const row = await askedList(trx, userId, asked)
    return row && (await wholeList(trx, userId, row))
  })
  const items = list?.items ?? []
  const { rows, asOf } = await watchedRows(measureContext(deps), items, list?.period ?? '24h')
  return {
    rows: rows.flatMap((row, index) => {
      const item = items[index]
      return item ? [{ ...row, key: keyOf(item), type: item.type, id: item.id, note: item.note }] : []
    }),
    asOf,
  }
}

async function askedList(trx: Trx, userId: UserId, { watchlistId, name }: WatchlistQuery): Promise<ListRow | null> {
  if (watchlistId !== undefined) return await listOf(trx, userId, watchlistId)
  const row = await trx
    .selectFrom('watchlists')
    .selectAll()
    .where('owner_id', '=', userId)
    .$if(name !== undefined, query => query.where(sql`lower(name)`, '=', (name ?? '').toLowerCase()))
    .orderBy(sql`lower(name)`)
    .limit(1)
    .executeTakeFirst()
  if (!row && name !== undefined) throw new AppError('NOT_FOUND', `You have no watchlist ${name}: WL NEW begins one.`)
  return row ?? null
}

/** One change of a list and its items, alone among those of the user. */
async function change(
  deps: WatchlistDeps,
  caller: Caller,
  id: string,
  work: (trx: Trx, userId: UserId, known: ListRow, now: Date) => Promise<void>,
): Promise<Watchlist> {
  const userId = ownerOf(caller)
  const now = new Date(deps.clock.nowMs())
  const list = await deps.db.asUser(userId, async trx => {
    await takeTurn(trx, userId)
    await work(trx, userId, await listOf(trx, userId, id, { isLocked: true }), now)
    await bumpVersion(trx, id, now)
    return await wholeList(trx, userId, await listOf(trx, userId, id))
  })
  await tellOfChange(deps, userId)
  return list
}

/** One change of a user's lists at a time, so that places and counts stay right. */
async function takeTurn(trx: Trx, userId: UserId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('watchlists'), hashtext(${userId}))`.execute(trx)
}

async function bumpVersion(trx: Trx, id: string, now: Date): Promise<void> {
  await trx
    .updateTable('watchlists')
    .set(eb => ({ version: eb('version', '+', 1), updated_at: now }))
    .where('id', '=', id)
    .execute()
}

async function listOf(
  trx: Trx,
  userId: UserId,
  id: string,
  { isLocked = false }: { readonly isLocked?: boolean } = {},
): Promise<ListRow> {
  const row = await trx
    .selectFrom('watchlists')
    .selectAll()
    .where('id', '=', id)
    .where('owner_id', '=', userId)
    .limit(1)
    .$if(isLocked, query => query.forUpdate())
    .executeTakeFirst()
  if (!row) throw new AppError('NOT_FOUND', 'There is no such watchlist.')
  return row
}

async function itemsOf(trx: Trx, userId: UserId, id: string): Promise<WatchItem[]> {
  const rows = await trx
    .selectFrom('watchlist_items')
    .selectAll()
    .where('watchlist_id', '=', id)
    .where('owner_id', '=', userId)
    .orderBy('position')
    .orderBy('added_at')
    .limit(watchItemsMax)
    .execute()
  return rows.map(row => ({
    type: z.enum(trendTypes).parse(row.type),
    id: row.subject_id,
    note: row.note,
    addedAt: row.added_at.toISOString(),
  }))
}

async function assertNameIsFree(trx: Trx, userId: UserId, name: string, exceptId: string | null): Promise<void> {
  const other = await trx
    .selectFrom('watchlists')
    .select('id')
    .where('owner_id', '=', userId)
    .where(sql`lower(name)`, '=', name.toLowerCase())
    .$if(exceptId !== null, query => query.where('id', '<>', exceptId ?? ''))
    .limit(1)
    .executeTakeFirst()
  if (other) throw new AppError('CONFLICT', `You have a watchlist ${name} already: choose another name.`)
}

/** Of equal items the first stays. */
async function putItems(
  trx: Trx,
  userId: UserId,
  id: string,
  items: readonly (WatchItemRequest & { readonly addedAt?: string | undefined })[],
  now: Date,
): Promise<void> {
  const unique = [...new Map(items.toReversed().map(item => [keyOf(item), item])).values()].toReversed()
  if (unique.length === 0) return
  await trx
    .insertInto('watchlist_items')
    .values(
      unique.map((item, position) => ({
        watchlist_id: id,
        owner_id: userId,
        type: item.type,
        subject_id: item.id,
        note: item.note,
        position,
        added_at: item.addedAt ?? now,
      })),
    )
    .execute()
}

async function putAtEnd(
  trx: Trx,
  userId: UserId,
  id: string,
  { type, id: subjectId, note, now }: WatchItemRequest & { readonly now: Date },
): Promise<void> {
  const items = await itemsOf(trx, userId, id)
  const isKnown = items.some(item => item.type === type && item.id === subjectId)
  if (!isKnown && items.length >= watchItemsMax)
    throw new AppError('CONFLICT', `A watchlist holds ${watchItemsMax} rows at most: remove some, or begin another.`)
  await trx
    .insertInto('watchlist_items')
    .values({
      watchlist_id: id,
      owner_id: userId,
      type,
      subject_id: subjectId,
      note,
      position: items.length,
      added_at: now,
    })
    .onConflict(conflict =>
      note === ''
        ? conflict.doNothing()
        : conflict.columns(['watchlist_id', 'type', 'subject_id']).doUpdateSet({ note }),
    )
    .execute()
}

/** Writes the places of all items, and their notes. */
async function placeItems(trx: Trx, id: string, items: readonly WatchItem[]): Promise<void> {
  for (const [position, item] of items.entries())
    await trx
      .updateTable('watchlist_items')
      .set({ position, note: item.note })
      .where('watchlist_id', '=', id)
      .where('type', '=', item.type)
      .where('subject_id', '=', item.id)
      .execute()
}

async function removeRow(trx: Trx, userId: UserId, id: string, subject: WatchedSubject): Promise<boolean> {
  const { numDeletedRows } = await trx
    .deleteFrom('watchlist_items')
    .where('watchlist_id', '=', id)
    .where('owner_id', '=', userId)
    .where('type', '=', subject.type)
    .where('subject_id', '=', subject.id)
    .executeTakeFirst()
  return numDeletedRows > 0n
}

function noSuchItem(): AppError {
  return new AppError('NOT_FOUND', 'This does not stand on the watchlist.')
}

function keyOf({ type, id }: WatchedSubject): string {
  return `${type} ${id}`
}

async function wholeList(trx: Trx, userId: UserId, row: ListRow): Promise<Watchlist> {
  return { ...fromRow(row), items: await itemsOf(trx, userId, row.id) }
}

function fromRow(row: ListRow): Omit<Watchlist, 'items'> {
  return {
    id: row.id,
    name: row.name,
    columns: z.array(z.enum(watchColumns)).parse(row.columns),
    period: z.enum(periods).parse(row.period),
    version: row.version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}

/** Whoever watches a list sees the change at once, on whichever node. */
async function tellOfChange({ bus, log }: WatchlistDeps, userId: UserId): Promise<void> {
  await bus
    .publish('watchlists.changed', { userId })
    .catch(err => log.warn({ err }, 'The bus does not answer: a changed watchlist is shown a little later.'))
}

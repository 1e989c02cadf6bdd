import type { Readable } from 'node:stream'
import { type Selectable, sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import {
  type QueryDiff,
  type QueryFormat,
  type QueryParams,
  type QueryVersion,
  queryVersionsMax,
  type SavedParameter,
  SavedParameterSchema,
  type SavedQuery,
  type SavedQueryListParams,
  type SavedQueryRequest,
  savedQueriesMax,
} from '../../../contracts/queries.ts'
import type { Database } from '../../../core/db/schema.ts'
import { sqlStateOf, uniqueViolation } from '../../../core/db/sql-errors.ts'
import type { SqlGate } from '../../../core/sql-gate/gate.ts'
import { parameterLiteral } from '../../../core/sql-gate/placeholders.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { nextInstantCursor, readInstantCursor } from '../../http/instant-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { assertVersion } from '../../http/version-tag.ts'
import { recordAudit } from '../audit/record.ts'
import { type AskedQuery, type QueryDeps, streamQuery } from '../query/service.ts'
import { diffLines } from './line-diff.ts'

type Trx = Transaction<Database>
type Row = Selectable<Database['saved_queries']>
type SavedQueryDeps = Pick<ServerDeps, 'db' | 'gate' | 'clock'>

/** What a request says, with what the gate has found out about it. */
interface CheckedContent {
  readonly name: string
  readonly description: string
  readonly sql: string
  readonly parameters: readonly SavedParameter[]
  readonly tables: readonly string[]
}

/**
 * Saves a query. Its SQL is looked at, not run.
 *
 * @throws AppError QUERY_REFUSED or QUERY_FAILED for the SQL; BAD_REQUEST for a parameter that it does not have, or a
 *   default that does not fit; CONFLICT for a name that another query of the user has, or when they have the most there
 *   may be
 */
export async function createQuery(
  deps: SavedQueryDeps,
  caller: Caller,
  request: SavedQueryRequest,
): Promise<SavedQuery> {
  const userId = ownerOf(caller)
  const content = await checkContent(deps.gate, request)
  return await namedOnce(request.name, () =>
    deps.db.asUser(userId, async trx => {
      await takeTurn(trx, userId)
      const { count } = await trx
        .selectFrom('saved_queries')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .where('owner_id', '=', userId)
        .executeTakeFirstOrThrow()
      if (Number(count) >= savedQueriesMax)
        throw new AppError('CONFLICT', `You have ${savedQueriesMax} queries, the most there may be: delete one first.`)
      const now = new Date(deps.clock.nowMs())
      const row = await trx
        .insertInto('saved_queries')
        .values({
          ...columnsOf(content),
          owner_id: userId,
          visibility: request.visibility,
          created_at: now,
          updated_at: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow()
      await keepVersion(trx, row)
      await audit(trx, { userId, caller }, 'query.created', row)
      return fromRow(row, userId)
    }),
  )
}

/** One's own queries, those of others that are public, or both; newest change first. */
export async function listQueries(
  deps: SavedQueryDeps,
  caller: Caller,
  { which, search, limit, cursor }: SavedQueryListParams,
): Promise<{ data: SavedQuery[]; nextCursor?: string }> {
  const userId = ownerOf(caller)
  const after = readInstantCursor(cursor)
  const found = await deps.db.system
    .selectFrom('saved_queries')
    .selectAll()
    // Of the application's own role: whose rows the user may see, this condition says.
    .where(({ or, and, eb }) => {
      const own = eb('owner_id', '=', userId)
      const published = and([eb('visibility', '=', 'public'), eb('owner_id', '<>', userId)])
      return which === 'own' ? own : which === 'public' ? published : or([own, published])
    })
    .$if(search !== '', query =>
      query.where(sql<boolean>`position(lower(${search}) in lower(name || ' ' || description)) > 0`),
    )
    .$if(after !== null, query =>
      query.where(
        sql<boolean>`(updated_at, id::text) < (${new Date(after?.createdAtMs ?? 0)}::timestamptz, ${after?.id ?? ''})`,
      ),
    )
    .orderBy('updated_at', 'desc')
    .orderBy(sql`id::text`, 'desc')
    .limit(limit + 1)
    .execute()
  const data = found.slice(0, limit).map(row => fromRow(row, userId))
  const page = { rows: data.map(({ id, updatedAt }) => ({ id, createdAt: updatedAt })), hasMore: found.length > limit }
  return { data, ...nextInstantCursor(page, ({ id }) => id) }
}

/**
 * A query that the user may see: their own, or one that is shared or public.
 * @throws AppError NOT_FOUND, also for one that its owner keeps private
 */
export async function findSavedQuery(
  { db }: Pick<SavedQueryDeps, 'db'>,
  userId: UserId,
  id: string,
): Promise<SavedQuery> {
  const row = await db.system
    .selectFrom('saved_queries')
    .selectAll()
    .where('id', '=', id)
    .where(({ or, eb }) => or([eb('owner_id', '=', userId), eb('visibility', 'in', ['shared', 'public'])]))
    .limit(1)
    .executeTakeFirst()
  if (!row) throw noSuchQuery()
  return fromRow(row, userId)
}

/**
 * The same by its id, or by the name of one of the user's own.
 * @throws AppError NOT_FOUND
 */
export async function findQueryByName(
  { db }: Pick<SavedQueryDeps, 'db'>,
  userId: UserId,
  nameOrId: string,
): Promise<SavedQuery> {
  if (z.uuid().safeParse(nameOrId).success) return await findSavedQuery({ db }, userId, nameOrId)
  const row = await db.asUser(userId, trx =>
    trx
      .selectFrom('saved_queries')
      .selectAll()
      .where('owner_id', '=', userId)
      .where(sql<boolean>`lower(name) = lower(${nameOrId})`)
      .limit(1)
      .executeTakeFirst(),
  )
  if (!row) throw noSuchQuery()
  return fromRow(row, userId)
}

/**
 * Replaces a query of one's own by what the request says, as its next version.
 *
 * @param change.ifMatch the header, as it came
 * @throws AppError as `createQuery`; NOT_FOUND; PRECONDITION_FAILED
 */
export async function changeQuery(
  deps: SavedQueryDeps,
  caller: Caller,
  change: { id: string; request: SavedQueryRequest; ifMatch: string | undefined },
): Promise<SavedQuery> {
  const { id, request, ifMatch } = change
  const content = await checkContent(deps.gate, request)
  return await writeVersion(deps, caller, { id, ifMatch, content: () => content, visibility: request.visibility })
}

/** Removes a query of one's own with all its versions. @throws AppError NOT_FOUND; PRECONDITION_FAILED */
export async function deleteQuery(
  deps: SavedQueryDeps,
  caller: Caller,
  { id, ifMatch }: { id: string; ifMatch: string | undefined },
): Promise<void> {
  const userId = ownerOf(caller)
  await deps.db.asUser(userId, async trx => {
    const row = await lockedRow(trx, userId, id)
    assertVersion(ifMatch, row.version, 'query')
    await trx.deleteFrom('saved_queries').where('id', '=', id).where('owner_id', '=', userId).execute()
    await audit(trx, { userId, caller }, 'query.deleted', row)
  })
}

/** What a query of one's own has said so far, newest first. @throws AppError NOT_FOUND */
export async function listVersions(deps: SavedQueryDeps, caller: Caller, id: string): Promise<QueryVersion[]> {
  const userId = ownerOf(caller)
  const rows = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('query_versions')
      .selectAll()
      .where('query_id', '=', id)
      .where('owner_id', '=', userId)
      .orderBy('version', 'desc')
      .limit(queryVersionsMax)
      .execute(),
  )
  if (rows.length === 0) throw noSuchQuery()
  return rows.map(fromVersionRow)
}

/** How one version of a query of one's own became another. @throws AppError NOT_FOUND */
export async function diffVersions(
  deps: SavedQueryDeps,
  caller: Caller,
  { id, from, to }: { id: string; from: number; to: number },
): Promise<QueryDiff> {
  const userId = ownerOf(caller)
  const [before, after] = await deps.db.asUser(userId, async trx => [
    await versionOf(trx, userId, { id, version: from }),
    await versionOf(trx, userId, { id, version: to }),
  ])
  const isChanged = (field: 'name' | 'description' | 'parameters') =>
    JSON.stringify(before[field]) !== JSON.stringify(after[field])
  return {
    from,
    to,
    fields: (['name', 'description', 'parameters'] as const).filter(isChanged),
    lines: diffLines(before.sql, after.sql),
  }
}

/**
 * Says again what a version said, as the next one.
 * @throws AppError NOT_FOUND; PRECONDITION_FAILED; CONFLICT when another query has its name by now
 */
export async function restoreVersion(
  deps: SavedQueryDeps,
  caller: Caller,
  { id, version, ifMatch }: { id: string; version: number; ifMatch: string | undefined },
): Promise<SavedQuery> {
  const userId = ownerOf(caller)
  const wanted = await deps.db.asUser(userId, trx => versionOf(trx, userId, { id, version }))
  const { tables } = await deps.gate.check(wanted.sql)
  return await writeVersion(deps, caller, { id, ifMatch, content: () => ({ ...wanted, tables }), visibility: null })
}

/**
 * Runs a query that the user may see, as the user: `mine` shows their own rows, and the limits are theirs.
 *
 * @param asked.params what is missing has the default that was saved
 * @throws AppError NOT_FOUND; else as `streamQuery`
 */
export async function streamSavedQuery(
  deps: QueryDeps & Pick<ServerDeps, 'db'>,
  asked: Omit<AskedQuery, 'sql'> & { readonly id: string; readonly format: QueryFormat },
): Promise<Readable> {
  const { id, ...rest } = asked
  const query = await findSavedQuery(deps, asked.userId, id)
  return await streamQuery(deps, { ...rest, ...filledQuery(query, asked.params) })
}

/** The SQL of a saved query with a value for each parameter that has one: that given, else its default. */
export function filledQuery(query: SavedQuery, params: QueryParams): { sql: string; params: QueryParams } {
  const defaults = query.parameters.flatMap(({ name, default: value }) => (value === undefined ? [] : [[name, value]]))
  return { sql: query.sql, params: { ...Object.fromEntries(defaults), ...params } }
}

async function writeVersion(
  deps: SavedQueryDeps,
  caller: Caller,
  change: {
    id: string
    ifMatch: string | undefined
    content(): CheckedContent
    /** Null: as it is. */
    visibility: SavedQuery['visibility'] | null
  },
): Promise<SavedQuery> {
  const userId = ownerOf(caller)
  const content = change.content()
  return await namedOnce(content.name, () =>
    deps.db.asUser(userId, async trx => {
      const before = await lockedRow(trx, userId, change.id)
      assertVersion(change.ifMatch, before.version, 'query')
      const row = await trx
        .updateTable('saved_queries')
        .set({
          ...columnsOf(content),
          visibility: change.visibility ?? before.visibility,
          version: before.version + 1,
          updated_at: new Date(deps.clock.nowMs()),
        })
        .where('id', '=', change.id)
        .where('owner_id', '=', userId)
        .returningAll()
        .executeTakeFirstOrThrow()
      await keepVersion(trx, row)
      await audit(trx, { userId, caller }, 'query.changed', row)
      return fromRow(row, userId)
    }),
  )
}

async function checkContent(gate: SqlGate, request: SavedQueryRequest): Promise<CheckedContent> {
  const { name, description, sql: text } = request
  const { tables, parameters } = await gate.check(text)
  const told = new Map(request.parameters.map(parameter => [parameter.name, parameter]))
  for (const { name: given } of request.parameters) {
    if (parameters.some(known => known.name === given)) continue
    throw new AppError('BAD_REQUEST', `The SQL has no parameter ${given}.`, { details: { field: given } })
  }
  const saved = parameters.map((placeholder): SavedParameter => {
    const { description: about = '', default: value } = told.get(placeholder.name) ?? {}
    if (value === undefined) return { ...placeholder, description: about }
    parameterLiteral(placeholder, value)
    return { ...placeholder, description: about, default: value }
  })
  return { name, description, sql: text, parameters: saved, tables }
}

function columnsOf({ name, description, sql: text, parameters, tables }: CheckedContent) {
  return { name, description, sql: text, parameters: JSON.stringify(parameters), tables: [...tables] }
}

/** Writes down what a row says now, and forgets the oldest version of too many. */
async function keepVersion(trx: Trx, row: Row): Promise<void> {
  await trx
    .insertInto('query_versions')
    .values({
      query_id: row.id,
      version: row.version,
      owner_id: row.owner_id,
      name: row.name,
      description: row.description,
      sql: row.sql,
      parameters: JSON.stringify(row.parameters),
      created_at: row.updated_at,
    })
    .execute()
  await trx
    .deleteFrom('query_versions')
    .where('query_id', '=', row.id)
    .where('version', '<=', row.version - queryVersionsMax)
    .execute()
}

async function lockedRow(trx: Trx, userId: UserId, id: string): Promise<Row> {
  const row = await trx
    .selectFrom('saved_queries')
    .selectAll()
    .where('id', '=', id)
    .where('owner_id', '=', userId)
    .limit(1)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw noSuchQuery()
  return row
}

async function versionOf(trx: Trx, userId: UserId, o: { id: string; version: number }): Promise<QueryVersion> {
  const row = await trx
    .selectFrom('query_versions')
    .selectAll()
    .where('query_id', '=', o.id)
    .where('version', '=', o.version)
    .where('owner_id', '=', userId)
    .limit(1)
    .executeTakeFirst()
  if (!row) throw new AppError('NOT_FOUND', `There is no version ${o.version} of such a query of yours.`)
  return fromVersionRow(row)
}

async function namedOnce<T>(name: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (cause) {
    if (sqlStateOf(cause) !== uniqueViolation) throw cause
    throw new AppError('CONFLICT', `You have a query called ${name} already: take another name.`, { cause })
  }
}

/** One creation of a user at a time: two would both find room for the last one. */
async function takeTurn(trx: Trx, userId: UserId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('saved_queries'), hashtext(${userId}))`.execute(trx)
}

async function audit(
  trx: Trx,
  { userId, caller }: { userId: UserId; caller: Caller },
  action: 'query.created' | 'query.changed' | 'query.deleted',
  { id, name, visibility, version }: Pick<Row, 'id' | 'name' | 'visibility' | 'version'>,
): Promise<void> {
  await recordAudit(trx, userId, caller, { action, target: `query:${id}`, details: { name, visibility, version } })
}

function fromRow(row: Row, userId: UserId): SavedQuery {
  return {
    id: row.id,
    version: row.version,
    name: row.name,
    description: row.description,
    sql: row.sql,
    parameters: z.array(SavedParameterSchema).parse(row.parameters),
    visibility: row.visibility,
    isOwn: row.owner_id === userId,
    tables: row.tables,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  }
}

function fromVersionRow(row: Selectable<Database['query_versions']>): QueryVersion {
  return {
    version: row.version,
    name: row.name,
    description: row.description,
    sql: row.sql,
    parameters: z.array(SavedParameterSchema).parse(row.parameters),
    createdAt: row.created_at.toISOString(),
  }
}

function noSuchQuery(): AppError {
  return new AppError('NOT_FOUND', 'There is no such query, or it is not shown to you.')
}

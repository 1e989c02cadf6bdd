import type { Selectable, Transaction } from 'kysely'
import { sql } from 'kysely'
import {
  type Board,
  type BoardChange,
  type BoardRequest,
  BoardSchema,
  type BoardSummary,
  boardsMax,
  type SavedBoard,
} from '../../../contracts/dashboards.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Visibility } from '../../../contracts/queries.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { assertVersion } from '../../http/version-tag.ts'
import { recordAudit } from '../audit/record.ts'
import { readBoardFile, writeBoardFile } from './board-file.ts'
import { builtInBoard, builtInBoards } from './built-in.ts'
import { faultError, parseBoard } from './parse-board.ts'

type Trx = Transaction<Database>
type Row = Selectable<Database['dashboards']>
type DashboardDeps = Pick<ServerDeps, 'db' | 'gate' | 'clock'>

/** A board and the file that holds it. */
interface WrittenBoard {
  readonly board: Board
  readonly file: string
}

/** Boards of others that are public, in one list. */
const publicBoardsMax = 200

/**
 * Saves a board.
 * @throws AppError BAD_REQUEST that names the panel and the field, for a file with line and column; QUERY_REFUSED or
 *   QUERY_FAILED for SQL of a panel; CONFLICT when the user has the most that one may have
 */
export async function createDashboard(deps: DashboardDeps, caller: Caller, request: BoardRequest): Promise<SavedBoard> {
  const userId = ownerOf(caller)
  const { board, file } = await requested(deps, caller, request)
  return await deps.db.asUser(userId, async trx => {
    await takeTurn(trx, userId)
    const { count } = await trx
      .selectFrom('dashboards')
      .select(({ fn }) => fn.countAll<string>().as('count'))
      .where('owner_id', '=', userId)
      .executeTakeFirstOrThrow()
    if (Number(count) >= boardsMax)
      throw new AppError('CONFLICT', `You have ${boardsMax} boards, the most there may be: delete one first.`)
    const now = new Date(deps.clock.nowMs())
    const row = await trx
      .insertInto('dashboards')
      .values({
        owner_id: userId,
        name: board.name,
        board: JSON.stringify(board),
        file,
        visibility: request.visibility,
        created_at: now,
        updated_at: now,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    await audit(trx, { userId, caller }, 'dashboard.created', row)
    return fromRow(row, userId)
  })
}

/** One's own boards, those of others that are public, and those that come with Cliptape; newest change first, the last ones last. */
export async function listDashboards(deps: DashboardDeps, caller: Caller): Promise<BoardSummary[]> {
  const userId = ownerOf(caller)
  const own = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('dashboards')
      .selectAll()
      .where('owner_id', '=', userId)
      .orderBy('updated_at', 'desc')
      .orderBy('id')
      .limit(boardsMax)
      .execute(),
  )
  // Of the application's own role: whose rows others may see, the condition says.
  const published = await deps.db.system
    .selectFrom('dashboards')
    .selectAll()
    .where('visibility', '=', 'public')
    .where('owner_id', '<>', userId)
    .orderBy('updated_at', 'desc')
    .orderBy('id')
    .limit(publicBoardsMax)
    .execute()
  return [...[...own, ...published].map(row => fromRow(row, userId)), ...builtInBoards().map(fromBuiltIn)].map(
    summaryOf,
  )
}

/** @throws AppError NOT_FOUND, also for a board that its owner keeps private */
export async function getDashboard(deps: DashboardDeps, caller: Caller, id: string): Promise<SavedBoard> {
  const builtIn = builtInBoard(id)
  if (builtIn !== null) return fromBuiltIn(builtIn)
  const userId = ownerOf(caller)
  return fromRow(await visibleRow(deps, userId, id), userId)
}

/** The file of a board. @throws AppError NOT_FOUND */
export async function dashboardFile(deps: DashboardDeps, caller: Caller, id: string): Promise<string> {
  const builtIn = builtInBoard(id)
  return builtIn === null ? (await visibleRow(deps, ownerOf(caller), id)).file : builtIn.file
}

/**
 * Replaces a board of one's own.
 * @param ifMatch the header, as it came
 * @throws AppError as `createDashboard`; NOT_FOUND; FORBIDDEN for one that comes with Cliptape; PRECONDITION_FAILED
 */
export async function changeDashboard(
  deps: DashboardDeps,
  caller: Caller,
  change: { id: string; change: BoardChange; ifMatch: string | undefined },
): Promise<SavedBoard> {
  const { id, change: wanted, ifMatch } = change
  refuseBuiltIn(id)
  const userId = ownerOf(caller)
  const before = await ownRow(deps, userId, id)
  const { board, file } = await changed(deps, wanted, before)
  return await deps.db.asUser(userId, async trx => {
    const { version } = await lockedVersion(trx, userId, id)
    assertVersion(ifMatch, version, 'board')
    const row = await trx
      .updateTable('dashboards')
      .set({
        name: board.name,
        board: JSON.stringify(board),
        file,
        visibility: wanted.visibility ?? before.visibility,
        version: version + 1,
        updated_at: new Date(deps.clock.nowMs()),
      })
      .where('id', '=', id)
      .where('owner_id', '=', userId)
      .returningAll()
      .executeTakeFirstOrThrow()
    await audit(trx, { userId, caller }, 'dashboard.changed', row)
    return fromRow(row, userId)
  })
}

/** Removes a board of one's own. @throws AppError NOT_FOUND; FORBIDDEN; PRECONDITION_FAILED */
export async function deleteDashboard(
  deps: DashboardDeps,
  caller: Caller,
  { id, ifMatch }: { id: string; ifMatch: string | undefined },
): Promise<void> {
  refuseBuiltIn(id)
  const userId = ownerOf(caller)
  await deps.db.asUser(userId, async trx => {
    assertVersion(ifMatch, (await lockedVersion(trx, userId, id)).version, 'board')
    const row = await trx
      .deleteFrom('dashboards')
      .where('id', '=', id)
      .where('owner_id', '=', userId)
      .returningAll()
      .executeTakeFirstOrThrow()
    await audit(trx, { userId, caller }, 'dashboard.deleted', row)
  })
}

async function requested(deps: DashboardDeps, caller: Caller, request: BoardRequest): Promise<WrittenBoard> {
  if (!('copyOf' in request)) return await checked(deps, written(request, null))
  const [{ board }, file] = await Promise.all([
    getDashboard(deps, caller, request.copyOf),
    dashboardFile(deps, caller, request.copyOf),
  ])
  const copy = { ...board, name: request.name }
  return { board: copy, file: writeBoardFile(copy, file) }
}

async function changed(deps: DashboardDeps, change: BoardChange, before: Row): Promise<WrittenBoard> {
  if ('file' in change || 'board' in change) return await checked(deps, written(change, before.file))
  return { board: BoardSchema.parse(before.board), file: before.file }
}

function written(given: { file: string } | { board: unknown }, previous: string | null): WrittenBoard {
  if ('file' in given) return { board: readBoardFile(given.file), file: given.file }
  const read = parseBoard(given.board)
  if ('faults' in read) throw faultError(read.faults)
  return { board: read.board, file: writeBoardFile(read.board, previous) }
}

/** SQL that can never run is refused when it is saved, with the panel's name before the gate's sentence. */
async function checked({ gate }: DashboardDeps, written: WrittenBoard): Promise<WrittenBoard> {
  for (const { id, source } of written.board.panels) {
    if (!('sql' in source)) continue
    try {
      await gate.check(source.sql)
    } catch (error) {
      if (!(error instanceof AppError) || error.isRetryable) throw error
      const details = { ...error.details, panel: id }
      throw new AppError(error.code, `Panel ${id}: ${error.message}`, { details, cause: error })
    }
  }
  return written
}

async function visibleRow(deps: DashboardDeps, userId: UserId, id: string): Promise<Row> {
  const row = await deps.db.system
    .selectFrom('dashboards')
    .selectAll()
    .where('id', '=', uuidOf(id))
    .where(({ or, eb }) => or([eb('owner_id', '=', userId), eb('visibility', 'in', ['shared', 'public'])]))
    .executeTakeFirst()
  if (!row) throw noSuchBoard()
  return row
}

async function ownRow(deps: DashboardDeps, userId: UserId, id: string): Promise<Row> {
  const row = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('dashboards')
      .selectAll()
      .where('id', '=', uuidOf(id))
      .where('owner_id', '=', userId)
      .executeTakeFirst(),
  )
  if (!row) throw noSuchBoard()
  return row
}

async function lockedVersion(trx: Trx, userId: UserId, id: string): Promise<{ version: number }> {
  const row = await trx
    .selectFrom('dashboards')
    .select('version')
    .where('id', '=', uuidOf(id))
    .where('owner_id', '=', userId)
    .forUpdate()
    .executeTakeFirst()
  if (!row) throw noSuchBoard()
  return row
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** A name that is no id is that of a board that comes with Cliptape, or of none. */
function uuidOf(id: string): string {
  if (uuidPattern.test(id)) return id
  throw noSuchBoard()
}

/** One creation of a user at a time: two would both find room for the last one. */
async function takeTurn(trx: Trx, userId: UserId): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('dashboards'), hashtext(${userId}))`.execute(trx)
}

async function audit(
  trx: Trx,
  { userId, caller }: { userId: UserId; caller: Caller },
  action: 'dashboard.created' | 'dashboard.changed' | 'dashboard.deleted',
  { id, name, visibility, version }: { id: string; name: string; visibility: Visibility; version: number },
): Promise<void> {
  await recordAudit(trx, userId, caller, { action, target: `dashboard:${id}`, details: { name, visibility, version } })
}

function refuseBuiltIn(id: string): void {
  if (builtInBoard(id) !== null)
    throw new AppError('FORBIDDEN', `The board ${id} comes with Cliptape and stays as it is: save a copy of it.`)
}

function noSuchBoard(): AppError {
  return new AppError('NOT_FOUND', 'There is no such board.')
}

function fromRow(row: Row, userId: UserId): SavedBoard {
  return {
    id: row.id,
    visibility: row.visibility,
    isOwn: row.owner_id === userId,
    version: row.version,
    updatedAt: row.updated_at.toISOString(),
    board: BoardSchema.parse(row.board),
  }
}

function fromBuiltIn({ name, board }: { name: string; board: Board }): SavedBoard {
  return { id: name, visibility: 'builtIn', isOwn: false, version: 1, updatedAt: null, board }
}

function summaryOf({ board, ...saved }: SavedBoard): BoardSummary {
  return { ...saved, name: board.name, description: board.description, panelCount: board.panels.length }
}

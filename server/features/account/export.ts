/**
 * Everything that an account owns, as one JSON document. It is read in pages, each a short query of its own, so that a
 * slow reader holds no transaction: PGlite has one connection for everybody. Rows that are written meanwhile may be in
 * it or not. Secrets are named by their references; nothing is opened.
 */
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { AnalyticsStore } from '../../../core/clickhouse/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Caller } from '../../http/caller.ts'
import { recordAudit } from '../audit/record.ts'
import { countOwnNumbers, ownNumberTables, readOwnNumbers } from './own-numbers.ts'
import { ownedTables } from './owned-tables.ts'

/** From one export of an account to the next. */
const betweenMsMin = 60_000
const relationalPageRows = 200
const numbersPageRows = 5_000
/** Tables of what is computed of other things that the account has, and can be again: the export says how much there is. */
const derivedTables: Readonly<Record<string, string>> = {
  media_prints_v1: 'Fingerprints of your media, which the analysis of it makes again: left out.',
}

/**
 * `tables`: rows of the relational store by table; `numbers`: private numbers by table of the analytics store, and how
 * many there are of what is derived.
 */
export const AccountExportSchema = z.object({
  exportedAt: z.iso.datetime(),
  userId: z.uuid(),
  tables: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))),
  numbers: z.record(z.string(), z.array(z.record(z.string(), z.unknown()))),
})

interface ExportDeps {
  readonly db: Db
  readonly store: AnalyticsStore
  readonly clock: Clock
}

/**
 * Writes a line in the audit log, which is in the export already.
 * @returns the document of `AccountExportSchema` piece by piece
 * @throws AppError RATE_LIMITED within a minute after the last one
 */
export async function exportAccount(deps: ExportDeps, userId: UserId, caller: Caller): Promise<AsyncGenerator<string>> {
  await deps.db.transaction(async trx => {
    await takeTurn(trx, userId)
    await recordAudit(trx, userId, caller, { action: 'account.exported', target: null })
  })
  return piecesOf(deps, userId)
}

async function* piecesOf(deps: ExportDeps, userId: UserId): AsyncGenerator<string> {
  yield `{"exportedAt":"${new Date(deps.clock.nowMs()).toISOString()}","userId":"${userId}","tables":{`
  const keys = await primaryKeys(deps.db)
  let separator = ''
  for (const [table, { owner, hidden }] of Object.entries(ownedTables)) {
    const key = keys.get(table)
    if (!key) throw new Error(`The table ${table} has no primary key to page by.`)
    yield `${separator}\n${JSON.stringify(table)}:[`
    yield* asList(relationalRows(deps.db, { table, owner, hidden, userId, key }))
    yield ']'
    separator = ','
  }
  yield '},"numbers":{'
  separator = ''
  for (const table of await ownNumberTables(deps.store)) {
    yield `${separator}\n${JSON.stringify(`${table.database}.${table.table}`)}:[`
    yield* asList(
      table.table in derivedTables ? derivedRows(deps.store, table, userId) : numberRows(deps.store, table, userId),
    )
    yield ']'
    separator = ','
  }
  yield '}}\n'
}

/** An export reads every table. The audit log knows the last one, on every node; its instants are the store's own. */
async function takeTurn(trx: Transaction<Database>, userId: UserId): Promise<void> {
  await trx.selectFrom('users').select('id').where('id', '=', userId).forUpdate().execute()
  const { rows } = await sql<{ leftMs: number }>`
    select (extract(epoch from max(created_at) - now()) * 1000 + ${betweenMsMin})::int as "leftMs" from audit_log
    where user_id = ${userId} and action = 'account.exported'`.execute(trx)
  const leftMs = rows[0]?.leftMs ?? 0
  if (leftMs <= 0) return
  throw new AppError('RATE_LIMITED', `Your last export was just now: wait ${Math.ceil(leftMs / 1000)} s.`, {
    details: { retryAfterMs: leftMs },
  })
}

/** JSON texts, with the commas of a list between them: one piece for each page. */
async function* asList(pages: AsyncGenerator<readonly string[]>): AsyncGenerator<string> {
  let separator = '\n'
  for await (const page of pages) {
    if (page.length === 0) continue
    yield separator + page.join(',\n')
    separator = ',\n'
  }
}

interface OwnRows {
  readonly table: string
  readonly owner: string
  readonly hidden: readonly string[]
  readonly userId: UserId
  readonly key: readonly KeyColumn[]
}

async function* relationalRows(db: Db, rows: OwnRows): AsyncGenerator<readonly string[]> {
  let after: readonly string[] | null = null
  for (;;) {
    const page: { row: string; key: string[] }[] = await readPage(db, rows, after)
    yield page.map(one => one.row)
    const last = page.at(-1)
    if (!last || page.length < relationalPageRows) return
    after = last.key
  }
}

/** The store makes the JSON itself: a number beyond 2^53 stays exact. One statement, without a transaction around it. */
async function readPage(
  db: Db,
  { table, owner, hidden, userId, key }: OwnRows,
  after: readonly string[] | null,
): Promise<{ row: string; key: string[] }[]> {
  const columns = sql.join(key.map(({ column }) => sql.ref(column)))
  const texts = sql.join(key.map(({ column }) => sql`${sql.ref(column)}::text`))
  // The types come from the catalogue.
  const bounds = after?.map((text, index) => sql`${text}::${sql.raw(key[index]?.type ?? 'text')}`)
  const isAfter = bounds ? sql`and (${columns}) > (${sql.join(bounds)})` : sql``
  const { rows } = await sql<{ row: string; key: string[] }>`
    select (to_jsonb(t) - ${[...hidden]}::text[])::text as row, array[${texts}] as key
    from ${sql.table(table)} t where ${sql.ref(owner)} = ${userId}::uuid ${isAfter}
    order by ${columns} limit ${sql.lit(relationalPageRows)}`.execute(db.system)
  return rows
}

interface KeyColumn {
  readonly column: string
  readonly type: string
}

/** The columns of each table's primary key, in its order: what its pages go by. */
async function primaryKeys(db: Db): Promise<Map<string, KeyColumn[]>> {
  const { rows } = await sql<{ table: string; column: string; type: string }>`
    select c.relname::text as table, a.attname::text as column, format_type(a.atttypid, a.atttypmod) as type
    from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
    where n.nspname = 'public' and i.indisprimary
    order by c.relname, array_position(i.indkey::int2[], a.attnum)`.execute(db.system)
  return Map.groupBy(rows, row => row.table)
}

/** One line in the place of the rows. */
async function* derivedRows(
  store: AnalyticsStore,
  table: Parameters<typeof countOwnNumbers>[1],
  userId: UserId,
): AsyncGenerator<readonly string[]> {
  const rowCount = await countOwnNumbers(store, table, userId)
  yield rowCount === 0 ? [] : [JSON.stringify({ rowCount, note: derivedTables[table.table] })]
}

async function* numberRows(
  store: AnalyticsStore,
  table: Awaited<ReturnType<typeof ownNumberTables>>[number],
  userId: UserId,
): AsyncGenerator<readonly string[]> {
  for (let offset = 0; ; offset += numbersPageRows) {
    const page = await readOwnNumbers(store, table, { userId, offset, limit: numbersPageRows })
    yield page.map(row => JSON.stringify(row))
    if (page.length < numbersPageRows) return
  }
}

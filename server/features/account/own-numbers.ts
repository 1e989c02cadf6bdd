import { z } from 'zod'
import { type Platform, PlatformSchema, type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { renderSql } from '../../../core/clickhouse/literal.ts'
import type { AnalyticsStore } from '../../../core/clickhouse/port.ts'
import { worldDatabases } from '../../../core/world.ts'

const tag = 'account:own-numbers'
const TableSchema = z.object({
  database: z.enum(worldDatabases),
  table: z.string(),
  sorting_key: z.string(),
  /** Its rows name the linked account that they are of. */
  is_of_accounts: z.number().transform(Boolean),
})
type OwnTable = z.infer<typeof TableSchema>

/** The tables of the analytics store whose rows belong to somebody, found by their owner column. */
export async function ownNumberTables(store: AnalyticsStore): Promise<OwnTable[]> {
  const rows = await store.query(
    renderSql(
      `SELECT t.database AS database, t.name AS table, t.sorting_key AS sorting_key,
         (t.database, t.name) IN (SELECT database, table FROM system.columns WHERE name = 'creator_id') AS is_of_accounts
       FROM system.tables AS t
       INNER JOIN system.columns AS c ON c.database = t.database AND c.table = t.name
       WHERE t.database IN {databases:Array(String)} AND c.name = 'owner_id' AND t.engine LIKE '%MergeTree'
       ORDER BY database, table`,
      { databases: worldDatabases },
    ),
    { tag },
  )
  return z.array(TableSchema).parse(rows)
}

/** One page of a user's rows in one table, in the order of its key. */
export async function readOwnNumbers(
  store: AnalyticsStore,
  { database, table, sorting_key }: OwnTable,
  page: { readonly userId: UserId; readonly offset: number; readonly limit: number },
): Promise<Record<string, unknown>[]> {
  // Names come from the engine's own catalogue, under databases of ours.
  const text = `SELECT * FROM ${database}.${table} FINAL WHERE owner_id = {owner:UUID}
    ORDER BY ${sorting_key} LIMIT {limit:UInt32} OFFSET {offset:UInt64}`
  return await store.query(renderSql(text, { owner: page.userId, limit: page.limit, offset: page.offset }), { tag })
}

/** How many rows of a table are a user's. */
export async function countOwnNumbers(
  store: AnalyticsStore,
  { database, table }: OwnTable,
  userId: UserId,
): Promise<number> {
  const text = `SELECT toFloat64(count()) AS count FROM ${database}.${table} FINAL WHERE owner_id = {owner:UUID}`
  const rows = await store.query(renderSql(text, { owner: userId }), { tag })
  return z.tuple([z.object({ count: z.number() })]).parse(rows)[0].count
}

/** Removes a user's rows from every table; returns when they are gone from the disk's files, on every replica. */
export async function removeOwnNumbers(store: AnalyticsStore, userId: UserId): Promise<void> {
  for (const table of await ownNumberTables(store))
    await removeRows(store, table, 'owner_id = {owner:UUID}', { owner: userId })
}

/** An account as the platform knows it. */
export interface AccountRef {
  readonly platform: Platform
  readonly creatorId: string
}

/** As `removeOwnNumbers`, but of everything that was read of accounts other than these. */
export async function removeNumbersBeside(
  store: AnalyticsStore,
  userId: UserId,
  kept: readonly AccountRef[],
): Promise<void> {
  const condition =
    'owner_id = {owner:UUID} AND NOT has({kept:Array(Tuple(String, String))}, (toString(platform), creator_id))'
  const params = { owner: userId, kept: kept.map(({ platform, creatorId }) => [platform, creatorId]) }
  for (const table of await ownNumberTables(store)) {
    if (table.is_of_accounts) await removeRows(store, table, condition, params)
  }
}

async function removeRows(
  store: AnalyticsStore,
  { database, table }: OwnTable,
  condition: string,
  params: Parameters<typeof renderSql>[1],
): Promise<void> {
  // A rewrite of parts is dear: most accounts have nothing here.
  const text = `SELECT 1 AS found FROM ${database}.${table} WHERE ${condition} LIMIT 1`
  if ((await store.query(renderSql(text, params), { tag })).length === 0) return
  const removal = `ALTER TABLE ${database}.${table} DELETE WHERE ${condition} SETTINGS mutations_sync = 2`
  await store.command(renderSql(removal, params), { tag })
}

const AccountRow = z.object({ owner: UserIdSchema, platform: PlatformSchema, creatorId: z.string() })

/** Of which accounts of whom there are rows: at most so many a table. */
export async function accountsOfNumbers(
  store: AnalyticsStore,
  limit: number,
): Promise<(AccountRef & { readonly owner: UserId })[]> {
  const found = new Map<string, z.infer<typeof AccountRow>>()
  for (const { database, table, is_of_accounts } of await ownNumberTables(store)) {
    if (!is_of_accounts) continue
    const text = `SELECT DISTINCT toString(owner_id) AS owner, toString(platform) AS platform, creator_id AS creatorId
      FROM ${database}.${table} LIMIT {limit:UInt32}`
    for (const row of z.array(AccountRow).parse(await store.query(renderSql(text, { limit }), { tag })))
      found.set(`${row.owner} ${row.platform} ${row.creatorId}`, row)
  }
  return [...found.values()]
}

/** Whose rows are there: at most so many owners a table. */
export async function ownersOfNumbers(store: AnalyticsStore, limit: number): Promise<Set<string>> {
  const owners = new Set<string>()
  for (const { database, table } of await ownNumberTables(store)) {
    const text = `SELECT DISTINCT toString(owner_id) AS owner FROM ${database}.${table} LIMIT {limit:UInt32}`
    const rows = z.array(z.object({ owner: z.string() })).parse(await store.query(renderSql(text, { limit }), { tag }))
    for (const { owner } of rows) owners.add(owner)
  }
  return owners
}

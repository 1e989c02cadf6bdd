/**
 * Copies of the real world's numbers, taken while the store is in use, and brought back into an empty store. A replay's
 * world is not copied: it ends with the replay.
 *
 * A copy is a file per table (the engine's TabSeparated text, gzip) and `schema.json` with every table's own DDL, so one
 * made on the embedded engine can be brought back on a server and the other way round. `BACKUP TO` and `FREEZE` would be
 * faster, but the first needs a right that lets SQL write files, and the second leaves files only the engine's host can
 * reach.
 *
 * What it is consistent with. Each table is read by one SELECT, which sees the parts of one moment; the tables are read one after
 * the other, by name. Tables that materialized views fill are not copied: bringing rows back fills them again, so rollups
 * always agree with the samples of the copy. Rows written meanwhile may be in the copy or not; samples come before the
 * descriptions of their videos, so a sample in the copy has its description there too.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform, type TransformCallback } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import { literal } from './literal.ts'
import type { AnalyticsStore } from './port.ts'

const schemaFile = 'schema.json'
const format = 'TabSeparated'
/** Rows are brought back in inserts of about this size. */
const insertBytes = 8 * 1024 * 1024
const databases = ['cliptape', 'v', 'mine'] as const

const SchemaFile = z.object({
  formatVersion: z.literal(1),
  tables: z.array(
    z.object({
      database: z.enum(databases),
      name: z.string().regex(/^\w+$/),
      kind: z.enum(['table', 'materialized view', 'view']),
      ddl: z.string(),
      /** The file with its rows and the columns they have, or null when nothing of it is copied. */
      rows: z.object({ file: z.string().regex(/^[\w.]+$/), columns: z.array(z.string().regex(/^\w+$/)) }).nullable(),
    }),
  ),
})
type SavedTable = z.infer<typeof SchemaFile>['tables'][number]

/**
 * Writes a copy into an empty folder.
 *
 * @throws AppError as the store does; an Error of the file system when the folder cannot be written
 */
export async function backupStore(store: AnalyticsStore, dir: string): Promise<void> {
  const tables = await describeTables(store)
  for (const { database, name, rows } of tables) {
    if (rows === null) continue
    const sql = `SELECT ${rows.columns.map(quoteName).join(', ')} FROM ${database}.${name}`
    const source = await store.stream(sql, format, { tag: 'backup' })
    await pipeline(source, createGzip({ level: 1 }), createWriteStream(join(dir, rows.file), { mode: 0o600 }))
  }
  const schema: z.input<typeof SchemaFile> = { formatVersion: 1, tables }
  await writeFile(join(dir, schemaFile), JSON.stringify(schema, null, 1), { mode: 0o600 })
}

/**
 * Brings a copy back, in the place of what the real world's database holds now, in the schema that it had when the copy
 * was made: migrate afterwards.
 *
 * @throws AppError CONFLICT when the store holds samples already; BAD_REQUEST when the folder holds no copy
 */
export async function restoreStore(store: AnalyticsStore, dir: string): Promise<void> {
  const { tables } = await readSchema(dir)
  await refuseFull(store)
  for (const database of [...databases].reverse()) await store.command(`DROP DATABASE IF EXISTS ${database}`)
  for (const database of databases) await store.command(`CREATE DATABASE ${database}`)
  const ofKind = (kind: SavedTable['kind']) => tables.filter(table => table.kind === kind)
  for (const { ddl } of ofKind('table')) await store.command(ddl, { tag: 'restore' })
  // Before the rows come: they fill the rollups.
  for (const { ddl } of ofKind('materialized view')) await store.command(ddl, { tag: 'restore' })
  for (const table of tables) await restoreRows(store, dir, table)
  await createViews(
    store,
    ofKind('view').map(({ ddl }) => ddl),
  )
}

async function describeTables(store: AnalyticsStore): Promise<SavedTable[]> {
  const names = databases.map(name => literal('database', 'String', name)).join(', ')
  const found = await store.query<{ database: string; name: string; engine: string; ddl: string }>(
    `SELECT database, name, engine, create_table_query AS ddl FROM system.tables WHERE database IN (${names}) ORDER BY database, name`,
    { tag: 'backup' },
  )
  const columns = await store.query<{ database: string; table: string; name: string }>(
    `SELECT database, table, name FROM system.columns WHERE database IN (${names}) AND default_kind IN ('', 'DEFAULT') ORDER BY database, table, position`,
    { tag: 'backup' },
  )
  const filled = new Set(found.flatMap(({ ddl }) => /^CREATE MATERIALIZED VIEW \S+ TO (\S+)/.exec(ddl)?.[1] ?? []))
  const tables = found.map(({ database, name, engine, ddl }) => {
    const isTable = engine.endsWith('MergeTree')
    const own = columns.filter(column => column.database === database && column.table === name)
    return {
      database,
      name,
      kind: isTable ? 'table' : engine === 'MaterializedView' ? 'materialized view' : 'view',
      ddl,
      rows:
        isTable && !filled.has(`${database}.${name}`)
          ? { file: `${database}.${name}.tsv.gz`, columns: own.map(column => column.name) }
          : null,
    }
  })
  return SchemaFile.shape.tables.parse(tables)
}

async function readSchema(dir: string): Promise<z.infer<typeof SchemaFile>> {
  try {
    return SchemaFile.parse(JSON.parse(await readFile(join(dir, schemaFile), 'utf8')))
  } catch (cause) {
    throw new AppError('BAD_REQUEST', 'The backup holds no copy of the analytics store that this version can read.', {
      cause,
    })
  }
}

async function refuseFull(store: AnalyticsStore): Promise<void> {
  const [row] = await store.query<{ rows: number | null }>(
    `SELECT sum(total_rows) AS rows FROM system.tables WHERE database = 'cliptape' AND name != 'migrations_v1'`,
  )
  if (!row?.rows) return
  throw new AppError(
    'CONFLICT',
    'The analytics store holds numbers already: a backup is brought back into an empty one.',
  )
}

async function restoreRows(store: AnalyticsStore, dir: string, table: SavedTable): Promise<void> {
  const { rows } = table
  if (rows === null) return
  const target = `${table.database}.${table.name}`
  const settings = { max_partitions_per_insert_block: 0 }
  await pipeline(
    createReadStream(join(dir, rows.file)),
    createGunzip(),
    wholeLines(insertBytes),
    async (batches: AsyncIterable<Buffer>) => {
      for await (const body of batches) {
        await store.insertRaw(target, body, { format, columns: rows.columns, tag: 'restore', settings })
      }
    },
  )
}

/** Cuts a stream at line ends into pieces of at least `bytesMin`; in TabSeparated a line feed always ends a row. */
function wholeLines(bytesMin: number): Transform {
  let held: Buffer[] = []
  let heldBytes = 0
  return new Transform({
    readableObjectMode: true,
    readableHighWaterMark: 1,
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      const lastLineEnd = chunk.lastIndexOf(0x0a)
      if (heldBytes + chunk.length < bytesMin || lastLineEnd < 0) {
        held.push(chunk)
        heldBytes += chunk.length
        done()
        return
      }
      const piece = Buffer.concat([...held, chunk.subarray(0, lastLineEnd + 1)])
      held = [chunk.subarray(lastLineEnd + 1)]
      heldBytes = chunk.length - lastLineEnd - 1
      done(null, piece)
    },
    flush(done: TransformCallback) {
      const rest = Buffer.concat(held)
      done(null, rest.length > 0 ? rest : undefined)
    },
  })
}

/** A view may read another one, whatever their names: those that fail are tried again after the others. */
async function createViews(store: AnalyticsStore, ddls: readonly string[]): Promise<void> {
  const failed: { ddl: string; error: unknown }[] = []
  for (const ddl of ddls) {
    await store.command(ddl, { tag: 'restore' }).catch((error: unknown) => failed.push({ ddl, error }))
  }
  if (failed.length === 0) return
  if (failed.length === ddls.length) throw failed[0]?.error
  await createViews(
    store,
    failed.map(({ ddl }) => ddl),
  )
}

/** Column names come from the engine, not from a user; they are plain words by our own migrations. */
function quoteName(name: string): string {
  return literal('column', 'Identifier', name)
}

/**
 * A copy of the relational store in one file, read from inside one transaction, so that it is consistent however many
 * write meanwhile. Files of an embedded store cannot be copied while it runs, and neither a running PGlite nor a machine
 * without Postgres has `pg_dump`; so the copy is logical: JSON lines, and the same for both engines.
 *
 * Every value travels as the text that Postgres prints for it (`column::text`) and comes back through the input function
 * of its type: exact for bigint, timestamps in microseconds, bytea and jsonb, and never interpreted by us.
 *
 * Line 1: `{"cliptapeDump":1,"migrations":[{name,checksum}],"tables":["users",…]}`, tables in the order of their foreign
 * keys. Then per table one line `{"table":"users","columns":[…],"types":[…]}` followed by its rows, one JSON array each.
 * Last line: `{"end":true,"rowCount":n}`; a file without it was cut and is refused.
 */
import { createReadStream } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { type RawBuilder, sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import { shippedMigrations } from '../migration-plan.ts'
import { migrateDb, recordedMigrations } from './migrate.ts'
import type { Db } from './port.ts'
import type { Database } from './schema.ts'

type Trx = Transaction<Database>

const fetchRows = 500
/** Postgres takes at most 65,535 parameters a statement. */
const insertParametersMax = 10_000

const HeaderSchema = z.object({
  cliptapeDump: z.literal(1),
  migrations: z.array(z.object({ name: z.string(), checksum: z.string() })),
  tables: z.array(z.string()),
})
const TableSchema = z.object({ table: z.string(), columns: z.array(z.string()), types: z.array(z.string()) })
const RowSchema = z.array(z.string().nullable())
const EndSchema = z.object({ end: z.literal(true), rowCount: z.int() })

/** Writes the dump; see `Db.dumpTo`. The file appears whole or not at all. */
export async function dumpDatabase(db: Db, path: string): Promise<void> {
  const temporary = `${path}.part`
  const file = await open(temporary, 'w', 0o600)
  try {
    await db.transaction(async trx => {
      await sql`set transaction isolation level repeatable read, read only`.execute(trx)
      // A server may print dates in another style by default; the copy must not depend on it.
      await sql`select set_config('datestyle', 'ISO', true), set_config('timezone', 'UTC', true)`.execute(trx)
      await writeDump(trx, line => file.appendFile(`${JSON.stringify(line)}\n`))
    })
    await file.sync()
  } catch (error) {
    await file.close()
    await rm(temporary, { force: true })
    throw error
  }
  await file.close()
  await rename(temporary, path)
}

async function writeDump(trx: Trx, write: (line: unknown) => Promise<void>): Promise<void> {
  const migrations = await recordedMigrations(trx)
  const tables = await tablesInOrder(trx)
  await write({ cliptapeDump: 1, migrations, tables })
  let rowCount = 0
  for (const table of tables) {
    const columns = await columnsOf(trx, table)
    await write({ table, columns: columns.map(column => column.name), types: columns.map(column => column.type) })
    const texts = sql.join(columns.map(column => sql`${sql.ref(column.name)}::text`))
    await sql`declare dump_rows no scroll cursor for select json_build_array(${texts})::text as line from ${sql.table(table)}${await orderOf(trx, table)}`.execute(
      trx,
    )
    for (;;) {
      const { rows } = await sql<{ line: string }>`fetch ${sql.lit(fetchRows)} from dump_rows`.execute(trx)
      for (const { line } of rows) await write(RowSchema.parse(JSON.parse(line)))
      rowCount += rows.length
      if (rows.length < fetchRows) break
    }
    await sql`close dump_rows`.execute(trx)
  }
  await write({ end: true, rowCount })
}

/** Reads a dump back; see `Db.restoreFrom`. Everything happens in one transaction: a broken file changes nothing. */
export async function restoreDatabase(db: Db, path: string): Promise<void> {
  const header = await readHeader(path)
  await bringToVersion(db, header.migrations)
  await db.transaction(async trx => {
    // Statements that the restore needs are few and its rows many: whoever else is connected waits for the end.
    for (const table of await tablesInOrder(trx)) {
      if (!header.tables.includes(table)) throw notADump(path, `it has no table ${table}`)
    }
    await sql`truncate ${sql.join(header.tables.map(table => sql.table(table)))}`.execute(trx)
    await loadRows(trx, path)
    for (const table of header.tables) await moveIdentities(trx, table)
  })
}

/** An empty store is migrated to where the dump was made; any other must be there already. */
async function bringToVersion(db: Db, wanted: z.infer<typeof HeaderSchema>['migrations']): Promise<void> {
  const recorded = await db.transaction(recordedMigrations)
  if (recorded.length === 0) {
    const shipped = shippedMigrations('postgres/migrations')
    await migrateDb(
      db,
      shipped.filter(file => wanted.some(({ name }) => name === file.name)),
    )
  }
  const now = await db.transaction(recordedMigrations)
  if (JSON.stringify(now) === JSON.stringify(wanted)) return
  throw new AppError(
    'CONFLICT',
    'The copy was made by a version of Cliptape with another schema: restore it into an empty home, with that version or a newer one.',
  )
}

async function loadRows(trx: Trx, path: string): Promise<void> {
  let table: z.infer<typeof TableSchema> | null = null
  let batch: (string | null)[][] = []
  let rowCount = 0
  const flush = async () => {
    if (table && batch.length > 0) await insertRows(trx, table, batch)
    batch = []
  }
  for await (const value of linesOf(path)) {
    const row = RowSchema.safeParse(value)
    if (row.success) {
      if (!table || row.data.length !== table.columns.length) throw notADump(path, 'a row does not fit its table')
      batch.push(row.data)
      rowCount += 1
      if (batch.length * table.columns.length >= insertParametersMax) await flush()
      continue
    }
    await flush()
    const end = EndSchema.safeParse(value)
    if (end.success) {
      if (end.data.rowCount !== rowCount) throw notADump(path, 'rows are missing')
      return
    }
    const next = TableSchema.safeParse(value)
    if (next.success) table = next.data
    else if (!HeaderSchema.safeParse(value).success) throw notADump(path, 'it has a line of an unknown kind')
  }
  throw notADump(path, 'its end is missing')
}

async function insertRows(
  trx: Trx,
  table: z.infer<typeof TableSchema>,
  rows: readonly (string | null)[][],
): Promise<void> {
  const known = new Map((await columnsOf(trx, table.table)).map(column => [column.name, column.type]))
  const columns = table.columns.map(name => {
    const type = known.get(name)
    if (!type) throw new AppError('CONFLICT', `The copy has a column ${table.table}.${name} that this store does not.`)
    return { name, type }
  })
  const tuples = rows.map(row => {
    // The type comes from the catalogue of this store, never from the file.
    const values = columns.map((column, index) => sql`${row[index] ?? null}::${sql.raw(column.type)}`)
    return sql`(${sql.join(values)})`
  })
  await sql`insert into ${sql.table(table.table)} (${sql.join(columns.map(column => sql.ref(column.name)))})
    overriding system value values ${sql.join(tuples)}`.execute(trx)
}

/** Our tables (schema `public`, without the record of migrations), referenced ones before those that refer to them. */
async function tablesInOrder(trx: Trx): Promise<string[]> {
  const { rows } = await sql<{ name: string; needs: string[] }>`
    select c.relname::text as name,
      array(select distinct f.relname::text from pg_constraint k join pg_class f on f.oid = k.confrelid
            where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as needs
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'schema_migrations'
      and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    order by c.relname`.execute(trx)
  const ordered: string[] = []
  let waiting = rows
  while (waiting.length > 0) {
    const free = waiting.filter(table => table.needs.every(need => ordered.includes(need)))
    if (free.length === 0)
      throw new Error(`Tables refer to each other in a circle: ${waiting.map(t => t.name).join(', ')}`)
    ordered.push(...free.map(table => table.name))
    waiting = waiting.filter(table => !free.includes(table))
  }
  return ordered
}

/** Rows that refer to others of their own table come after those: a row refers only to one with a smaller key. */
async function orderOf(trx: Trx, table: string): Promise<RawBuilder<unknown>> {
  const { rows } = await sql<{ column: string }>`
    select a.attname::text as column from pg_constraint k
    join pg_attribute a on a.attrelid = k.confrelid and a.attnum = k.confkey[1]
    where k.conrelid = to_regclass(${`public.${table}`}) and k.confrelid = k.conrelid and k.contype = 'f'`.execute(trx)
  return rows[0] ? sql` order by ${sql.ref(rows[0].column)}` : sql``
}

/** Numbers that the store gives out itself go on after those that came back, and never give one a second time. */
async function moveIdentities(trx: Trx, table: string): Promise<void> {
  const { rows } = await sql<{ column: string }>`
    select attname::text as column from pg_attribute
    where attrelid = to_regclass(${`public.${table}`}) and attnum > 0 and not attisdropped and attidentity <> ''`.execute(
    trx,
  )
  for (const { column } of rows) {
    await sql`select setval(pg_get_serial_sequence(${`public.${table}`}, ${column}),
      coalesce(max(${sql.ref(column)}), 0) + 1, false) from ${sql.table(table)}`.execute(trx)
  }
}

async function columnsOf(trx: Trx, table: string): Promise<{ name: string; type: string }[]> {
  const { rows } = await sql<{ name: string; type: string }>`
    select attname::text as name, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = to_regclass(${`public.${table}`}) and attnum > 0 and not attisdropped and attgenerated = ''
    order by attnum`.execute(trx)
  return rows
}

async function readHeader(path: string): Promise<z.infer<typeof HeaderSchema>> {
  for await (const value of linesOf(path)) {
    const header = HeaderSchema.safeParse(value)
    if (header.success) return header.data
    break
  }
  throw notADump(path, 'its first line is not the header of a copy')
}

async function* linesOf(path: string): AsyncGenerator<unknown> {
  const input = createReadStream(path)
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      yield parseLine(path, line)
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('NOT_FOUND', `The copy ${path} cannot be read.`, { cause: error })
  } finally {
    input.destroy()
  }
}

function parseLine(path: string, line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw notADump(path, 'a line is not JSON')
  }
}

function notADump(path: string, why: string): AppError {
  return new AppError('BAD_REQUEST', `${path} is not a whole copy of the relational store: ${why}.`)
}

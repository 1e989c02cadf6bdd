/**
 * The process that the crash suite kills: it writes to a store as fast as it can and says on stdout what was
 * acknowledged. Four loops at once, each transaction of three statements: a new row, a change of an older row, and a
 * running sum that must agree with the rows whatever happens.
 *
 * Lines: `state <json>` once, what it found; `ack <row> <changed row> <its version>` after each commit; `end <error code>`.
 */
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { pino } from 'pino'
import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import { openPglite } from './pglite.ts'
import type { Db } from './port.ts'
import { openPostgres } from './postgres.ts'

export const crashWriterPath = fileURLToPath(import.meta.url)

/** What a writer found before it began. */
export const CrashStateSchema = z.object({
  rows: z.array(z.object({ id: z.int(), version: z.int() })),
  amountSum: z.int(),
  total: z.int(),
  rowCount: z.int(),
})
export type CrashState = z.infer<typeof CrashStateSchema>

export type CrashTarget = { kind: 'pglite'; dataDir: string } | { kind: 'postgres'; url: string }

const loops = 4

/** Opens the store that the suite and its writers share. */
export async function openCrashStore(target: CrashTarget): Promise<Db> {
  const log = pino({ level: 'silent' })
  return target.kind === 'pglite'
    ? await openPglite({ dataDir: target.dataDir, log })
    : await openPostgres({ url: target.url, log })
}

export async function createCrashTables(db: Db): Promise<void> {
  await db.executeSql(`
    create table if not exists crash_rows (id bigint primary key, version int not null, amount bigint not null, payload text not null);
    create table if not exists crash_total (id int primary key, total bigint not null, row_count bigint not null);
    insert into crash_total values (1, 0, 0) on conflict do nothing`)
}

export async function readCrashState(db: Db): Promise<CrashState> {
  const { rows } = await db.executeSql('select id::int, version from crash_rows order by id')
  const { rows: sums } = await db.executeSql(`select
    (select coalesce(sum(amount), 0)::int from crash_rows) as "amountSum", total::int, row_count::int as "rowCount"
    from crash_total`)
  return CrashStateSchema.parse({ rows, ...sums[0] })
}

/** One transaction as the writers do it; `id` must be new. Resolves to the version that row `changedId` has now. */
export async function writeOne(db: Db, id: number, changedId: number): Promise<number> {
  return await db.transaction(async trx => {
    const payload = 'x'.repeat(200 + (id % 40) * 100)
    await sql`insert into crash_rows values (${id}, 1, ${id % 97}, ${payload})`.execute(trx)
    await sql`update crash_total set total = total + ${id % 97}, row_count = row_count + 1`.execute(trx)
    const { rows } = await sql<{ version: number }>`
      update crash_rows set version = version + 1 where id = ${changedId} returning version`.execute(trx)
    return rows[0]?.version ?? 0
  })
}

async function main(target: CrashTarget, commitsMax: number): Promise<void> {
  const db = await openCrashStore(target)
  await createCrashTables(db)
  const state = await readCrashState(db)
  say(`state ${JSON.stringify(state)}`)
  let next = (state.rows.at(-1)?.id ?? 0) + 1
  const last = next + commitsMax
  const writeUntilKilled = async () => {
    while (next < last) {
      const id = next
      next += 1
      const changedId = Math.max(1, id - 5 - (id % 50))
      say(`ack ${id} ${changedId} ${await writeOne(db, id, changedId)}`)
    }
  }
  const code = await Promise.all(Array.from({ length: loops }, writeUntilKilled)).then(
    () => 'DONE',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  )
  say(`end ${code}`)
  await db.close()
}

/** Straight to the descriptor: what a stream still holds when the process is killed was never said. */
function say(line: string): void {
  writeSync(1, `${line}\n`)
}

if (import.meta.main) {
  const [target = '', commitsMax = 'Infinity'] = process.argv.slice(2)
  const TargetSchema = z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('pglite'), dataDir: z.string() }),
    z.object({ kind: z.literal('postgres'), url: z.string() }),
  ])
  await main(TargetSchema.parse(JSON.parse(target)), Number(commitsMax))
}

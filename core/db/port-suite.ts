import { randomUUID } from 'node:crypto'
import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import { AppError } from '../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import { migrationOf, shippedMigrations } from '../migration-plan.ts'
import { ensureLocalOwner } from './local-owner.ts'
import { migrateDb } from './migrate.ts'
import type { Db } from './port.ts'
import { sqlStateOf } from './sql-errors.ts'

/**
 * What every relational store must do, whichever engine is behind it.
 * @param setup what the file that calls it opened in its own `beforeAll`: an empty store, and a folder to write in
 */
export function describeDb(setup: () => { db: Db; folder: string }): void {
  let db: Db
  let owner: UserId
  let stranger: UserId

  beforeAll(async () => {
    db = setup().db
    await migrateDb(db)
    owner = await ensureLocalOwner(db)
    const row = await db.system
      .insertInto('users')
      .values({ email: 'stranger@example.com', role: 'user', is_local: false })
      .returning('id')
      .executeTakeFirstOrThrow()
    stranger = UserIdSchema.parse(row.id)
  })

  const newImport = (ownerId: UserId, fileName: string) => ({
    owner_id: ownerId,
    file_name: fileName,
    file_sha256: 'ab',
    format: 'generic-csv',
    status: 'running' as const,
    summary: null,
    finished_at: null,
  })

  describe('types', () => {
    it('gives bigint as text, jsonb as objects, timestamps as dates and bytea as buffers', async () => {
      const { rows } = await sql<Record<string, unknown>>`select 9007199254740993::bigint as big,
        '{"a":[1,null]}'::jsonb as json, '2026-01-02T03:04:05.006Z'::timestamptz as at, '\\x0001ff'::bytea as bytes,
        array['a','b'] as texts, 1.5::float8 as float, null as nothing`.execute(db.system)
      expect(rows).toEqual([
        {
          big: '9007199254740993',
          json: { a: [1, null] },
          at: new Date('2026-01-02T03:04:05.006Z'),
          bytes: Buffer.from([0, 1, 255]),
          texts: ['a', 'b'],
          float: 1.5,
          nothing: null,
        },
      ])
    })

    it('takes texts, buffers and dates back unchanged', async () => {
      const text = `it's "quoted"; \\ naïve 🎬\n\t$1`
      const bytes = Buffer.from([0, 39, 92, 255])
      const at = new Date('2026-03-29T01:30:00.123Z')
      const { rows } =
        await sql`select ${text}::text as text, ${bytes}::bytea as bytes, ${at}::timestamptz as at`.execute(db.system)
      expect(rows).toEqual([{ text, bytes, at }])
    })

    it('runs several statements without values and gives all their rows', async () => {
      const { rows } = await db.executeSql('begin; select 1 as a; select 2 as b; commit')
      expect(rows).toEqual([{ a: 1 }, { b: 2 }])
    })
  })

  describe('errors', () => {
    it('calls a second row of the same key a conflict and quotes nothing of it', async () => {
      const error = await rejection(
        db.system
          .insertInto('users')
          .values({ email: 'stranger@example.com', role: 'user', is_local: false })
          .execute(),
      )
      expect(error).toMatchObject({ code: 'CONFLICT', details: { sqlState: '23505', table: 'users' } })
      expect(JSON.stringify(error.cause)).not.toContain('stranger@example.com')
    })

    it('calls a statement that makes no sense an error of ours', async () => {
      const error = await rejection(sql`select * from no_such_table`.execute(db.system))
      expect(error.code).toBe('INTERNAL')
      expect(sqlStateOf(error)).toBe('42P01')
    })

    it('leaves no open transaction behind a block that failed halfway', async () => {
      await rejection(db.executeSql('begin; select 1/0; commit'))
      const { rows } = await db.executeSql('select 1 as fine')
      expect(rows).toEqual([{ fine: 1 }])
    })
  })

  describe('transactions', () => {
    it('keeps nothing of a transaction whose callback throws', async () => {
      const boom = new Error('boom')
      const failing = db.transaction(async trx => {
        await trx.insertInto('imports').values(newImport(owner, 'rolled-back.csv')).execute()
        throw boom
      })
      await expect(failing).rejects.toBe(boom)
      const found = await db.system
        .selectFrom('imports')
        .select('id')
        .where('file_name', '=', 'rolled-back.csv')
        .execute()
      expect(found).toEqual([])
    })

    it('throws instead of waiting for ever when system is used inside one', async () => {
      const nested = db.transaction(async () => await db.ping())
      await expect(nested).rejects.toThrow('use the transaction handle')
      await expect(db.asUser(owner, async () => await db.executeSql('select 1'))).rejects.toThrow('transaction handle')
      await expect(db.transaction(() => db.transaction(async () => 1))).rejects.toThrow('transaction handle')
      await expect(db.system.transaction().execute(async () => 1)).rejects.toThrow('not on system')
      await db.ping()
    })

    it('lets work that was begun inside and outlives it use the store', async () => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const later = await db.transaction(async () => ({ done: promise.then(() => db.ping()) }))
      resolve()
      await later.done
    })

    it('runs twenty at once without losing one', async () => {
      const results = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          db.asUser(owner, async trx => {
            const { rows } = await sql<{ n: number }>`select ${index}::int as n`.execute(trx)
            return rows[0]?.n
          }),
        ),
      )
      expect(results).toEqual(Array.from({ length: 20 }, (_, index) => index))
    })
  })

  describe('row level security', () => {
    it('shows a user only their own rows', async () => {
      await db.asUser(owner, trx => trx.insertInto('imports').values(newImport(owner, 'mine.csv')).execute())
      const seen = await db.asUser(stranger, trx => trx.selectFrom('imports').select('file_name').execute())
      expect(seen).toEqual([])
      const own = await db.asUser(owner, trx =>
        trx.selectFrom('imports').select('file_name').where('file_name', '=', 'mine.csv').execute(),
      )
      expect(own).toEqual([{ file_name: 'mine.csv' }])
      expect(await db.asUser(stranger, trx => trx.selectFrom('users').select('id').execute())).toEqual([
        { id: stranger },
      ])
    })

    it("refuses to write another user's row, and changes none", async () => {
      const forged = db.asUser(stranger, trx =>
        trx.insertInto('imports').values(newImport(owner, 'forged.csv')).execute(),
      )
      expect(await rejection(forged)).toMatchObject({ code: 'NOT_FOUND', details: { sqlState: '42501' } })
      const changed = await db.asUser(stranger, trx =>
        trx.updateTable('imports').set({ status: 'failed' }).where('file_name', '=', 'mine.csv').executeTakeFirst(),
      )
      expect(changed.numUpdatedRows).toBe(0n)
      const given = db.asUser(owner, trx =>
        trx.updateTable('imports').set({ owner_id: stranger }).where('file_name', '=', 'mine.csv').execute(),
      )
      expect(await rejection(given)).toMatchObject({ code: 'NOT_FOUND' })
    })

    it('shows an unknown user nothing', async () => {
      const nobody = UserIdSchema.parse(randomUUID())
      expect(await db.asUser(nobody, trx => trx.selectFrom('imports').select('id').execute())).toEqual([])
    })

    it('forgets the user when the transaction ends', async () => {
      await db.asUser(owner, async () => undefined)
      const { rows } = await sql<{
        isApp: boolean
        claim: string | null
      }>`select current_user = 'cliptape_app' as "isApp",
        nullif(current_setting('app.user_id', true), '') as claim`.execute(db.system)
      expect(rows).toEqual([{ isApp: false, claim: null }])
    })

    it('guards every table that belongs to somebody', async () => {
      const { rows } = await sql<{ table: string; isOn: boolean; isForced: boolean; policies: string[] }>`
        select c.relname::text as table, c.relrowsecurity as "isOn", c.relforcerowsecurity as "isForced",
          array(select p.polname::text from pg_policy p where p.polrelid = c.oid
                and 'cliptape_app'::regrole::oid = any (p.polroles)) as policies
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p') and (c.relname = 'users' or exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'owner_id' and not a.attisdropped))
        order by 1`.execute(db.system)
      expect(rows.map(row => row.table)).toEqual(
        expect.arrayContaining(['users', 'imports', 'dead_letters', 'drop_counts', 'settings']),
      )
      const unguarded = rows.filter(row => !row.isOn || !row.isForced || row.policies.length === 0)
      expect(unguarded).toEqual([])
    })

    it('gives the application role no table without row level security', async () => {
      const { rows } =
        await sql`select c.relname::text as table from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm') and not c.relrowsecurity
          and has_table_privilege('cliptape_app', c.oid, 'select, insert, update, delete')`.execute(db.system)
      expect(rows).toEqual([])
      const { rows: roles } = await sql`select rolsuper, rolbypassrls, rolcanlogin from pg_roles
        where rolname = 'cliptape_app'`.execute(db.system)
      expect(roles).toEqual([{ rolsuper: false, rolbypassrls: false, rolcanlogin: false }])
    })
  })

  describe('migrations', () => {
    const shipped = shippedMigrations('postgres/migrations')
    const next = String(shipped.length + 1).padStart(4, '0')

    it('does nothing the second time, even when several start at once', async () => {
      expect(await Promise.all([migrateDb(db), migrateDb(db), migrateDb(db)])).toEqual([
        { applied: [] },
        { applied: [] },
        { applied: [] },
      ])
    })

    it('keeps nothing of a file that fails, and says which one it was', async () => {
      const broken = migrationOf(`${next}_broken.sql`, 'create table half (a int); select 1/0;')
      const error = await rejection(migrateDb(db, [...shipped, broken]))
      expect(error.message).toContain(`${next}_broken.sql failed and was rolled back: division by zero`)
      const { rows } = await sql`select to_regclass('half') as half`.execute(db.system)
      expect(rows).toEqual([{ half: null }])
      expect(await migrateDb(db)).toEqual({ applied: [] })
    })

    it('refuses a file that was edited after it had run', async () => {
      const edited = shipped.map(file => migrationOf(file.name, `${file.sql}\n-- edited`))
      expect(await rejection(migrateDb(db, edited))).toMatchObject({ code: 'CONFLICT' })
    })
  })

  describe('the local owner', () => {
    it('is made once, by whoever comes first', async () => {
      expect(await Promise.all([ensureLocalOwner(db), ensureLocalOwner(db)])).toEqual([owner, owner])
    })
  })

  describe('copies', () => {
    it('brings every value back as it was when the copy was made', async () => {
      const path = join(setup().folder, 'store.jsonl')
      const payload = Buffer.from([0, 10, 13, 34, 92, 255])
      await db.system
        .insertInto('dead_letters')
        .values({
          owner_id: owner,
          dedupe_key: 'k1',
          source: 's',
          format: 'f',
          region: '',
          reason: 'schema_mismatch',
          message: 'line\nbreak "and" quotes',
          file_name: 'a.csv',
          line: null,
          payload,
        })
        .execute()
      await db.system
        .insertInto('settings')
        .values([
          { owner_id: owner, name: 'nothing', value: 'null' },
          { owner_id: stranger, name: 'nested', value: '{"a":[1,"x"]}' },
        ])
        .execute()
      await db.system
        .insertInto('drop_counts')
        .values({ owner_id: owner, source: 's', reason: 'r', row_count: '9007199254740993' })
        .execute()
      await sql`insert into imports (owner_id, file_name, file_sha256, format, status)
        select ${owner}::uuid, 'many-' || n, 'ff', 'generic-csv', 'done' from generate_series(1, 1201) n`.execute(
        db.system,
      )
      const everything = () => contentOf(db)
      const before = await everything()

      await db.dumpTo(path)
      await db.system.deleteFrom('users').where('id', '=', stranger).execute()
      await db.system.updateTable('drop_counts').set({ row_count: 1 }).execute()
      await db.system.deleteFrom('imports').execute()
      expect(await everything()).not.toEqual(before)
      await db.restoreFrom(path)

      expect(await everything()).toEqual(before)
    })

    it('brings back rows that refer to each other, and gives no number out a second time', async () => {
      const path = join(setup().folder, 'numbered.jsonl')
      const newLine = (key: string, entry: 'grant' | 'expire', refersTo: string | null) =>
        db.system
          .insertInto('credit_ledger')
          .values({
            user_id: owner,
            entry,
            amount: 1,
            reason: 'A test',
            idempotency_key: key,
            refers_to: refersTo,
            available_after: 1,
            reserved_after: 0,
            expires_at: null,
          })
          .returning('id')
          .executeTakeFirstOrThrow()
      // Space that a deleted row leaves is used by a later one: rows then lie in another order than that of their keys.
      const gone = await Promise.all(Array.from({ length: 200 }, (_, n) => newLine(`gone-${n}`, 'grant', null)))
      const grant = await newLine('grant', 'grant', null)
      const ids = gone.map(row => row.id)
      await db.system.deleteFrom('credit_ledger').where('id', 'in', ids).execute()
      await db.executeSql('vacuum credit_ledger')
      const last = await newLine('expire', 'expire', grant.id)
      await db.dumpTo(path)
      const after = await newLine('after', 'grant', null)
      await db.restoreFrom(path)
      const kept = await db.system.selectFrom('credit_ledger').select('id').orderBy('id').execute()
      expect(kept.map(row => row.id)).toEqual([grant.id, last.id])
      const next = await newLine('next', 'grant', null)
      expect(Number(next.id)).toBe(Number(last.id) + 1)
      expect(next.id).toBe(after.id)
    })

    it('changes nothing when the copy was cut, is of another schema, or is no copy', async () => {
      const path = join(setup().folder, 'damaged.jsonl')
      await db.dumpTo(path)
      const before = await contentOf(db)
      const whole = await readFile(path)
      await truncate(path, whole.length - 30)
      expect(await rejection(db.restoreFrom(path))).toMatchObject({ code: 'BAD_REQUEST' })
      await writeFile(path, whole.toString().replace(/"checksum":"../, '"checksum":"zz'))
      expect(await rejection(db.restoreFrom(path))).toMatchObject({ code: 'CONFLICT' })
      await writeFile(path, 'PK\u0003\u0004')
      expect(await rejection(db.restoreFrom(path))).toMatchObject({ code: 'BAD_REQUEST' })
      expect(await rejection(db.restoreFrom(`${path}.missing`))).toMatchObject({ code: 'NOT_FOUND' })
      expect(await contentOf(db)).toEqual(before)
    })
  })
}

/** All rows of all tables as text, in a fixed order. */
async function contentOf(db: Db): Promise<unknown> {
  const tables = ['users', 'imports', 'dead_letters', 'drop_counts', 'settings']
  const content = tables.map(async table => {
    const { rows } = await sql<{ row: string }>`select t::text as row from ${sql.table(table)} t order by 1`.execute(
      db.system,
    )
    return [table, rows.map(row => row.row)]
  })
  return await Promise.all(content)
}

async function rejection(promise: Promise<unknown>): Promise<AppError> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof AppError) return error
  throw new Error('Expected an AppError.', { cause: error })
}

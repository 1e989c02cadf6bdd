/**
 * The relational store over a `pg` pool, for both engines: a pool of one connection that ends in the PGlite worker, or
 * a pool of sockets to Postgres.
 *
 * The trap this file closes: PGlite has one connection, so a query on `system` that is awaited inside a transaction
 * waits for a connection which the transaction will only give back after that query. It would wait for ever. An
 * AsyncLocalStorage marks the time inside a callback; taking a second connection there throws, on Postgres as well, so
 * that code which works in one profile works in the other. The mark is an object that is closed with the transaction,
 * because timers and listeners made inside inherit it and may outlive it.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type CompiledQuery,
  type DatabaseConnection,
  Kysely,
  PostgresAdapter,
  PostgresDriver,
  PostgresIntrospector,
  PostgresQueryCompiler,
  sql,
  type Transaction,
} from 'kysely'
import type pg from 'pg'
import type { UserId } from '../../contracts/ids.ts'
import type { Log } from '../log.ts'
import { dumpDatabase, restoreDatabase } from './dump.ts'
import type { Db } from './port.ts'
import type { Database } from './schema.ts'
import { toAppError } from './sql-errors.ts'

/** Makes a `Db` of an open pool. `onClose` runs after the pool has ended. */
export function poolDb(options: { kind: Db['kind']; pool: pg.Pool; log: Log; onClose?: () => Promise<void> }): Db {
  const { kind, pool, log } = options
  const inside = new AsyncLocalStorage<{ isOpen: boolean }>()
  // A lost connection is reported once, where it happened. Both listeners are needed: an emitted error that nobody
  // listens to ends the process, and the pool listens only while a connection is idle.
  pool.on('connect', client =>
    client.on('error', error => log.warn({ err: error }, 'A connection to the relational store was lost.')),
  )
  pool.on('error', () => undefined)

  const assertOutside = () => {
    if (!inside.getStore()?.isOpen) return
    throw new Error(
      'A query was made outside the open transaction that it runs in: use the transaction handle. On PGlite it would wait for ever.',
    )
  }

  const system = new Kysely<Database>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createDriver: () => new GuardedDriver(pool, { assertOutside, isOurs: () => inside.getStore() !== undefined }),
      createIntrospector: kysely => new PostgresIntrospector(kysely),
      createQueryCompiler: () => new PostgresQueryCompiler(),
    },
  })

  const transaction = async <T>(work: (trx: Transaction<Database>) => Promise<T>): Promise<T> => {
    assertOutside()
    const mark = { isOpen: false }
    const runMarked = async (trx: Transaction<Database>) => {
      mark.isOpen = true
      try {
        return await work(trx)
      } finally {
        mark.isOpen = false
      }
    }
    return await inside.run(mark, () => system.transaction().execute(runMarked))
  }

  const db: Db = {
    kind,
    system,
    transaction,
    async asUser<T>(userId: UserId, work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
      return await transaction(async trx => {
        await sql`select set_config('app.user_id', ${userId}, true), set_config('role', 'cliptape_app', true)`.execute(
          trx,
        )
        return await work(trx)
      })
    },
    async executeSql(text, values) {
      assertOutside()
      return await runOnPool(pool, text, values)
    },
    async ping() {
      await sql`select 1`.execute(system)
    },
    dumpTo: path => dumpDatabase(db, path),
    restoreFrom: path => restoreDatabase(db, path),
    async close() {
      await system.destroy()
      // Kysely ends a pool only when it has used it.
      if (!pool.ending) await pool.end()
      await options.onClose?.()
    },
  }
  return db
}

/** Kysely's own driver, refusing a second connection inside a transaction and speaking `AppError`. */
class GuardedDriver extends PostgresDriver {
  readonly #guard: { assertOutside: () => void; isOurs: () => boolean }
  readonly #translated = new WeakSet<DatabaseConnection>()

  constructor(pool: pg.Pool, guard: { assertOutside: () => void; isOurs: () => boolean }) {
    super({ pool })
    this.#guard = guard
  }

  override async beginTransaction(...args: Parameters<PostgresDriver['beginTransaction']>): Promise<void> {
    // `system.transaction()` would open one without the mark, and nothing would catch a query beside it.
    if (!this.#guard.isOurs()) throw new Error('Open transactions with db.transaction or db.asUser, not on system.')
    await super.beginTransaction(...args)
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    this.#guard.assertOutside()
    const connection = await super.acquireConnection().catch(rethrow)
    // The driver recognises its own connection objects by private members, so they are changed, not wrapped.
    if (!this.#translated.has(connection)) {
      const executeQuery = connection.executeQuery.bind(connection)
      connection.executeQuery = async <R>(query: CompiledQuery) => await executeQuery<R>(query).catch(rethrow)
      this.#translated.add(connection)
    }
    return connection
  }
}

function rethrow(error: unknown): never {
  throw toAppError(error)
}

async function runOnPool(
  pool: pg.Pool,
  text: string,
  values: unknown[] | undefined,
): Promise<{ rows: Record<string, unknown>[] }> {
  const client = await pool.connect().catch(rethrow)
  try {
    // Several statements at once give one result each; a RETURNING in the middle must not be lost.
    const result: unknown = await client.query(text, values?.length ? values : undefined)
    client.release()
    return { rows: rowsOf(result) }
  } catch (error) {
    // A block that failed halfway leaves its transaction open: the next user of this connection must not inherit it.
    const isClean = await client.query('rollback').then(
      () => true,
      () => false,
    )
    client.release(!isClean)
    throw toAppError(error)
  }
}

function rowsOf(result: unknown): Record<string, unknown>[] {
  const results: unknown[] = Array.isArray(result) ? result : [result]
  return results.flatMap(one =>
    typeof one === 'object' && one !== null && 'rows' in one && Array.isArray(one.rows) ? one.rows : [],
  )
}

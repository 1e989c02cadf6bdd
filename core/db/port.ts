import type { Kysely, Transaction } from 'kysely'
import type { UserId } from '../../contracts/ids.ts'
import type { Database } from './schema.ts'

/**
 * The relational store: PGlite in a worker, or Postgres. One dialect. Errors of the driver are translated once, by
 * SQLSTATE: unique violation → `CONFLICT`, row level security → `NOT_FOUND`, connection lost → `UNAVAILABLE`.
 */
export interface Db {
  readonly kind: 'pglite' | 'postgres'
  /** For our own bookkeeping that belongs to no user. Runs as the role that owns the tables. */
  readonly system: Kysely<Database>
  /**
   * One transaction as `userId`, under a role that cannot bypass row level security. Make no network call inside and
   * use only the handle given: on PGlite any other query would wait for ever, so using `system` inside throws.
   */
  asUser<T>(userId: UserId, work: (trx: Transaction<Database>) => Promise<T>): Promise<T>
  /** One transaction of our own bookkeeping; the same rule holds. */
  transaction<T>(work: (trx: Transaction<Database>) => Promise<T>): Promise<T>
  /**
   * Plain SQL for libraries that bring their own (the queue). Without values the text may hold several statements; their
   * rows come back in order. Never a user's text. The same rule about open transactions holds.
   */
  executeSql(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
  ping(): Promise<void>
  /**
   * A consistent copy of every table of ours in one new file (JSON lines, mode 0600), made while the store is in use.
   * Either kind reads it. Jobs of the queue are not in it: they are made again from the tables.
   */
  dumpTo(path: string): Promise<void>
  /**
   * Replaces all rows by those of a dump, in one transaction. An empty store is migrated to the dump's version first; any
   * other must be at exactly that version, else `CONFLICT`. Run `migrateDb` afterwards.
   */
  restoreFrom(path: string): Promise<void>
  close(): Promise<void>
}

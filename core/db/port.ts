import type { Kysely, Transaction } from 'kysely'
import type { UserId } from '../../contracts/ids.ts'
import type { Database } from './schema.ts'

/**
 * The relational store: PGlite in a worker, or Postgres. One dialect. Errors of the driver are translated once here, by
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
  ping(): Promise<void>
  /** A consistent copy of the whole store while it runs, restorable with `restore` of the same kind. */
  dumpTo(path: string): Promise<void>
  close(): Promise<void>
}

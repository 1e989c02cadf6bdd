import { createHash } from 'node:crypto'
import { AppError } from '../contracts/errors.ts'
import { listSql, readSql } from '../sql/read.ts'

/** One file of a migrations folder, e.g. `0001_accounts_and_ingest.sql`. */
export interface Migration {
  name: string
  sql: string
  /** SHA-256 of the text, hex. */
  checksum: string
}

/** The migrations that ship in one folder under `sql/`, in order. @throws AppError INTERNAL when a number is missing. */
export function shippedMigrations(folder: 'postgres/migrations' | 'clickhouse/migrations'): Migration[] {
  return listSql(folder).map(name => migrationOf(name, readSql(`${folder}/${name}`)))
}

export function migrationOf(name: string, sql: string): Migration {
  return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
}

/**
 * Which of `files` are still to run, in order.
 *
 * @param files all that ship, any order; numbered 0001, 0002, … without gaps
 * @param applied what the store has recorded, any order
 * @throws AppError CONFLICT when a recorded file was edited, is missing here (the store is newer than this program), or
 *   was recorded out of order; INTERNAL when the shipped files themselves have a gap
 */
export function planMigrations(
  files: readonly Migration[],
  applied: readonly { name: string; checksum: string }[],
): Migration[] {
  const ordered = [...files].sort((a, b) => (a.name < b.name ? -1 : 1))
  ordered.forEach((file, index) => {
    const expected = String(index + 1).padStart(4, '0')
    if (file.name.slice(0, 5) === `${expected}_`) return
    throw new AppError('INTERNAL', `Migration ${expected} is missing: found ${file.name} in its place.`)
  })
  const checksums = new Map(applied.map(({ name, checksum }) => [name, checksum]))
  for (const name of checksums.keys()) {
    if (ordered.some(file => file.name === name)) continue
    throw new AppError(
      'CONFLICT',
      `This store has the migration ${name}, which this version of Cliptape does not know: update Cliptape.`,
    )
  }
  const pending: Migration[] = []
  for (const file of ordered) {
    const recorded = checksums.get(file.name)
    if (recorded === undefined) pending.push(file)
    else if (recorded !== file.checksum) {
      throw new AppError(
        'CONFLICT',
        `The migration ${file.name} was changed after it had run: put the shipped file back, and write a new migration instead.`,
      )
    } else if (pending[0]) {
      throw new AppError(
        'CONFLICT',
        `The migration ${pending[0].name} has not run, but the later ${file.name} has: the store's history has a gap.`,
      )
    }
  }
  return pending
}

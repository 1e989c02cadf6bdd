import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { BackupProgress } from '../../contracts/control.ts'
import { AppError } from '../../contracts/errors.ts'
import { backupStore } from '../../core/clickhouse/backup.ts'
import { systemClock } from '../../core/clock.ts'
import type { Stores } from '../compose/stores.ts'
import { describeFiles, type Manifest, writeArchive } from './archive.ts'

export const relationalFile = 'relational.jsonl'
export const analyticsFolder = 'analytics'

/**
 * Writes both stores into one archive while they are in use. Each is copied as of one moment, the relational store
 * first: what it says of rows that were written (an import that is done, a dead letter that was replayed) is then true of
 * the rows in the copy. Rows that come later may be in it as well, which changes nothing: rows are idempotent.
 *
 * @throws AppError CONFLICT when the file exists, UNAVAILABLE when its folder cannot be written
 */
export async function createBackup(
  { db, store }: Pick<Stores, 'db' | 'store'>,
  options: { path: string; version: string },
  onProgress: (progress: BackupProgress) => void,
): Promise<void> {
  const scratch = await makeScratch(options.path)
  try {
    onProgress({ type: 'progress', step: 'accounts, imports, dead letters', bytes: 0 })
    await db.dumpTo(join(scratch, relationalFile))
    onProgress({ type: 'progress', step: 'samples and rollups', bytes: 0 })
    await mkdir(join(scratch, analyticsFolder), { mode: 0o700 })
    await backupStore(store, join(scratch, analyticsFolder))
    const files = await describeFiles(scratch)
    const manifest: Manifest = {
      format: 'cliptape-backup',
      formatVersion: 1,
      cliptapeVersion: options.version,
      madeAt: new Date(systemClock.nowMs()).toISOString(),
      files,
    }
    onProgress({ type: 'progress', step: 'packing', bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) })
    const { bytes } = await writeArchive({ path: options.path, folder: scratch, manifest })
    onProgress({ type: 'done', path: options.path, bytes })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function makeScratch(path: string): Promise<string> {
  try {
    return await mkdtemp(`${path}.`)
  } catch (cause) {
    throw new AppError('UNAVAILABLE', `The folder ${dirname(path)} cannot be written: choose another place.`, { cause })
  }
}

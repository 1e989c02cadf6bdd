import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { repairRollups } from '../../analytics/settle.ts'
import { AppError } from '../../contracts/errors.ts'
import { restoreStore } from '../../core/clickhouse/backup.ts'
import { migrateAnalytics } from '../../core/clickhouse/migrate.ts'
import { systemClock } from '../../core/clock.ts'
import { migrateDb } from '../../core/db/migrate.ts'
import { isEmptyHome, prepareHome } from '../../core/home.ts'
import { lockHome } from '../../core/home-lock.ts'
import { openEmbedded } from '../compose/embedded.ts'
import { realWorld } from '../compose/roles.ts'
import type { OpenOptions } from '../compose/stores.ts'
import { type Manifest, readArchive } from './archive.ts'
import { analyticsFolder, relationalFile } from './create-backup.ts'

/**
 * Brings a backup back into a home. Checksums first: a damaged archive changes nothing. A home that holds data is
 * refused, or with `force` put aside whole (`<home>.before-restore-…`), never overwritten.
 *
 * @returns the manifest, and where the old home lies now
 * @throws AppError CONFLICT when the home holds data or a server runs on it; BAD_REQUEST for a damaged archive
 */
export async function restoreBackup(
  options: OpenOptions,
  request: { path: string; force: boolean },
): Promise<{ manifest: Manifest; asideAt: string | null }> {
  const { root } = options.paths
  if (!isEmptyHome(options.paths) && !request.force) {
    throw new AppError(
      'CONFLICT',
      `The home ${root} holds data already: set CLIPTAPE_HOME to a new folder, or use --force to put the old one aside.`,
    )
  }
  const scratch = await mkdtemp(join(dirname(root), '.cliptape-restore-'))
  try {
    const manifest = await readArchive({ path: request.path, folder: scratch })
    const asideAt = await putAside(options)
    const stores = await openEmbedded(options)
    await stores.db.restoreFrom(join(scratch, relationalFile))
    await migrateDb(stores.db)
    await restoreStore(stores.store, join(scratch, analyticsFolder))
    await migrateAnalytics(stores.store, { database: 'cliptape' })
    // What is settled is not copied: the rows that came back have marked all of it anew.
    await repairRollups(stores.store, realWorld)
    return { manifest, asideAt }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Moves a home with data away, while nobody has it. */
async function putAside({ paths }: OpenOptions): Promise<string | null> {
  if (!existsSync(paths.root) || isEmptyHome(paths)) return null
  const lock = await lockHome(paths.root)
  const stamp = new Date(systemClock.nowMs()).toISOString().replace(/[:.]/g, '-')
  const asideAt = `${paths.root}.before-restore-${stamp}`
  try {
    await rename(paths.root, asideAt)
  } finally {
    await lock.release()
  }
  await prepareHome(paths.root)
  return asideAt
}

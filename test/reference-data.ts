import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { packageRoot } from '../sql/read.ts'

/** The folder with the real sets that tests check figures against; it does not ship. */
const folder = resolve(packageRoot, process.env.CLIPTAPE_REFERENCE_DATA ?? '../shared/data')

/**
 * The absolute path of one file or folder of the reference data, or null where it is absent: such tests are skipped
 * visibly, with `describe.skipIf`.
 * @param path relative to the reference data, e.g. `tiktok/trending_2020-12.json.gz`
 */
export function referenceData(path: string): string | null {
  const absolute = join(folder, path)
  return existsSync(absolute) ? absolute : null
}

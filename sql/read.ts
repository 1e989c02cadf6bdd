import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json, whether we run from sources or from the bundle in dist/. */
export const packageRoot = findRoot(dirname(fileURLToPath(import.meta.url)))

/**
 * The text of one file of this room.
 * @param path relative to `sql/`, e.g. `clickhouse/queries/trends.sql`
 */
export function readSql(path: string): string {
  return readFileSync(join(packageRoot, 'sql', path), 'utf8')
}

/** The names of the files in one folder of this room, those of one kind, sorted. */
export function listSql(folder: string, extension = '.sql'): string[] {
  return readdirSync(join(packageRoot, 'sql', folder))
    .filter(name => name.endsWith(extension))
    .sort()
}

function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json')) && existsSync(join(from, 'sql'))) return from
  const parent = dirname(from)
  if (parent === from) throw new Error('The Cliptape package folder (package.json beside sql/) was not found.')
  return findRoot(parent)
}

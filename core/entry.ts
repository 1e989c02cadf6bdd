import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

const sources = {
  'chdb-child': join(here, 'clickhouse', 'chdb-child.ts'),
  'chdb-reader': join(here, 'clickhouse', 'chdb-reader.ts'),
  'pglite-worker': join(here, 'db', 'pglite-worker.ts'),
  'node-av-child': join(here, '..', 'media', 'engine', 'node-av-child.ts'),
  'starter-child': join(here, '..', 'media', 'engine', 'starter-child.ts'),
} as const

/**
 * The file that a child process or worker thread is started from: its source when we run from sources
 * (Node strips the types), `dist/<name>.mjs` when we run from the bundle, whose chunks all lie in dist/.
 */
export function entryPath(name: keyof typeof sources): string {
  const bundled = join(here, `${name}.mjs`)
  return existsSync(bundled) ? bundled : sources[name]
}

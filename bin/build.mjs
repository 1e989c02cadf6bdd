// Makes the bundle in dist/: Node strips types but not TSX, and one bundled file opens faster than 300 sources.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './install.mjs'

const entries = {
  cliptape: 'bin/main.ts',
  'chdb-child': 'core/clickhouse/chdb-child.ts',
  'chdb-reader': 'core/clickhouse/chdb-reader.ts',
  'pglite-worker': 'core/db/pglite-worker.ts',
  'node-av-child': 'media/engine/node-av-child.ts',
  'starter-child': 'media/engine/starter-child.ts',
}
/** Chunks of an older bundle stay this long, for a process that still runs from it and loads one late. */
const oldChunkKeptMs = 24 * 3_600_000

/**
 * Builds when there is no bundle or a source of it has changed since. Checking costs one stat per source.
 *
 * @param {string} root the folder of package.json
 * @throws Error whose message is a sentence for the user
 */
export async function ensureBuilt(root) {
  if (isFresh(root)) return
  await withLock(root, 'build', async () => {
    if (!isFresh(root)) await build(root)
  })
}

function isFresh(root) {
  const manifest = readManifest(root)
  if (manifest === null) return false
  return manifest.sources.every(([path, mtimeMs, size]) => {
    const now = statSync(join(root, path), { throwIfNoEntry: false })
    return now !== undefined && now.mtimeMs === mtimeMs && now.size === size
  })
}

function readManifest(root) {
  try {
    return JSON.parse(readFileSync(join(root, 'dist', 'manifest.json'), 'utf8'))
  } catch {
    return null
  }
}

async function build(root) {
  const { build: bundle, stop } = await import('esbuild')
  // Taken before the build: a source that changes while it runs is built again next time.
  const startedAtMs = Date.now()
  const result = await bundle({
    absWorkingDir: root,
    entryPoints: Object.entries(entries).map(([out, path]) => ({ in: path, out })),
    outdir: 'dist',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    packages: 'external',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"' },
    metafile: true,
    write: false,
    logLevel: 'silent',
  })
    .catch(error => {
      throw new Error(`The sources could not be built: ${error.message}`)
    })
    // Its process would stay as long as ours, with our environment and the secrets in it.
    .finally(stop)
  const dist = join(root, 'dist')
  mkdirSync(dist, { recursive: true })
  // Chunks before the entries that name them; each file appears whole.
  const files = [...result.outputFiles].sort((a, b) => Number(isEntry(a.path)) - Number(isEntry(b.path)))
  for (const file of files) writeWhole(file.path, file.contents)
  const own = ['bin/build.mjs', 'package-lock.json']
  const sources = [...Object.keys(result.metafile.inputs), ...own].map(path => {
    const { mtimeMs, size } = statSync(join(root, path))
    return [path, mtimeMs >= startedAtMs ? 0 : mtimeMs, size]
  })
  writeWhole(join(dist, 'manifest.json'), JSON.stringify({ sources }))
  removeOldChunks(dist, new Set(files.map(file => relative(dist, file.path))))
}

function isEntry(path) {
  return Object.keys(entries).some(name => path.endsWith(`/${name}.mjs`))
}

function writeWhole(path, contents) {
  const temporary = `${path}.${process.pid}.tmp`
  writeFileSync(temporary, contents)
  renameSync(temporary, path)
}

function removeOldChunks(dist, current) {
  for (const name of readdirSync(dist)) {
    const isOld = Date.now() - statSync(join(dist, name)).mtimeMs > oldChunkKeptMs
    if (name.startsWith('chunk-') && !current.has(name) && isOld) rmSync(join(dist, name))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = dirname(dirname(fileURLToPath(import.meta.url)))
  await build(root)
  console.log(existsSync(join(root, 'dist', 'cliptape.mjs')) ? 'The bundle is in dist/.' : 'Nothing was built.')
}

import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { AppError } from '../contracts/errors.ts'

const socketPathBytesMax = 100

/**
 * Where things lie in a home folder (mode 0700):
 *
 *     analytics/        chDB: samples, rollups
 *     relational/       PGlite: accounts, dead letters, jobs
 *     blobs/            clips and uploads
 *     work/             files of work on media that is under way
 *     logs/             cliptape.log and the files before it
 *     secrets/          made once, mode 0600
 *     control.sock      where other verbs reach the running server, mode 0600
 *     home.lock         held by the process that runs here; home.pid says which
 *     niches.json       the user's own niche rules, when there are any
 */
export interface HomePaths {
  readonly root: string
  readonly analytics: string
  readonly relational: string
  readonly blobs: string
  readonly work: string
  readonly log: string
  readonly secrets: string
  readonly controlSocket: string
  readonly niches: string
}

export function homePaths(root: string): HomePaths {
  return {
    root,
    analytics: join(root, 'analytics'),
    relational: join(root, 'relational'),
    blobs: join(root, 'blobs'),
    work: join(root, 'work'),
    log: join(root, 'logs', 'cliptape.log'),
    secrets: join(root, 'secrets'),
    controlSocket: controlSocketIn(root),
    niches: join(root, 'niches.json'),
  }
}

/** The address of a unix socket holds about 100 bytes; a home with a longer path has its socket in the temporary folder. */
function controlSocketIn(root: string): string {
  const inside = join(root, 'control.sock')
  if (Buffer.byteLength(inside) <= socketPathBytesMax) return inside
  const name = createHash('sha256').update(root).digest('hex').slice(0, 16)
  return join(tmpdir(), `cliptape-${process.getuid?.() ?? 0}-${name}`, 'control.sock')
}

/** Makes the folder when it is not there, readable by its owner alone. @throws AppError UNAVAILABLE when that fails */
export async function prepareHome(root: string): Promise<HomePaths> {
  try {
    await mkdir(root, { recursive: true, mode: 0o700 })
    await chmod(root, 0o700)
    await mkdir(dirname(homePaths(root).controlSocket), { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new AppError(
      'UNAVAILABLE',
      `The home folder ${root} cannot be made or used: set CLIPTAPE_HOME to a folder of yours.`,
      {
        cause,
      },
    )
  }
  return homePaths(root)
}

/** Whether anything was ever kept in this home. */
export function isEmptyHome(paths: HomePaths): boolean {
  return !existsSync(paths.analytics) && !existsSync(paths.relational)
}

/**
 * Secrets of the embedded profile: what the configuration gives, else 32 random bytes (base64url) made once.
 * Two processes that make one at the same time end with the same value: the first file stays.
 */
export async function ensureSecrets<Name extends string>(
  paths: HomePaths,
  given: Readonly<Record<Name, string | null>>,
): Promise<Map<string, string>> {
  await mkdir(paths.secrets, { recursive: true, mode: 0o700 })
  const secrets = new Map<string, string>()
  for (const [name, value] of Object.entries<string | null>(given)) {
    secrets.set(name, value ?? (await ensureSecret(join(paths.secrets, name.toLowerCase().replaceAll('_', '-')))))
  }
  return secrets
}

async function ensureSecret(path: string): Promise<string> {
  if (!existsSync(path)) {
    // Named at random: two calls of one process may make it at the same moment as well.
    const temporary = `${path}.${randomBytes(6).toString('hex')}`
    // On disk before anything depends on it: what is sealed with a key that was lost is lost.
    await writeFile(temporary, randomBytes(32).toString('base64url'), { mode: 0o600, flush: true })
    await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await rm(temporary)
  }
  return (await readFile(path, 'utf8')).trim()
}

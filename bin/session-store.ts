import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { SessionStore, StoredSession } from '../terminal/net/account.ts'

// Where the terminal keeps its session on a remote server: in the system's keychain, else (no keychain, a locked one, a machine
// without a screen) in a file that only its user can read. Every terminal of a user shares it, so a refresh is done under a
// lock: SQLite's, for the reasons told in core/home-lock.ts.

/** One entry of a keychain; each call rejects when there is no keychain or it stays locked. */
export interface KeychainEntry {
  get(): Promise<string | null>
  set(secret: string): Promise<void>
  delete(): Promise<void>
}

const keychainService = 'cliptape'
/** Long enough to type the keychain's own password when it asks for it. */
const keychainTimeoutMs = 60_000
const lockTimeoutMs = 30_000
const lockPauseMs = 40
const sqliteBusy = 5

const StoredSessionSchema = z.object({ refreshToken: z.string().min(1), email: z.string() })

/**
 * The session on one server.
 *
 * @param folder where the file and the lock go, when they are needed; made with mode 0700
 * @param server the server's origin
 * @param keychain null keeps the session in the file
 */
export function createSessionStore(options: {
  folder: string
  server: string
  keychain: KeychainEntry | null
}): SessionStore {
  const name = createHash('sha256').update(options.server).digest('hex').slice(0, 24)
  const path = join(options.folder, `${name}.json`)
  let { keychain } = options
  /** A session that could be kept nowhere lives as long as this process. */
  let unkept: StoredSession | null = null

  /** What the keychain does, or null once it has failed: it is not asked again. */
  async function ask<T>(work: (entry: KeychainEntry) => Promise<T>): Promise<{ value: T } | null> {
    if (keychain === null) return null
    try {
      return { value: await work(keychain) }
    } catch {
      keychain = null
      return null
    }
  }

  return {
    async load() {
      if (unkept !== null) return unkept
      const kept = await ask(entry => entry.get())
      const text = kept?.value ?? (await readFile(path, 'utf8').catch(() => null))
      return text === null ? null : parseSession(text)
    },
    async save({ refreshToken, email }) {
      const text = JSON.stringify({ refreshToken, email })
      unkept = null
      if ((await ask(entry => entry.set(text))) !== null) return void (await rm(path, { force: true }))
      try {
        await writeSecret(options.folder, path, text)
      } catch {
        unkept = { refreshToken, email }
      }
    },
    async clear() {
      unkept = null
      await ask(entry => entry.delete())
      await rm(path, { force: true }).catch(() => {})
    },
    async exclusively(work) {
      const release = await lock(options.folder, join(options.folder, `${name}.lock`))
      try {
        return await work()
      } finally {
        release()
      }
    },
  }
}

/** The keychain's entry for a server, or null where this installation has no keychain library. */
export async function openKeychain(server: string): Promise<KeychainEntry | null> {
  try {
    const { AsyncEntry } = await import('@napi-rs/keyring')
    // Linux's kernel keyring forgets with the machine's next start: only a real keychain will do.
    const entry = new AsyncEntry(keychainService, server, { linux: { store: 'secret-service' } })
    const limit = () => AbortSignal.timeout(keychainTimeoutMs)
    return {
      get: async () => (await entry.getPassword(limit())) ?? null,
      set: secret => entry.setPassword(secret, limit()),
      delete: async () => void (await entry.deleteCredential(limit())),
    }
  } catch {
    return null
  }
}

function parseSession(text: string): StoredSession | null {
  try {
    return StoredSessionSchema.parse(JSON.parse(text))
  } catch {
    // Not a session of ours, or a broken one: as if there were none.
    return null
  }
}

async function writeSecret(folder: string, path: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const temporary = `${path}.${process.pid}`
  await writeFile(temporary, `${text}\n`, { mode: 0o600 })
  await rename(temporary, path)
}

/** Waits for the lock. Where none can be had (a folder that cannot be written), there is nobody to share with. */
async function lock(folder: string, path: string): Promise<() => void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => {})
  for (let waitedMs = 0; waitedMs < lockTimeoutMs; waitedMs += lockPauseMs) {
    const held = tryLock(path)
    if (held !== 'busy') return held
    await delay(lockPauseMs)
  }
  throw new Error('Another terminal is renewing the session and does not come to an end: close it.')
}

function tryLock(path: string): (() => void) | 'busy' {
  let database: DatabaseSync
  try {
    database = new DatabaseSync(path, { timeout: 0 })
  } catch {
    return () => {}
  }
  try {
    database.exec('pragma journal_mode = off; begin exclusive')
    return () => database.close()
  } catch (error) {
    database.close()
    const isBusy = error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
    return isBusy ? 'busy' : () => {}
  }
}

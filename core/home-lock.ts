/**
 * One process per home: PGlite takes no lock of its own, and two that write one folder lose rows without an error.
 *
 * The lock must end with its process, whatever ends it. A file with a pid in it does not: after a kill -9 it stays, and
 * by the time somebody looks the pid may belong to a stranger. A listening unix socket stays as a file too, and its
 * address is limited to about 100 bytes, less than many home paths. Node has no flock. What Node does have is SQLite,
 * which locks its files with fcntl: the kernel gives such a lock to one process, and takes it back when that process
 * is gone, at once and in every case; there is nothing stale to recognise and no pid to compare. So the lock is an
 * exclusive transaction on an empty database that is never written.
 *
 * Limits. fcntl locks are lost when the same process closes any other descriptor of that file: nothing else may open
 * `home.lock` (a backup copies stores, not folders). They hold between machines only where the network file system
 * says so; a home belongs on a local disk.
 *
 * The pid beside it is for the sentence that the second process prints, nothing depends on it.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../contracts/errors.ts'

const sqliteBusy = 5
const pidReadAttempts = 20
const pidReadPauseMs = 25

/**
 * Takes the home for this process, making the folder (mode 0700) when it is not there.
 *
 * @throws AppError CONFLICT when another process, or another caller in this one, has it: the sentence names its pid
 *   (`details.pid`, null when it could not be read); UNAVAILABLE when the folder cannot be written
 */
export async function lockHome(home: string): Promise<{ release(): Promise<void> }> {
  const database = await openLockFile(home)
  try {
    database.exec('pragma journal_mode = off; begin exclusive')
  } catch (error) {
    database.close()
    if (sqliteCodeOf(error) !== sqliteBusy) throw unwritable(home, error)
    const pid = await readHolder(home)
    const who = pid === null ? 'Another process' : `Process ${pid}`
    throw new AppError(
      'CONFLICT',
      `${who} is already running Cliptape on ${home}: stop it first, or set CLIPTAPE_HOME to another folder.`,
      { details: { pid } },
    )
  }
  await writeFile(pidPath(home), `${process.pid}\n`, { mode: 0o600 })
  return {
    async release() {
      if (database.isOpen) database.close()
    },
  }
}

async function openLockFile(home: string): Promise<DatabaseSync> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 })
    return new DatabaseSync(join(home, 'home.lock'), { timeout: 0 })
  } catch (error) {
    throw unwritable(home, error)
  }
}

function pidPath(home: string): string {
  return join(home, 'home.pid')
}

/** The pid of a living process; a holder that has only just taken the lock has not written its own yet. */
async function readHolder(home: string): Promise<number | null> {
  for (let attempt = 0; attempt < pidReadAttempts; attempt += 1) {
    const pid = Number(await readFile(pidPath(home), 'utf8').catch(() => ''))
    if (Number.isInteger(pid) && pid > 0 && isAlive(pid)) return pid
    await delay(pidReadPauseMs)
  }
  return null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function sqliteCodeOf(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : null
}

function unwritable(home: string, cause: unknown): AppError {
  return new AppError('UNAVAILABLE', `The folder ${home} cannot be written: check that it exists and is yours.`, {
    cause,
  })
}

import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { WorkRoom } from './work-room.ts'

/** No job runs this long. */
const ageMsMax = 24 * 3_600_000
const folderName = /^(\d+)-[A-Za-z0-9]+$/

/** A folder of one job alone. */
export interface JobFolder {
  /** Absolute, empty, readable by this user alone. */
  readonly path: string
  /** As of `RoomShare`, for large copies in it. */
  take(bytes: number): Promise<void>
  /** Removes it with everything in it. */
  remove(): Promise<void>
}

/**
 * Makes a folder for one job. Its name holds the process that works in it, so that a sweep finds what a killed process
 * left behind.
 * @param root absolute; made when it is not there
 * @param room which the folder takes from and gives back to
 */
export async function createJobFolder(root: string, room: WorkRoom): Promise<JobFolder> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const path = await mkdtemp(join(root, `${process.pid}-`))
  const share = room.share()
  return {
    path,
    take: share.take,
    async remove() {
      await rm(path, { recursive: true, force: true })
      share.giveBack()
    },
  }
}

/**
 * Removes the folders of processes of this machine that are gone, and those older than any job. Run before the first
 * job of a process: what bears its own number is from an earlier one.
 * @returns how many were removed
 */
export async function sweepJobFolders(root: string, clock: Clock): Promise<number> {
  const names = await readdir(root).catch(() => [])
  let removedCount = 0
  for (const name of names) {
    const pid = folderName.exec(name)?.[1]
    if (pid === undefined || !(await isLeftBehind(join(root, name), Number(pid), clock))) continue
    await rm(join(root, name), { recursive: true, force: true })
    removedCount += 1
  }
  return removedCount
}

async function isLeftBehind(path: string, pid: number, clock: Clock): Promise<boolean> {
  if (pid === process.pid || !isAlive(pid)) return true
  const made = await stat(path).catch(() => null)
  return made !== null && clock.nowMs() - made.mtimeMs > ageMsMax
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Of another user: alive all the same.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

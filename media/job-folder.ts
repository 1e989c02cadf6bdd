import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** The private folder of one job: engines see nothing but the files in it. */
export interface JobFolder {
  /** Absolute. */
  readonly path: string
  /** With everything in it. */
  remove(): Promise<void>
}

/**
 * Makes a new, empty folder for one job. Its name begins with this process's id, so that a later start finds what a
 * killed process left.
 * @param root where such folders lie; made when it is not there
 */
export async function createJobFolder(root: string, jobId: string): Promise<JobFolder> {
  await mkdir(root, { recursive: true, mode: 0o700 })
  const path = await mkdtemp(join(root, `${process.pid}-${jobId}-`))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** Removes the folders of processes that are gone, and of an earlier one that had this process's id. */
export async function sweepJobFolders(root: string): Promise<void> {
  const names = await readdir(root).catch(() => [])
  for (const name of names) {
    const pid = Number(/^(\d+)-/.exec(name)?.[1])
    if (pid > 0 && (pid === process.pid || !isAlive(pid))) await rm(join(root, name), { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It is there, and another user's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

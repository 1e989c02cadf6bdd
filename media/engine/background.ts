import { writeFile } from 'node:fs/promises'
import { setPriority } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'

/** A tenth of what the server, the terminal and other programs get where they want it too; all of it where they do not. */
const niceness = 10
/** Linux takes one change of a group in a tenth of a second from those who are not root. */
const againMs = 120
const triesMax = 20

/**
 * Puts a process that leads a session of its own, and all that it will start, behind everything else that wants the
 * processor. On Linux each session may be a group that gets as much as any other one, whatever the niceness of what is in
 * it (`sched_autogroup`): so the group is told as well. What the system refuses is let be: it is a courtesy.
 */
export async function putInBackground(pid: number): Promise<void> {
  try {
    setPriority(pid, niceness)
    for (let tries = 0; process.platform === 'linux' && tries < triesMax; tries += 1) {
      if (await told(pid)) return
      await delay(againMs, undefined, { ref: false })
    }
  } catch {
    // It has ended already, or there are no groups here.
  }
}

/** @returns false when the system wants to be asked again later */
async function told(pid: number): Promise<boolean> {
  try {
    await writeFile(`/proc/${pid}/autogroup`, String(niceness))
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EAGAIN') return false
    throw error
  }
}

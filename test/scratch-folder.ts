import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'

const memoryFolder = '/dev/shm'
/** Two workers with the largest stores of the tests take a tenth of it. */
const freeBytesMin = 4 * 1024 ** 3

/**
 * Lets the default run keep its temporary folders in memory, where the machine offers that: the stores sync every
 * commit, which none of these tests looks at. Those that do (power cuts, full disks) are the tests with services, and stay
 * on the disk. What a killed test left behind goes with the run.
 */
export default function useScratchFolder(): (() => void) | undefined {
  if (!isRoomy()) return undefined
  const folder = mkdtempSync(join(memoryFolder, 'cliptape-test-'))
  process.env.TMPDIR = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

/** Room for the stores, and leave to run the programs that some tests write. */
function isRoomy(): boolean {
  if (!existsSync('/proc/mounts')) return false
  const [, options] = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(readFileSync('/proc/mounts', 'utf8')) ?? []
  if (options === undefined || options.split(',').includes('noexec')) return false
  const { bavail, bsize } = statfsSync(memoryFolder)
  return bavail * bsize >= freeBytesMin
}

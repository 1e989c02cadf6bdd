import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './process.ts'

/** A small file system of its own, to fill to the brim. */
export interface Tmpfs {
  readonly folder: string
  resize(megabytes: number): Promise<void>
  unmount(): Promise<void>
}

/** True where this process may mount: root on Linux, outside of a container that forbids it. */
export async function canMountTmpfs(): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  return await mountTmpfs(1).then(
    async tmpfs => {
      await tmpfs.unmount()
      return true
    },
    () => false,
  )
}

/** Mounts one of that size. The caller unmounts it. */
export async function mountTmpfs(megabytes: number): Promise<Tmpfs> {
  const folder = await mkdtemp(join(tmpdir(), 'cliptape-tmpfs-'))
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755`, 'tmpfs', folder])
  } catch (error) {
    await rm(folder, { recursive: true })
    throw error
  }
  return {
    folder,
    async resize(newMegabytes) {
      await run('mount', ['-o', `remount,size=${newMegabytes}m`, folder])
    },
    async unmount() {
      await run('umount', [folder])
      await rm(folder, { recursive: true })
    },
  }
}

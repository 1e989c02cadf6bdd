import { open } from 'node:fs/promises'
import { AppError } from '../../contracts/errors.ts'
import type { BlobStore } from '../../core/blob/port.ts'

/** Bytes that can be read anywhere: what mediabunny reads a container from. */
export interface ByteFile {
  readonly bytes: number
  /** Exactly the bytes from `start` to just before `end`, which is at most the file's size. */
  read(start: number, end: number): Promise<Uint8Array>
  close(): Promise<void>
}

/**
 * A file of this machine.
 * @throws AppError BAD_REQUEST when it is not there, not readable, or no plain file
 */
export async function openLocalFile(path: string): Promise<ByteFile> {
  const file = await open(path, 'r').catch(cause => {
    throw new AppError('BAD_REQUEST', 'The file is not there or may not be read: check its path and permissions.', {
      cause,
    })
  })
  const stat = await file.stat()
  if (!stat.isFile()) {
    await file.close()
    throw new AppError('BAD_REQUEST', 'This is no file but a folder or a device.')
  }
  return {
    bytes: stat.size,
    async read(start, end) {
      const target = new Uint8Array(end - start)
      for (let filled = 0; filled < target.length; ) {
        const { bytesRead } = await file.read(target, filled, target.length - filled, start + filled)
        if (bytesRead === 0) throw new AppError('BAD_REQUEST', 'The file became shorter while it was read.')
        filled += bytesRead
      }
      return target
    },
    close: () => file.close(),
  }
}

/**
 * A file in a blob store, and what tells its content from an earlier one at the same key.
 * @throws AppError NOT_FOUND when it is not there
 */
export async function openBlob(blobs: BlobStore, key: string): Promise<ByteFile & { readonly version: string }> {
  const stat = await blobs.stat(key)
  if (stat === null) throw new AppError('NOT_FOUND', 'The file is no longer there.')
  return {
    bytes: stat.bytes,
    version: stat.modifiedAt.toISOString(),
    async read(start, end) {
      const parts: Buffer[] = []
      for await (const chunk of await blobs.get(key, { start, end: end - 1 })) parts.push(Buffer.from(chunk))
      return Buffer.concat(parts)
    },
    close: async () => undefined,
  }
}

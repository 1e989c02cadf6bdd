import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Bytes on the disk instead of in memory, written once from front to back and read anywhere. */
export interface SpillFile {
  /** How much has been written. */
  readonly bytes: number
  /** Appends bytes, and returns the offset at which they lie. */
  append(bytes: Uint8Array): number
  read(offset: number, length: number): Buffer
  close(): void
}

/**
 * Opens an empty file in the system's folder for temporary files. It has no name any more once it is open: however this
 * process ends, nothing of it stays, and nobody else can open it.
 *
 * @throws Error of the system when the disk is full or cannot be written
 */
export function openSpillFile(): SpillFile {
  const folder = mkdtempSync(join(tmpdir(), 'cliptape-rows-'))
  const path = join(folder, 'rows')
  let file: number
  try {
    file = openSync(path, 'wx+', 0o600)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  let bytesWritten = 0
  let isOpen = true
  return {
    get bytes() {
      return bytesWritten
    },
    append(bytes) {
      const offset = bytesWritten
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, offset + done)
      bytesWritten += bytes.length
      return offset
    },
    read(offset, length) {
      const bytes = Buffer.allocUnsafe(length)
      let done = 0
      while (done < length) {
        const count = readSync(file, bytes, done, length - done, offset + done)
        if (count === 0) break
        done += count
      }
      return bytes.subarray(0, done)
    },
    close() {
      if (!isOpen) return
      isOpen = false
      closeSync(file)
    },
  }
}

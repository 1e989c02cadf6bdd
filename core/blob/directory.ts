import { randomUUID } from 'node:crypto'
import { createReadStream, type Dirent } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { AppError } from '../../contracts/errors.ts'
import { checkedKey } from './key.ts'
import type { BlobStore } from './port.ts'

/** Where bodies grow before they are moved; the leading dot keeps it out of reach of every key. */
const partsFolder = '.parts'
const partAgeMsMax = 24 * 3_600_000

/**
 * Files in a folder. A body is written beside its place, put on disk, and moved there in one step, so that nobody sees
 * half of it, whenever the process dies; parts that a killed process left are removed after a day.
 * Bad keys are `BAD_REQUEST`; a full or unwritable disk is `UNAVAILABLE`.
 */
export function directoryBlobStore(options: { root: string }): BlobStore {
  const { root } = options
  let swept: Promise<void> | null = null
  const pathOf = (key: string) => join(root, ...checkedKey(key).split('/'))

  return {
    async put(key, body) {
      const path = pathOf(key)
      swept ??= sweepParts(root)
      await swept
      const part = join(root, partsFolder, randomUUID())
      try {
        const firstMade = await mkdir(dirname(path), { recursive: true })
        const bytes = await writeDurably(part, body)
        await rename(part, path)
        await fsyncFolders(dirname(path), firstMade ? dirname(firstMade) : dirname(path))
        return { bytes }
      } catch (error) {
        await rm(part, { force: true })
        throw diskError(error, key)
      }
    },
    async get(key, range) {
      const path = pathOf(key)
      const file = await open(path).catch(error => {
        throw diskError(error, key)
      })
      const opened = await file.stat()
      const { size } = opened
      if (!opened.isFile()) {
        await file.close()
        throw new AppError('NOT_FOUND', `There is no file ${key}.`)
      }
      if (range && (range.start < 0 || range.end < range.start || range.start >= size)) {
        await file.close()
        throw new AppError('BAD_REQUEST', `The range ${range.start}-${range.end} is outside of ${key} (${size} bytes).`)
      }
      return createReadStream(path, { fd: file, ...(range ?? {}) })
    },
    async stat(key) {
      const found = await stat(pathOf(key)).catch(error => {
        if (isMissing(error)) return null
        throw diskError(error, key)
      })
      return found?.isFile() ? { bytes: found.size, modifiedAt: found.mtime } : null
    },
    async delete(key) {
      await rm(pathOf(key), { force: true }).catch(error => {
        throw diskError(error, key)
      })
    },
    async list(prefix, limit) {
      const keys: string[] = []
      await collectKeys(root, '', prefix, limit, keys)
      return keys
    },
  }
}

async function writeDurably(path: string, body: Readable | Buffer): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(body)
    await file.sync()
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

/** Names are part of their folder: without this a power loss may take the name, or a folder made for it. */
async function fsyncFolders(from: string, upTo: string): Promise<void> {
  const folder = await open(from)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
  if (from !== upTo) await fsyncFolders(dirname(from), upTo)
}

async function sweepParts(root: string): Promise<void> {
  const folder = join(root, partsFolder)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of await readdir(folder)) {
    const part = join(folder, name)
    const { mtimeMs } = await stat(part)
    if (Date.now() - mtimeMs > partAgeMsMax) await rm(part, { force: true })
  }
}

/** Depth first in the order of names, into `keys`, until there are `limit`. */
async function collectKeys(root: string, at: string, prefix: string, limit: number, keys: string[]): Promise<void> {
  const entries = await readdir(join(root, at), { withFileTypes: true }).catch(error => {
    if (isMissing(error)) return []
    throw diskError(error, at)
  })
  // A folder sorts as its name with the slash, so that the whole list is in the order of keys.
  const named = entries.map(entry => ({ entry, key: `${at}${entry.name}${entry.isDirectory() ? '/' : ''}` }))
  for (const { entry, key } of named.sort((a, b) => (a.key < b.key ? -1 : 1))) {
    if (keys.length >= limit) return
    await collectEntry(entry, key)
  }

  async function collectEntry(entry: Dirent, key: string): Promise<void> {
    if (entry.name === partsFolder) return
    if (entry.isDirectory()) {
      if (key.startsWith(prefix) || prefix.startsWith(key)) await collectKeys(root, key, prefix, limit, keys)
    } else if (key.startsWith(prefix)) {
      keys.push(key)
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function isMissing(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error))
}

function diskError(error: unknown, key: string): unknown {
  const code = codeOf(error)
  if (isMissing(error) || code === 'EISDIR')
    return new AppError('NOT_FOUND', `There is no file ${key}.`, { cause: error })
  if (['ENOSPC', 'EDQUOT', 'EACCES', 'EPERM', 'EROFS', 'EIO', 'EMFILE'].includes(code)) {
    return new AppError('UNAVAILABLE', `The file ${key} could not be read or written (${code}): look at the disk.`, {
      cause: error,
    })
  }
  return error
}

import type { Readable } from 'node:stream'
import { AppError } from '../../../contracts/errors.ts'
import type { BlobStore } from '../../../core/blob/port.ts'
import type { Log } from '../../../core/log.ts'

interface FileDeps {
  readonly media: { readonly blobs: BlobStore }
  readonly log: Log
}

const keysPerPage = 500

/** Where everything that is kept of a user's media lies: `media/<user>/`. */
function folderOf(ownerId: string): string {
  return `media/${ownerId}/`
}

/** The key of a file that came of a job. */
export function outputKey(of: { ownerId: string; jobId: string; fileId: string }): string {
  return `${jobFolder(of)}${of.fileId}`
}

/** Below it lie the parts of an upload, and the file that they make. */
export function uploadFolder({ ownerId, uploadId }: { ownerId: string; uploadId: string }): string {
  return `${folderOf(ownerId)}uploads/${uploadId}/`
}

/** The file that the parts of an upload made. */
export function uploadFile(of: { ownerId: string; uploadId: string }): string {
  return `${uploadFolder(of)}file`
}

function jobFolder({ ownerId, jobId }: { ownerId: string; jobId: string }): string {
  return `${folderOf(ownerId)}jobs/${jobId}/`
}

/**
 * Removes the files of a job, of an upload, or of everything that a user has. What cannot be removed now is found by the
 * daily sweep: it is logged, and is no failure of what asked for it.
 */
export async function removeFiles(
  { media, log }: FileDeps,
  of: { ownerId: string } & ({ jobId: string } | { uploadId: string } | { everything: true }),
): Promise<void> {
  const prefix = 'jobId' in of ? jobFolder(of) : 'uploadId' in of ? uploadFolder(of) : folderOf(of.ownerId)
  try {
    await removeBelow(media.blobs, prefix)
  } catch (err) {
    log.warn({ err }, 'Files of media could not be removed: the daily sweep finds them.')
  }
}

/** Removes every file whose key begins so. */
export async function removeBelow(blobs: BlobStore, prefix: string): Promise<void> {
  for (;;) {
    const keys = await blobs.list(prefix, keysPerPage)
    for (const key of keys) await blobs.delete(key)
    if (keys.length < keysPerPage) return
  }
}

/** A file, or a part of it, for whoever may have it. @throws AppError GONE when it is not there any more */
export async function readFileOf(
  { media }: Pick<FileDeps, 'media'>,
  key: string,
  range: { start: number; end: number } | undefined,
): Promise<Readable> {
  try {
    return await media.blobs.get(key, range)
  } catch (error) {
    if (error instanceof AppError && error.code === 'NOT_FOUND')
      throw new AppError('GONE', 'This file is no longer kept: ask for it again.', { cause: error })
    throw error
  }
}

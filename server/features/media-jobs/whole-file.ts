import { createWriteStream } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { takeSpan } from '../../../media/cut/span.ts'
import type { MediaSource, OpenedMedia } from '../../../media/source/open-source.ts'

/** A file of a job's folder with all of some media in it, and when the media begins on the file's own clock. */
interface WholeFile {
  readonly path: string
  readonly zeroSec: number
}

/** Brings media where an engine may read it: into the job's folder, by a name of ours. */
export async function wholeFile(
  media: OpenedMedia,
  source: MediaSource,
  job: { readonly folder: string; readonly signal: AbortSignal },
): Promise<WholeFile> {
  const path = join(job.folder, 'whole')
  switch (source.kind) {
    case 'file':
      await symlink(source.path, path)
      return { path, zeroSec: media.zeroSec }
    case 'blob':
      await pipeline(await source.blobs.get(source.key), createWriteStream(path), { signal: job.signal })
      return { path, zeroSec: media.zeroSec }
    case 'url': {
      // Of a playlist there is no file: its parts are copied into one.
      const span = await takeSpan(
        media,
        { startSec: media.zeroSec, endSec: Number.MAX_SAFE_INTEGER, withPicture: true },
        job,
      )
      return { path: span.path, zeroSec: media.zeroSec - span.baseSec }
    }
  }
}

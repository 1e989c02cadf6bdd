import { open, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { takeWhole } from '../../../media/cut/span.ts'
import { keyframesOf } from '../../../media/filmstrip/keyframes.ts'
import type { ByteFile } from '../../../media/source/byte-file.ts'
import {
  type MediaSource,
  type OpenedMedia,
  openMediaSource,
  type SourceDeps,
} from '../../../media/source/open-source.ts'

const copiedAtOnceBytes = 2 * 1024 ** 2

/** A file of a job's folder with all of some media in it, and when the media begins on the file's own clock. */
interface WholeFile {
  readonly path: string
  readonly zeroSec: number
}

/** The folder that the file is brought into, and the room that it takes there. */
interface WholeFileJob {
  readonly folder: string
  readonly signal: AbortSignal
  /** As of `RoomShare`. */
  readonly take: (bytes: number) => Promise<void>
}

/**
 * Brings media where an engine may read it: into the job's folder, by a name of ours. What lies elsewhere is fetched
 * once, as it is; a stream becomes one file.
 * @throws AppError as `RoomShare.take`, where there is no room for a copy
 */
export async function wholeFile(media: OpenedMedia, source: MediaSource, job: WholeFileJob): Promise<WholeFile> {
  const path = join(job.folder, 'whole')
  if (source.kind === 'file') {
    await symlink(source.path, path)
    return { path, zeroSec: media.zeroSec }
  }
  if (media.file === null) {
    const { baseSec } = await takeWhole(media, { ...job, path })
    return { path, zeroSec: media.zeroSec - baseSec }
  }
  media.willRead({ startSec: 0, endSec: media.durationSec })
  await copyTo(path, media.file, job)
  return { path, zeroSec: media.zeroSec }
}

/** When the keyframes of media are, by the file that it was brought into: nothing is fetched again. */
export async function keyframesIn(deps: SourceDeps, file: WholeFile, signal: AbortSignal): Promise<number[] | null> {
  const local = await openMediaSource(deps, { kind: 'file', path: file.path }, { signal })
  try {
    return await keyframesOf({ video: local.video, zeroSec: file.zeroSec }, signal)
  } finally {
    await local.close()
  }
}

async function copyTo(path: string, file: ByteFile, { signal, take }: WholeFileJob): Promise<void> {
  await take(file.bytes)
  const target = await open(path, 'wx', 0o600)
  try {
    for (let at = 0; at < file.bytes; at += copiedAtOnceBytes) {
      signal.throwIfAborted()
      await target.writeFile(await file.read(at, Math.min(file.bytes, at + copiedAtOnceBytes)))
    }
  } finally {
    await target.close()
  }
}

import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { AppError } from '../../../contracts/errors.ts'
import { type PictureHead, writePictureHead } from '../../../contracts/pictures.ts'
import type { VodId } from '../../../contracts/vods.ts'
import { Slots } from '../../../core/slots.ts'
import type { MediaEngine } from '../../../media/engine/port.ts'
import { exactPicture } from '../../../media/filmstrip/exact-picture.ts'
import { type FilmstripRequest, makeFilmstrip } from '../../../media/filmstrip/filmstrip.ts'
import type { JobFolder } from '../../../media/job-folder.ts'
import { type MediaSource, type OpenedMedia, openMediaSource } from '../../../media/source/open-source.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { decoderOf } from '../media-jobs/decoder.ts'
import { readingFor } from '../media-jobs/media-desk.ts'
import { wholeFile } from '../media-jobs/whole-file.ts'
import { mediaOf, sourceOf } from '../vods/service.ts'

type PictureDeps = Pick<ServerDeps, 'db' | 'vault' | 'bus' | 'clock' | 'log' | 'platforms' | 'outbound' | 'media'>

/** Decoding for people who look on: few at a time in one process, the rest wait for their turn. */
const turns = new Slots({ concurrentMax: 2, queuedMax: 32 })

/**
 * The cells of a filmstrip as records, coarse first, while they are decoded. What is wrong before the first cell is an
 * error; what goes wrong later ends the stream without its end.
 * @throws AppError NOT_FOUND, SOURCE_REQUIRED; BAD_REQUEST when the media cannot be read; NOT_CONFIGURED without a
 *   decoder; UNAVAILABLE when too many wait
 */
export async function filmstripOf(
  deps: PictureDeps,
  caller: Caller,
  vodId: VodId,
  request: FilmstripRequest,
  gone: AbortSignal,
): Promise<Readable> {
  return await streamed(deps, { caller, vodId, gone }, async ({ engine, opened, source, folder, take, send }) => {
    await makeFilmstrip(
      engine,
      { opened, localPath: async () => (await wholeFile(opened, source, { folder, take, signal: gone })).path },
      request,
      { signal: gone, onCell: ({ index, atSec, picture }) => send({ index, atSec }, picture.rgb) },
    )
  })
}

/**
 * The frames that are shown at some instants as records, in their order.
 * @throws AppError as `filmstripOf`
 */
export async function picturesOf(
  deps: PictureDeps,
  caller: Caller,
  vodId: VodId,
  request: { readonly at: readonly number[]; readonly widthPx: number; readonly heightPx: number },
  gone: AbortSignal,
): Promise<Readable> {
  const { at, widthPx, heightPx } = request
  return await streamed(deps, { caller, vodId, gone }, async ({ engine, opened, source, folder, send }) => {
    for (const [index, wantedSec] of at.entries()) {
      const own = join(folder, String(index))
      await mkdir(own)
      const path = source.kind === 'file' ? await linked(source.path, own) : null
      const { atSec, picture } = await exactPicture(
        engine,
        { opened, path, folder: own },
        { atSec: wantedSec, widthPx, heightPx },
        { signal: gone, isWatched: true },
      )
      send({ index, atSec }, picture.rgb)
    }
  })
}

/** An engine reads what lies in a folder of ours, by a name of ours. */
async function linked(path: string, folder: string): Promise<string> {
  const own = join(folder, 'source')
  await symlink(path, own)
  return own
}

interface Making {
  readonly engine: MediaEngine
  readonly opened: OpenedMedia
  readonly source: MediaSource
  /** Private to this answer. */
  readonly folder: string
  readonly take: JobFolder['take']
  send(head: PictureHead, rgb: Uint8Array): void
}

/** Resolves when the first record is there, or all of it came to nothing. */
async function streamed(
  deps: PictureDeps,
  { caller, vodId, gone }: { readonly caller: Caller; readonly vodId: VodId; readonly gone: AbortSignal },
  make: (making: Making) => Promise<void>,
): Promise<Readable> {
  const userId = ownerOf(caller)
  await mediaOf(deps, userId, vodId)
  const source = await sourceOf(deps, userId, vodId)
  const engine = decoderOf(await deps.media.engine())
  const giveBack = await turns.take(gone)
  gone.throwIfAborted()
  if (!giveBack) throw new AppError('UNAVAILABLE', 'Too many pictures are being decoded: try again in a moment.')
  const records = new PassThrough()
  const begun = Promise.withResolvers<void>()
  const made = inFolder(deps, async ({ path: folder, take }) => {
    const media = { whose: userId, source, open: () => openMediaSource(readingFor(deps, userId), source), gone }
    await deps.media.shelf.use(media, opened =>
      make({
        ...{ engine, opened, source, folder, take },
        send(head, rgb) {
          records.write(writePictureHead(head))
          records.write(rgb)
          begun.resolve()
        },
      }),
    )
  })
  made
    .finally(giveBack)
    .then(
      () => records.end(),
      (error: unknown) => {
        begun.reject(error)
        records.destroy(error instanceof Error ? error : new Error(String(error)))
      },
    )
    .finally(() => begun.resolve())
  // Who is told of the error by the answer needs no second telling by the stream.
  records.on('error', () => undefined)
  await begun.promise
  return records
}

async function inFolder(
  { media }: Pick<PictureDeps, 'media'>,
  work: (folder: JobFolder) => Promise<void>,
): Promise<void> {
  const folder = await media.openFolder()
  try {
    await work(folder)
  } finally {
    await folder.remove()
  }
}

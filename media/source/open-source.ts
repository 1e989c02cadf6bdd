import { createHash } from 'node:crypto'
import {
  ADTS,
  BufferSource,
  CustomPathedSource,
  CustomSource,
  FLAC,
  HLS,
  Input,
  type InputAudioTrack,
  type InputFormat,
  type InputVideoTrack,
  Logging,
  LogLevel,
  MATROSKA,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  type Source,
  WAVE,
  WEBM,
} from 'mediabunny'
import { AppError } from '../../contracts/errors.ts'
import type { BlobStore } from '../../core/blob/port.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import { type ByteFile, openBlob, openLocalFile } from './byte-file.ts'
import { readingMedia } from './reading-media.ts'
import { openRemoteFile, type ReadCount, type RemoteFile } from './remote-file.ts'

/** Its warnings are about the files of users; what matters becomes an error or a note. */
Logging.level = LogLevel.Silent

/** Where media lies. Whether the user may read it there is for the caller to say. */
export type MediaSource =
  /** Absolute path. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'blob'; readonly blobs: BlobStore; readonly key: string }
  /** http or https: of a file, or of an HLS playlist. */
  | { readonly kind: 'url'; readonly url: string }

export interface SourceDeps {
  readonly outbound: Outbound
}

/** Media that can be read: its container is understood. Closed by whoever opened it. */
export interface OpenedMedia {
  readonly input: Input
  /** The main picture and sound of a codec that is known; null where there is none. */
  readonly video: InputVideoTrack | null
  readonly audio: InputAudioTrack | null
  readonly trackCount: number
  /** What the clock of the file shows when the media begins: subtracted, times begin at 0. */
  readonly zeroSec: number
  /** Null of a playlist. */
  readonly bytes: number | null
  /** As in `MediaInfo`. */
  readonly contentId: string
  /** Absolute; null when it is not on this machine. */
  readonly localPath: string | null
  /** How much has been read of it so far. */
  bytesRead(): number
  close(): Promise<void>
}

const fileFormats: InputFormat[] = [MP4, QTFF, MATROSKA, WEBM, MPEG_TS, WAVE, MP3, ADTS, FLAC, OGG]
/** Playlists name further addresses: only what came from an address may be one. */
const urlFormats: InputFormat[] = [HLS, ...fileFormats]
/** At both ends of a file, for its content id. */
const sampledBytes = 256 * 1024
/** Segments of streams are usually no longer, and playlists never are. */
const firstBytesOfPart = 2 * 1024 ** 2
/** A file whose first time is later than this was cut from a recording whose clock ran on. */
const laterStartSec = 1

/**
 * Opens media and finds its tracks, without decoding anything.
 * @throws AppError BAD_REQUEST when it is no media that can be read, with what is wrong; errors of reading it
 */
export async function openMediaSource(
  deps: SourceDeps,
  source: MediaSource,
  options: { readonly signal?: AbortSignal } = {},
): Promise<OpenedMedia> {
  const count: ReadCount = { bytes: 0, files: 0 }
  const opened = await openInput(deps, source, count, options.signal)
  const onAbort = (): void => opened.input.dispose()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const close = async (): Promise<void> => {
    options.signal?.removeEventListener('abort', onAbort)
    opened.input.dispose()
    await opened.file?.close()
  }
  try {
    return await readingMedia(options.signal, async () => {
      const tracks = await opened.input.getTracks()
      const isKnown = async (track: InputVideoTrack | InputAudioTrack): Promise<boolean> =>
        (await track.getCodec()) !== null
      const video = await opened.input.getPrimaryVideoTrack({ filter: isKnown })
      const audio = await opened.input.getPrimaryAudioTrack({ filter: isKnown })
      if (video === null && audio === null) throw nothingToPlay(tracks.length)
      if (video !== null && (await video.isLive()))
        throw new AppError('BAD_REQUEST', 'This stream is still live: register it when it has ended.')
      return {
        input: opened.input,
        video,
        audio,
        trackCount: tracks.length,
        zeroSec: await zeroOf(opened.input, video, audio),
        bytes: opened.file?.bytes ?? null,
        contentId: opened.contentId,
        localPath: source.kind === 'file' ? source.path : null,
        bytesRead: () => count.bytes,
        close,
      }
    })
  } catch (error) {
    await close()
    throw error
  }
}

interface OpenedInput {
  readonly input: Input
  /** Null of a playlist, whose parts come and go. */
  readonly file: ByteFile | null
  readonly contentId: string
}

async function openInput(
  deps: SourceDeps,
  source: MediaSource,
  count: ReadCount,
  signal: AbortSignal | undefined,
): Promise<OpenedInput> {
  if (source.kind === 'url') return openUrl(deps, source.url, count, signal)
  const file = source.kind === 'file' ? await openLocalFile(source.path) : await openBlob(source.blobs, source.key)
  if (file.bytes === 0) {
    await file.close()
    throw new AppError('BAD_REQUEST', 'The file is empty.')
  }
  const counted: ByteFile = {
    ...file,
    async read(start, end) {
      count.bytes += end - start
      return file.read(start, end)
    },
  }
  const input = new Input({ formats: fileFormats, source: sourceOf(counted, 'fileSystem') })
  return { input, file, contentId: await contentIdOf(file) }
}

async function openUrl(
  { outbound }: SourceDeps,
  url: string,
  count: ReadCount,
  signal: AbortSignal | undefined,
): Promise<OpenedInput> {
  const open = (address: string, firstBytes: number) =>
    openRemoteFile({ outbound, url: address, firstBytes, count, signal })
  const root = await open(url, sampledBytes)
  if (root.bytes === 0) throw new AppError('BAD_REQUEST', 'The file at this address is empty.')
  const source = new CustomPathedSource(root.url, async request => {
    if (request.isRoot) return remoteSource(root)
    try {
      const part = await open(request.path, firstBytesOfPart)
      // What a playlist names is relative to where it was found in the end.
      return new CustomPathedSource(part.url, () => remoteSource(part))
    } catch (error) {
      return failingSource(error)
    }
  })
  const input = new Input({
    formats: urlFormats,
    source,
    // Recordings begin at 0, whatever the time of day was.
    formatOptions: { hls: { offsetTimestampsByDateTime: false } },
  })
  const isPlaylist = await readingMedia(signal, async () => (await input.getFormat()) === HLS)
  if (!isPlaylist) return { input, file: root, contentId: await contentIdOf(root) }
  const { origin, pathname } = new URL(root.url)
  const text = await root.read(0, root.bytes)
  return { input, file: null, contentId: hashOf([`${origin}${pathname}`, text]) }
}

/** Short files are given as a whole: the library reads over the end of those whose size it has to ask for. */
function remoteSource(file: RemoteFile): Source {
  return file.whole === null ? sourceOf(file, 'network') : new BufferSource(file.whole)
}

/** Fails when it is read, where somebody waits for it; a request that failed would end the process. */
function failingSource(error: unknown): Source {
  const fail = () => Promise.reject(error)
  return new CustomSource({ getSize: fail, read: fail })
}

function sourceOf(file: ByteFile, prefetchProfile: 'network' | 'fileSystem'): Source {
  return new CustomSource({
    getSize: () => file.bytes,
    read: (start, end) => file.read(start, end),
    prefetchProfile,
    // A read that nobody waits for any more.
    handleUnhandledError: () => undefined,
  })
}

async function contentIdOf(file: ByteFile): Promise<string> {
  const head = await file.read(0, Math.min(file.bytes, sampledBytes))
  const tailStart = Math.max(head.length, file.bytes - sampledBytes)
  const tail = tailStart < file.bytes ? await file.read(tailStart, file.bytes) : new Uint8Array()
  return hashOf([String(file.bytes), head, tail])
}

function hashOf(parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').slice(0, 40)
}

async function zeroOf(input: Input, video: InputVideoTrack | null, audio: InputAudioTrack | null): Promise<number> {
  const tracks = [video, audio].filter(track => track !== null)
  const firstSec = await input.getFirstTimestamp(tracks)
  const format = await input.getFormat()
  return format === MPEG_TS || format === HLS || firstSec >= laterStartSec ? firstSec : 0
}

function nothingToPlay(trackCount: number): AppError {
  return new AppError(
    'BAD_REQUEST',
    trackCount === 0
      ? 'The file holds no picture and no sound, or it was cut off before it says where they are.'
      : 'The file holds no picture or sound of a codec that is known: convert it to H.264 and AAC.',
  )
}

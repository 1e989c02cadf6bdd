import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
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
import { type BlockFile, blockFile } from './read-ahead.ts'
import { readingMedia } from './reading-media.ts'
import { type FetchBytes, openRemoteFile, type ReadCount, type RemoteFile, remoteReading } from './remote-file.ts'
import type { OwnIndexes, SourceIndex } from './source-indexes.ts'
import { StreamParts } from './stream-parts.ts'

/** Its warnings are about the files of users; what matters becomes an error or a note. */
Logging.level = LogLevel.Silent

/** Where media lies. Whether the user may read it there is for the caller to say. */
export type MediaSource =
  /** Absolute path. */
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'blob'; readonly blobs: BlobStore; readonly key: string }
  /** http or https: of a file, or of an HLS playlist. */
  | { readonly kind: 'url'; readonly url: string }
  /** What a platform named in its answer: the address changes, the place says what it is. */
  | { readonly kind: 'named'; readonly url: string; readonly namedBy: string; readonly place: string }

export interface SourceDeps {
  readonly outbound: Outbound
  /** Of whoever the sources belong to: without them, what is found in a file far away is forgotten. */
  readonly indexes?: OwnIndexes
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
  /** From there to the end of the last picture or sound; of a playlist, as it says itself. */
  readonly durationSec: number
  /** Null of a playlist. */
  readonly bytes: number | null
  /** The file as it is; null of a playlist. */
  readonly file: ByteFile | null
  /** As in `MediaInfo`. */
  readonly contentId: string
  /** Absolute; null when it is not on this machine. */
  readonly localPath: string | null
  /** How much has been read of it so far. */
  bytesRead(): number
  /**
   * Says which span will be read now, on the clock of the file: what lies far away is fetched ahead of who reads it,
   * several requests at a time. Nothing beyond the span is.
   */
  willRead(span: { readonly startSec: number; readonly endSec: number }): void
  close(): Promise<void>
}

const fileFormats: InputFormat[] = [MP4, QTFF, MATROSKA, WEBM, MPEG_TS, WAVE, MP3, ADTS, FLAC, OGG]
/** Playlists name further addresses: only what came from an address may be one. */
const urlFormats: InputFormat[] = [HLS, ...fileFormats]
/** At both ends of a file, for its content id. */
const sampledBytes = 256 * 1024
/** Of a file of which only some parts are wanted, or which is known, to see whether it is still the same. */
const comparedBytes = 1024
/** Segments of streams are usually no longer, and playlists never are. */
const firstBytesOfPart = 4 * 1024 ** 2
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
  const ending = new AbortController()
  const signal = AbortSignal.any([ending.signal, ...(options.signal ? [options.signal] : [])])
  const opened = await openInput(deps, source, count, signal)
  const end = async (): Promise<void> => {
    // What was asked for ahead is not waited for.
    ending.abort(new AppError('UNAVAILABLE', 'The media was closed while it was read: try again.'))
    await opened.settled()
    opened.input.dispose()
  }
  const onAbort = (): void => void end()
  options.signal?.addEventListener('abort', onAbort, { once: true })
  const close = async (): Promise<void> => {
    options.signal?.removeEventListener('abort', onAbort)
    await end()
    await opened.file?.close()
  }
  try {
    return await readingMedia(options.signal, async () => {
      const { input } = opened
      const tracks = await input.getTracks()
      const isKnown = async (track: InputVideoTrack | InputAudioTrack): Promise<boolean> =>
        (await track.getCodec()) !== null
      const video = await input.getPrimaryVideoTrack({ filter: isKnown })
      const audio = await input.getPrimaryAudioTrack({ filter: isKnown })
      if (video === null && audio === null) throw nothingToPlay(tracks.length)
      if (video !== null && (await video.isLive()))
        throw new AppError('BAD_REQUEST', 'This stream is still live: register it when it has ended.')
      const played = [video, audio].filter(track => track !== null)
      const zeroSec = await zeroOf(input, played)
      const durationSec = Math.max(0, (await endOf(input, played)) - zeroSec)
      const media = { input, video, audio, trackCount: tracks.length, zeroSec, durationSec }
      await opened.keepIndex()
      return {
        ...media,
        bytes: opened.file?.bytes ?? null,
        file: opened.file,
        contentId: opened.contentId,
        localPath: source.kind === 'file' ? source.path : null,
        bytesRead: () => count.bytes,
        willRead: span => opened.willRead(span, media),
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
  /** As `OpenedMedia`, of media whose clock is known. */
  willRead(span: TimeSpan, media: { readonly zeroSec: number; readonly durationSec: number }): void
  /** Remembers what has been read so far, for whoever opens the same file again. */
  keepIndex(): Promise<void>
  /** Resolves when the input may be disposed of. */
  settled(): Promise<void>
}

interface TimeSpan {
  readonly startSec: number
  readonly endSec: number
}

async function openInput(
  deps: SourceDeps,
  source: MediaSource,
  count: ReadCount,
  signal: AbortSignal,
): Promise<OpenedInput> {
  switch (source.kind) {
    case 'url':
      return await openUrl(deps, { url: source.url, fetchBytes: deps.outbound.fetchBytesForUser }, count, signal)
    case 'named': {
      const { url, namedBy, place } = source
      const fetchBytes: FetchBytes = (address, request) => deps.outbound.fetchBytesNamed(address, namedBy, request)
      return await openUrl(deps, { url, place, fetchBytes }, count, signal)
    }
    case 'blob': {
      const { version, ...file } = await openBlob(source.blobs, source.key)
      const place = `blob:${source.key}`
      const known = sameIndex(deps.indexes?.find(place) ?? null, { bytes: file.bytes, version })
      const blocks = blockFile(counted(file, count), known?.blocks)
      return await openFile(blocks, keeperOf(deps, place, { blocks, version }))
    }
    case 'file': {
      const file = await openLocalFile(source.path)
      const input = new Input({
        formats: fileFormats,
        source: sourceOf(counted(await notEmpty(file), count), 'fileSystem'),
      })
      return {
        ...{ input, file, contentId: await contentIdOf(file) },
        willRead: () => undefined,
        keepIndex: async () => undefined,
        settled: async () => undefined,
      }
    }
  }
}

/** A file that lies far away. */
async function openFile(
  blocks: BlockFile,
  keepIndex: () => Promise<void>,
  make: () => Input = () => new Input({ formats: fileFormats, source: sourceOf(blocks, 'none') }),
): Promise<OpenedInput> {
  await notEmpty(blocks)
  return {
    ...{ input: make(), file: blocks, contentId: await contentIdOf(blocks), keepIndex },
    willRead({ startSec, endSec }, { durationSec }) {
      // As if a second took as much room as any other.
      if (durationSec > 0) blocks.willRead({ bytes: (blocks.bytes * Math.max(0, endSec - startSec)) / durationSec })
    },
    settled: async () => undefined,
  }
}

async function openUrl(
  deps: SourceDeps,
  { url, fetchBytes, place = url }: { readonly url: string; readonly fetchBytes: FetchBytes; readonly place?: string },
  count: ReadCount,
  signal: AbortSignal,
): Promise<OpenedInput> {
  const reading = remoteReading({ fetchBytes, count, signal })
  const expected = deps.indexes?.find(place) ?? null
  const root = await openRemoteFile(reading, url, expected === null ? sampledBytes : comparedBytes)
  if (root.bytes === 0) throw emptyFile()
  const { version } = root
  const known = version === null ? null : sameIndex(expected, { bytes: root.bytes, version })
  const blocks = blockFile(root, known?.blocks)
  const parts = new StreamParts((address, isShared) =>
    openRemoteFile(reading, address, isShared ? comparedBytes : firstBytesOfPart),
  )
  const learn = (file: RemoteFile): void => {
    if (file.isPlaylist && file.whole !== null) parts.learn(Buffer.from(file.whole).toString('utf8'), file.url)
  }
  const make = (): Input => {
    const source = new CustomPathedSource(root.url, async request => {
      if (request.isRoot) return remoteSource(root, blocks)
      try {
        const part = await parts.open(request.path)
        learn(part.file)
        // What a playlist names is relative to where it was found in the end.
        return new CustomPathedSource(part.file.url, () => remoteSource(part.file, part.blocks))
      } catch (error) {
        return failingSource(error)
      }
    })
    return new Input({
      formats: urlFormats,
      source,
      // Recordings begin at 0, whatever the time of day was.
      formatOptions: { hls: { offsetTimestampsByDateTime: false } },
    })
  }
  if (!root.isPlaylist || root.whole === null)
    return await openFile(blocks, keeperOf(deps, place, { blocks, version }), make)
  learn(root)
  const { origin, pathname } = new URL(root.url)
  return {
    ...{ input: make(), file: null, contentId: hashOf([`${origin}${pathname}`, root.whole]) },
    willRead({ startSec, endSec }, { zeroSec }) {
      parts.willRead({ startSec: startSec - zeroSec, endSec: endSec - zeroSec })
    },
    keepIndex: async () => undefined,
    // While it opens a part, an input that is disposed of fails where nobody looks, which ends the process.
    async settled() {
      await parts.settled()
      await setImmediate()
    },
  }
}

/** An index, as long as it is one of the same content. */
function sameIndex(
  index: SourceIndex | null,
  now: { readonly bytes: number; readonly version: string },
): SourceIndex | null {
  return index?.bytes === now.bytes && index.version === now.version ? index : null
}

function keeperOf(
  { indexes }: SourceDeps,
  place: string,
  { blocks, version }: { readonly blocks: BlockFile; readonly version: string | null },
): () => Promise<void> {
  return async () => {
    if (version !== null) indexes?.keep(place, { bytes: blocks.bytes, version, blocks: await blocks.held() })
  }
}

function counted(file: ByteFile, count: ReadCount): ByteFile {
  return {
    ...file,
    async read(start, end) {
      count.bytes += end - start
      return await file.read(start, end)
    },
  }
}

/** @throws AppError BAD_REQUEST, and closes it, when there is nothing in it */
async function notEmpty<T extends ByteFile>(file: T): Promise<T> {
  if (file.bytes > 0) return file
  await file.close()
  throw emptyFile()
}

function emptyFile(): AppError {
  return new AppError('BAD_REQUEST', 'The file is empty.')
}

/** Short files are given as a whole: the library reads over the end of those whose size it has to ask for. */
function remoteSource({ whole }: RemoteFile, blocks: BlockFile): Source {
  return whole === null ? sourceOf(blocks, 'none') : new BufferSource(whole)
}

/** Fails when it is read, where somebody waits for it; a request that failed would end the process. */
function failingSource(error: unknown): Source {
  const fail = () => Promise.reject(error)
  return new CustomSource({ getSize: fail, read: fail })
}

function sourceOf(file: ByteFile, prefetchProfile: 'none' | 'fileSystem'): Source {
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

async function zeroOf(input: Input, tracks: readonly (InputVideoTrack | InputAudioTrack)[]): Promise<number> {
  const firstSec = await input.getFirstTimestamp([...tracks])
  const format = await input.getFormat()
  return format === MPEG_TS || format === HLS || firstSec >= laterStartSec ? firstSec : 0
}

/** When the last of it ends, on the clock of the file. */
async function endOf(input: Input, tracks: readonly (InputVideoTrack | InputAudioTrack)[]): Promise<number> {
  // Asking the parts of a playlist would read the last of them.
  if ((await input.getFormat()) === HLS) return (await input.getDurationFromMetadata([...tracks])) ?? 0
  return await input.computeDuration([...tracks])
}

function nothingToPlay(trackCount: number): AppError {
  return new AppError(
    'BAD_REQUEST',
    trackCount === 0
      ? 'The file holds no picture and no sound, or it was cut off before it says where they are.'
      : 'The file holds no picture or sound of a codec that is known: convert it to H.264 and AAC.',
  )
}

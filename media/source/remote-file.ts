import { AppError } from '../../contracts/errors.ts'
import { mediaLimits } from '../../contracts/media.ts'
import type { Outbound, OutboundBytes } from '../../core/outbound/port.ts'
import { Slots } from '../../core/slots.ts'
import type { ByteFile } from './byte-file.ts'

/** Of one address: a segment of a stream, a range of a file. */
const answerBytesMax = 64 * 1024 ** 2
const rangeBytesMax = 8 * 1024 ** 2
const playlistBytesMax = 2 * 1024 ** 2
/** Twelve hours in parts of a second, and some that were read twice. */
const filesMax = 50_000
const requestsMax = 6
const timeoutMs = 60_000
const triesMax = 3

/** What has been read so far of one source. */
export interface ReadCount {
  bytes: number
  files: number
}

/** A way out, with its guards. */
export type FetchBytes = Outbound['fetchBytesForUser']

/** How the files of one source are read: six requests at a time. */
interface RemoteReading {
  readonly fetchBytes: FetchBytes
  readonly count: ReadCount
  /** Aborted when nobody reads the source any more. */
  readonly signal: AbortSignal
  readonly turns: Slots
}

/** The reading of one source. */
export function remoteReading(o: Omit<RemoteReading, 'turns'>): RemoteReading {
  return { ...o, turns: new Slots({ concurrentMax: requestsMax, queuedMax: Number.POSITIVE_INFINITY }) }
}

/** A file behind an address, and the address that answered after redirects. */
export interface RemoteFile extends ByteFile {
  readonly url: string
  /** What tells one content of the address from another, as the server says it; null when it does not. */
  readonly version: string | null
  /** All of it, when the first answer held that, and of a playlist. */
  readonly whole: Uint8Array | null
  readonly isPlaylist: boolean
}

/**
 * A file behind an http(s) address that a user gave, read by ranges. A server without ranges serves files up to 64 MiB.
 *
 * @param firstBytes how much is asked for at first: all of it, of what is usually short
 * @throws AppError BAD_REQUEST for addresses that are not taken and files that are refused; FORBIDDEN for addresses
 * inside; UNAVAILABLE when the server fails
 */
export async function openRemoteFile(reading: RemoteReading, url: string, firstBytes: number): Promise<RemoteFile> {
  const { count } = reading
  count.files += 1
  if (count.files > filesMax || count.bytes > mediaLimits.bytesMax)
    throw new AppError('BAD_REQUEST', 'This source is made of more files than are read: choose a shorter part.')
  const ask = async (start: number, end: number): Promise<OutboundBytes> => {
    const answer = await askPatiently(reading, url, { range: `bytes=${start}-${end - 1}` })
    count.bytes += answer.bytes.length
    return answer
  }
  const first = await ask(0, firstBytes)
  const bytes = sizeIn(first, url)
  const isList = isPlaylist(first.bytes)
  if (bytes > playlistBytesMax && isList)
    throw new AppError('BAD_REQUEST', 'The playlist is longer than 2 MiB: give one of a shorter recording.')
  const version = versionIn(first)

  const readOne = async (start: number, end: number): Promise<Uint8Array> => {
    if (end <= first.bytes.length) return first.bytes.subarray(start, end)
    const answer = await ask(start, end)
    const isChanged = version !== null && versionIn(answer) !== version
    if (answer.status !== 206 || answer.bytes.length !== end - start || isChanged)
      throw new AppError('UNAVAILABLE', `The file at ${hostOf(url)} changed while it was read: try again.`)
    return answer.bytes
  }
  const read = async (start: number, end: number): Promise<Uint8Array> => {
    if (end - start <= rangeBytesMax) return await readOne(start, end)
    const target = new Uint8Array(end - start)
    for (let at = start; at < end; at += rangeBytesMax)
      target.set(await readOne(at, Math.min(end, at + rangeBytesMax)), at - start)
    return target
  }
  const isWhole = first.bytes.length === bytes
  return {
    bytes,
    url: first.url,
    version,
    whole: isWhole ? first.bytes : isList ? await read(0, bytes) : null,
    isPlaylist: isList,
    read,
    close: async () => undefined,
  }
}

/** Asks again when the server is busy or the line breaks; other failures are final. */
async function askPatiently(
  { fetchBytes, signal, turns }: RemoteReading,
  url: string,
  headers: Record<string, string>,
): Promise<OutboundBytes> {
  for (let tries = 1; ; tries += 1) {
    const giveBack = await turns.take(signal)
    try {
      signal.throwIfAborted()
      const answer = await fetchBytes(url, { headers, timeoutMs, answerBytesMax, signal })
      const refusal = refusalOf(answer, url)
      if (refusal === null) return answer
      throw refusal
    } catch (error) {
      signal.throwIfAborted()
      const isFinal = !(error instanceof AppError && error.isRetryable) || tries === triesMax
      if (isFinal) throw error
    } finally {
      giveBack?.()
    }
  }
}

function refusalOf({ status }: OutboundBytes, url: string): AppError | null {
  if (status === 200 || status === 206 || status === 416) return null
  const host = hostOf(url)
  if (status === 429 || status >= 500)
    return new AppError('UNAVAILABLE', `${host} answered with ${status}: try again later.`)
  if (status === 401 || status === 403)
    return new AppError(
      'BAD_REQUEST',
      `${host} does not give this file to us (${status}): its address may have expired.`,
    )
  return new AppError('BAD_REQUEST', `${host} has no file at this address (${status}).`)
}

function sizeIn(answer: OutboundBytes, url: string): number {
  if (answer.status === 200) return answer.bytes.length
  const total = /\/(\d+)$/.exec(answer.headers['content-range'] ?? '')?.[1]
  if (total !== undefined) return Number(total)
  throw new AppError('UNAVAILABLE', `${hostOf(url)} does not say how long the file is, so it cannot be read in parts.`)
}

function versionIn({ headers }: OutboundBytes): string | null {
  return headers.etag ?? headers['last-modified'] ?? null
}

function isPlaylist(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 7)).toString('latin1') === '#EXTM3U'
}

/** All of an address that may be shown and logged. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'The server'
}

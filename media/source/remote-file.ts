import { AppError } from '../../contracts/errors.ts'
import type { Outbound, OutboundBytes } from '../../core/outbound/port.ts'
import type { ByteFile } from './byte-file.ts'

/** Of one address: a segment of a stream, a range of a file. */
const answerBytesMax = 64 * 1024 ** 2
const rangeBytesMax = 8 * 1024 ** 2
const playlistBytesMax = 2 * 1024 ** 2
const filesMax = 2000
const timeoutMs = 60_000
const triesMax = 3

/** What has been read so far from all files of one source. */
export interface ReadCount {
  bytes: number
  files: number
}

/** A file behind an address, and the address that answered after redirects. */
export interface RemoteFile extends ByteFile {
  readonly url: string
  /** What tells one content of the address from another, as the server says it; null when it does not. */
  readonly version: string | null
  /** All of it, when the first answer held that. */
  readonly whole: Uint8Array | null
}

/**
 * A file behind an http(s) address that a user gave, read by ranges through the guarded way out. A server without
 * ranges serves files up to 64 MiB.
 *
 * @param o `firstBytes` is how much is asked for at first: all of it, of what is usually short
 * @throws AppError BAD_REQUEST for addresses that are not taken and files that are refused; FORBIDDEN for addresses
 * inside; UNAVAILABLE when the server fails
 */
export async function openRemoteFile(o: {
  readonly outbound: Outbound
  readonly url: string
  readonly firstBytes: number
  readonly count: ReadCount
  readonly signal: AbortSignal | undefined
}): Promise<RemoteFile> {
  const { outbound, url, count, signal } = o
  count.files += 1
  if (count.files > filesMax)
    throw new AppError('BAD_REQUEST', `This source is made of more than ${filesMax} files: choose a shorter part.`)
  const ask = async (start: number, end: number): Promise<OutboundBytes> => {
    const answer = await askPatiently(outbound, url, { range: `bytes=${start}-${end - 1}` }, signal)
    count.bytes += answer.bytes.length
    return answer
  }
  const first = await ask(0, o.firstBytes)
  const bytes = sizeIn(first, url)
  if (bytes > playlistBytesMax && isPlaylist(first.bytes))
    throw new AppError('BAD_REQUEST', 'The playlist is longer than 2 MiB: give one of a shorter recording.')
  const version = first.headers.etag ?? first.headers['last-modified'] ?? null

  const readOne = async (start: number, end: number): Promise<Uint8Array> => {
    if (end <= first.bytes.length) return first.bytes.subarray(start, end)
    const answer = await ask(start, end)
    const isChanged = version !== null && (answer.headers.etag ?? answer.headers['last-modified'] ?? null) !== version
    if (answer.status !== 206 || answer.bytes.length !== end - start || isChanged)
      throw new AppError('UNAVAILABLE', `The file at ${hostOf(url)} changed while it was read: try again.`)
    return answer.bytes
  }
  return {
    bytes,
    url: first.url,
    version,
    whole: first.bytes.length === bytes ? first.bytes : null,
    async read(start, end) {
      if (end - start <= rangeBytesMax) return readOne(start, end)
      const whole = new Uint8Array(end - start)
      for (let at = start; at < end; at += rangeBytesMax)
        whole.set(await readOne(at, Math.min(end, at + rangeBytesMax)), at - start)
      return whole
    },
    close: async () => undefined,
  }
}

/** Asks again when the server is busy or the line breaks; other failures are final. */
async function askPatiently(
  outbound: Outbound,
  url: string,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<OutboundBytes> {
  for (let tries = 1; ; tries += 1) {
    signal?.throwIfAborted()
    try {
      const answer = await outbound.fetchBytesForUser(url, {
        headers,
        timeoutMs,
        answerBytesMax,
        ...(signal && { signal }),
      })
      const refusal = refusalOf(answer, url)
      if (refusal === null) return answer
      throw refusal
    } catch (error) {
      signal?.throwIfAborted()
      const isFinal = !(error instanceof AppError && error.isRetryable) || tries === triesMax
      if (isFinal) throw error
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

function isPlaylist(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 7)).toString('latin1') === '#EXTM3U'
}

/** All of an address that may be shown and logged. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'The server'
}

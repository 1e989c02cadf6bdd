import { createHash } from 'node:crypto'
import { createReadStream, type ReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { AppError } from '../../contracts/errors.ts'
import { headBytes, recogniseEncoding, type TextEncoding, Utf8Chunks } from './encoding.ts'

const readChunkBytes = 256 * 1024

/** What is known of a file before a record of it is read. */
export interface FileHead {
  readonly path: string
  readonly name: string
  readonly sizeBytes: number
  readonly isGzip: boolean
  /** The first bytes after gunzip, at most `headBytes`. */
  readonly bytes: Buffer
  /** Whether `bytes` is the whole content. */
  readonly isWhole: boolean
}

/**
 * Reads the start of a file.
 * @throws NOT_FOUND when there is no such file, BAD_REQUEST when it is a folder, empty, or its gzip cannot be read.
 */
export async function readHead(path: string): Promise<FileHead> {
  const name = basename(path)
  const info = await stat(path).catch(cause => {
    throw new AppError('NOT_FOUND', `The file ${name} cannot be opened: check the path and its permissions.`, { cause })
  })
  if (!info.isFile()) throw new AppError('BAD_REQUEST', `${name} is not a file: name the files themselves.`)
  if (info.size === 0) throw new AppError('BAD_REQUEST', `The file ${name} is empty: there is nothing to import.`)
  const isGzip = await startsLikeGzip(path)
  const stream = createReadStream(path, { highWaterMark: readChunkBytes })
  const parts: Buffer[] = []
  let length = 0
  let isWhole = true
  try {
    for await (const chunk of gunzipped(stream, isGzip)) {
      parts.push(chunk)
      length += chunk.length
      if (length <= headBytes) continue
      isWhole = false
      break
    }
  } catch (cause) {
    throw brokenFile(name, isGzip, cause)
  } finally {
    stream.destroy()
  }
  const bytes = Buffer.concat(parts).subarray(0, headBytes)
  if (bytes.length === 0) throw new AppError('BAD_REQUEST', `The file ${name} is empty: there is nothing to import.`)
  return { path, name, sizeBytes: info.size, isGzip, bytes, isWhole }
}

/**
 * Reads a file once without keeping it: its SHA-256, and for gzip whether it can be read to its end, so that a broken
 * file is refused before a row of it is written.
 * @throws BAD_REQUEST when the gzip is broken.
 */
export async function surveyFile(head: FileHead, signal?: AbortSignal): Promise<{ sha256: string }> {
  const hash = createHash('sha256')
  const stream = createReadStream(head.path, { highWaterMark: readChunkBytes, ...(signal && { signal }) })
  if (!head.isGzip) {
    for await (const chunk of stream) hash.update(chunk)
    return { sha256: hash.digest('hex') }
  }
  const gunzip = createGunzip({ chunkSize: readChunkBytes })
  const source = async function* () {
    for await (const chunk of stream) {
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    // Read to its end: a missing end is found after the last byte has gone in, too late for a pipeline that ends here.
    await pipeline(source, gunzip, async bytes => {
      for await (const _ of bytes);
    })
  } catch (cause) {
    signal?.throwIfAborted()
    throw brokenFile(head.name, true, cause)
  }
  return { sha256: hash.digest('hex') }
}

/** A piece of text and whether bytes in it were not valid (they show as U+FFFD). */
export interface TextChunk {
  readonly text: string
  readonly hasBadBytes: boolean
  /** How much of the file, as it lies on the disk, has been read by now. */
  readonly bytesRead: number
}

/**
 * The text of a file, piece by piece, without its byte order mark.
 * @throws BAD_REQUEST when the encoding is not one we read, or the gzip breaks.
 */
export async function* readText(head: FileHead, signal?: AbortSignal): AsyncGenerator<TextChunk> {
  const encoding = recogniseEncoding(head)
  const stream = createReadStream(head.path, { highWaterMark: readChunkBytes, ...(signal && { signal }) })
  const decoder = decoderOf(encoding)
  try {
    for await (const chunk of gunzipped(stream, head.isGzip)) {
      const part = decoder.push(chunk)
      if (part.text !== '') yield { ...part, bytesRead: stream.bytesRead }
    }
    const last = decoder.end()
    if (last.text !== '') yield { ...last, bytesRead: stream.bytesRead }
  } catch (cause) {
    signal?.throwIfAborted()
    throw cause instanceof AppError ? cause : brokenFile(head.name, head.isGzip, cause)
  } finally {
    stream.destroy()
  }
}

interface Decoder {
  push(bytes: Buffer): { text: string; hasBadBytes: boolean }
  end(): { text: string; hasBadBytes: boolean }
}

function decoderOf(encoding: TextEncoding): Decoder {
  if (encoding === 'utf-8') return new Utf8Chunks()
  const decoder = new TextDecoder(encoding)
  return {
    push: bytes => ({ text: decoder.decode(bytes, { stream: true }), hasBadBytes: false }),
    end: () => ({ text: decoder.decode(), hasBadBytes: false }),
  }
}

async function* gunzipped(stream: ReadStream, isGzip: boolean): AsyncGenerator<Buffer> {
  if (!isGzip) {
    yield* stream
    return
  }
  const gunzip = createGunzip({ chunkSize: readChunkBytes })
  stream.on('error', error => gunzip.destroy(error))
  stream.pipe(gunzip)
  try {
    yield* gunzip
  } finally {
    stream.unpipe(gunzip)
    gunzip.destroy()
  }
}

async function startsLikeGzip(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0)
    return bytesRead === 2 && buffer[0] === 0x1f && buffer[1] === 0x8b
  } finally {
    await file.close()
  }
}

function brokenFile(name: string, isGzip: boolean, cause: unknown): AppError {
  return isGzip
    ? new AppError('BAD_REQUEST', `The gzip file ${name} is damaged or cut short: nothing of it was imported.`, {
        cause,
      })
    : new AppError('BAD_REQUEST', `The file ${name} could not be read to its end.`, { cause })
}

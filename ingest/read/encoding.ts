import { isUtf8 } from 'node:buffer'
import { AppError } from '../../contracts/errors.ts'

/** How much of a file is looked at to tell what it is. */
export const headBytes = 256 * 1024

export type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be'

/**
 * The encoding of a file's text: by its byte order mark, else UTF-8 if its start is valid UTF-8.
 * @throws BAD_REQUEST with a sentence that names what it seems to be and how to convert it
 */
export function recogniseEncoding(head: { name: string; bytes: Buffer }): TextEncoding {
  const { bytes, name } = head
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
  const nulCount = countNuls(bytes)
  if (nulCount > bytes.length / 4 && nulCount < (bytes.length * 3) / 4) {
    throw refuse(name, `is UTF-16 without a byte order mark: convert it with \`iconv -f UTF-16LE -t UTF-8\`.`)
  }
  if (nulCount > 16 && nulCount > bytes.length / 100) throw refuse(name, 'is not text: it is full of NUL bytes.')
  const whole = bytes.subarray(0, completeUtf8End(bytes))
  if (isUtf8(whole)) return 'utf-8'
  const at = firstBadByte(whole)
  const line = countLines(whole, at)
  if (countControls(whole) > whole.length / 50) throw refuse(name, 'is not text: it is a binary file.')
  throw refuse(
    name,
    `is not UTF-8 (line ${line}): it looks like Latin-1 (ISO-8859-1 or Windows-1252). Convert it with ` +
      '`iconv -f WINDOWS-1252 -t UTF-8` and import the result.',
  )
}

function refuse(name: string, what: string): AppError {
  return new AppError('BAD_REQUEST', `The file ${name} ${what}`)
}

/**
 * Decodes UTF-8 that comes in pieces, strips a byte order mark, and says of each piece whether it held bytes that are
 * not UTF-8. Faster than a streaming TextDecoder, which cannot tell that either.
 */
export class Utf8Chunks {
  #carry: Buffer | null = null
  #isStart = true

  push(bytes: Buffer): { text: string; hasBadBytes: boolean } {
    const all = this.#carry ? Buffer.concat([this.#carry, bytes]) : bytes
    const end = completeUtf8End(all)
    this.#carry = end === all.length ? null : Buffer.from(all.subarray(end))
    return this.#decode(all.subarray(0, end))
  }

  end(): { text: string; hasBadBytes: boolean } {
    const rest = this.#carry ?? Buffer.alloc(0)
    this.#carry = null
    return this.#decode(rest)
  }

  #decode(bytes: Buffer): { text: string; hasBadBytes: boolean } {
    const text = bytes.toString('utf8')
    const hasMark = this.#isStart && text.charCodeAt(0) === 0xfeff
    if (bytes.length > 0) this.#isStart = false
    return { text: hasMark ? text.slice(1) : text, hasBadBytes: !isUtf8(bytes) }
  }
}

/** Where the last complete character ends: at most three bytes before the end of `bytes`. */
function completeUtf8End(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return bytes.length
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? bytes.length - back : bytes.length
  }
  return bytes.length
}

function firstBadByte(bytes: Buffer): number {
  let low = 0
  let high = bytes.length
  while (low < high) {
    const middle = (low + high + 1) >> 1
    const part = bytes.subarray(0, middle)
    if (isUtf8(part.subarray(0, completeUtf8End(part)))) low = middle
    else high = middle - 1
  }
  return low
}

function countLines(bytes: Buffer, end: number): number {
  let line = 1
  for (let at = bytes.indexOf(10); at !== -1 && at < end; at = bytes.indexOf(10, at + 1)) line++
  return line
}

function countNuls(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at + 1)) count++
  return count
}

function countControls(bytes: Buffer): number {
  let count = 0
  for (const byte of bytes) if (byte < 9 || (byte > 13 && byte < 32)) count++
  return count
}

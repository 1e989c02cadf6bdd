import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { apiKeyPattern } from '../../../contracts/api-keys.ts'

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const idChars = 8
/** 43 digits of base 62 hold 256 bits. */
const secretChars = 43
const checksumChars = 6
const kinds = { plain: 'cl_live_', service: 'cl_svc_' } as const

/** A key as it is shown once, and what is kept of it. */
export interface NewKeyText {
  readonly key: string
  /** The visible beginning, by which the key is found: kind and id. */
  readonly prefix: string
  /** SHA-256 of the whole key. */
  readonly hash: Buffer
}

/** Makes a key of 256 random bits in the form of `apiKeyPattern`. */
export function makeKeyText(kind: keyof typeof kinds): NewKeyText {
  const prefix = kinds[kind] + randomDigits(idChars)
  const body = `${prefix}_${randomDigits(secretChars)}`
  const key = body + checksumOf(body)
  return { key, prefix, hash: hashOfKey(key) }
}

/** The visible beginning of a text that is a key by its form and checksum; null for anything else, without a look-up. */
export function prefixOfKey(text: string): string | null {
  if (!apiKeyPattern.test(text)) return null
  const body = text.slice(0, -checksumChars)
  if (checksumOf(body) !== text.slice(-checksumChars)) return null
  return text.slice(0, text.lastIndexOf('_'))
}

export function hashOfKey(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

/** CRC-32 in base 62: not a protection, but a typing error is seen at once. */
function checksumOf(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let place = 0; place < checksumChars; place += 1) {
    text = digits.charAt(rest % digits.length) + text
    rest = Math.floor(rest / digits.length)
  }
  return text
}

/** Each digit is as likely as any other: bytes beyond the last multiple of 62 are thrown away. */
function randomDigits(count: number): string {
  const fair = 256 - (256 % digits.length)
  let text = ''
  while (text.length < count) {
    for (const byte of randomBytes(count)) {
      if (byte < fair && text.length < count) text += digits.charAt(byte % digits.length)
    }
  }
  return text
}

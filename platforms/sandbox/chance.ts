/** Chance that is the same for the same seed: every number of the world is a function of where it stands, none is drawn. */

/** Any numbers to 32 bits that look drawn. */
export function mix(...parts: readonly number[]): number {
  let h = 0x9e3779b9
  for (const part of parts) {
    h = Math.imul(h ^ (part >>> 0), 0x85ebca6b)
    h ^= h >>> 13
    h = Math.imul(h, 0xc2b2ae35)
    h ^= h >>> 16
  }
  return h >>> 0
}

/** From 0 up to, and not, 1. */
export function unit(...parts: readonly number[]): number {
  return mix(...parts) / 2 ** 32
}

/** One of a list that is not empty. */
export function pick<T>(list: readonly [T, ...T[]], ...parts: readonly number[]): T {
  return list[mix(...parts) % list.length] ?? list[0]
}

/** Letters that look drawn, of an alphabet. */
export function letters(alphabet: string, length: number, ...parts: readonly number[]): string {
  let text = ''
  for (let at = 0; at < length; at += 1) text += alphabet[mix(...parts, at) % alphabet.length]
  return text
}

/** A text as a number to mix. */
export function textNumber(text: string): number {
  let h = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) h = Math.imul(h ^ text.charCodeAt(at), 0x01000193)
  return h >>> 0
}

/**
 * 32 bits to other 32 bits, and back with `unscramble`: ids look drawn, and the world still finds what they stand for.
 * @see https://github.com/skeeto/hash-prospector (lowbias32 and its inverse)
 */
export function scramble(seed: number, n: number): number {
  let x = n >>> 0
  x ^= x >>> 16
  x = Math.imul(x, 0x7feb352d)
  x ^= x >>> 15
  x = Math.imul(x, 0x846ca68b)
  x ^= x >>> 16
  return (x ^ seed) >>> 0
}

export function unscramble(seed: number, scrambled: number): number {
  let x = (scrambled ^ seed) >>> 0
  x ^= x >>> 16
  x = Math.imul(x, 0x43021123)
  x ^= (x >>> 15) ^ (x >>> 30)
  x = Math.imul(x, 0x1d69e2a5)
  x ^= x >>> 16
  return x >>> 0
}

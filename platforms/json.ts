import type { Count, OddCount } from './port.ts'

/**
 * Reading what platforms send. Nothing is trusted to be there or to have the type that a document says: a field of the
 * wrong kind reads as missing, so that one odd item never costs a page.
 */

/** Whole numbers that a double cannot hold exactly become bigints; all else as `JSON.parse`. @throws SyntaxError */
export function parseJson(text: string): unknown {
  // The slow way only where a long number stands: most answers have none.
  if (!/[:,[\s]-?\d{16}/.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
    const source = context?.source ?? ''
    return /^-?\d{1,40}$/.test(source) ? BigInt(source) : value
  })
}

/** What lies at a path of an object; undefined when any step is missing. */
export function at(json: unknown, ...path: readonly string[]): unknown {
  let here = json
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined
    here = Reflect.get(here, key)
  }
  return here
}

/** An array, or an empty one. */
export function listAt(json: unknown, ...path: readonly string[]): readonly unknown[] {
  const list = at(json, ...path)
  return Array.isArray(list) ? list : []
}

/** A text, or an empty one. */
export function textAt(json: unknown, ...path: readonly string[]): string {
  const text = at(json, ...path)
  return typeof text === 'string' ? text : ''
}

/** An id, which may be a number of any length; null when it is missing or empty. */
export function idAt(json: unknown, ...path: readonly string[]): string | null {
  const id = at(json, ...path)
  if (typeof id === 'string') return id === '' ? null : id
  return typeof id === 'bigint' || Number.isSafeInteger(id) ? String(id) : null
}

const countMax = 2n ** 63n - 1n

/** A counter, as a number or as digits; null when it is missing, negative or no whole number. */
export function countAt(json: unknown, ...path: readonly string[]): Count {
  const value = at(json, ...path)
  const count =
    typeof value === 'bigint'
      ? value
      : (typeof value === 'string' && /^\d{1,19}$/.test(value)) || Number.isSafeInteger(value)
        ? BigInt(String(value))
        : null
  return count !== null && count >= 0n && count <= countMax ? count : null
}

/** Counters of an item, by our names: those that are there and that `countAt` takes for missing. */
export function oddCountsIn(json: unknown, places: Readonly<Record<string, readonly string[]>>): OddCount[] {
  return Object.entries(places).flatMap(([name, path]) => {
    const given = at(json, ...path)
    if (given === undefined || given === null || countAt(json, ...path) !== null) return []
    return [{ name, given: (typeof given === 'object' ? JSON.stringify(given) : String(given)).slice(0, 100) }]
  })
}

/** A number of seconds or the like, not below zero, as a number or as digits. */
export function amountAt(json: unknown, ...path: readonly string[]): number | null {
  const value = at(json, ...path)
  const amount = typeof value === 'string' && /^\d{1,15}(\.\d{1,9})?$/.test(value) ? Number(value) : value
  return typeof amount === 'number' && Number.isFinite(amount) && amount >= 0 ? amount : null
}

const instantMsMax = 4_102_444_800_000

/** An instant as RFC 3339 or as Instagram writes it (`2026-10-01T07:56:32+0000`), in epoch ms. */
export function instantMsAt(json: unknown, ...path: readonly string[]): number | null {
  const text = textAt(json, ...path)
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text)) return null
  return instantMs(Date.parse(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')))
}

/** An instant in seconds, in epoch ms. */
export function secondsAt(json: unknown, ...path: readonly string[]): number | null {
  const seconds = amountAt(json, ...path)
  return seconds === null ? null : instantMs(seconds * 1000)
}

function instantMs(ms: number): number | null {
  return ms >= 0 && ms <= instantMsMax ? ms : null
}

/** An address for browsers, or an empty text. */
export function urlAt(json: unknown, ...path: readonly string[]): string {
  const text = textAt(json, ...path)
  return /^https?:\/\/[^\s\p{Cc}]+$/u.test(text) ? text : ''
}

/** Texts of a list that came as a list, or as one text with separators. */
export function wordsAt(json: unknown, separator: RegExp, ...path: readonly string[]): string[] | null {
  const value = at(json, ...path)
  const words = typeof value === 'string' ? value.split(separator) : Array.isArray(value) ? value : null
  return words?.flatMap(word => (typeof word === 'string' && word.trim() !== '' ? [word.trim()] : [])) ?? null
}

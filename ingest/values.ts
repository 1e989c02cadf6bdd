/**
 * Text of tables into values. Every function returns `null` for "not given" and `undefined` for "given, but not
 * readable", so that missing and broken can never be mixed up.
 */

const countMax = 9223372036854775807n

/** A counter: digits only, also `1234.0` as spreadsheets write them. Empty, `N/A`, `None`, `null` and `nan` are not given. */
export function parseCount(text: string): number | bigint | null | undefined {
  const length = text.length
  if (length === 0) return null
  if (length > 15) return parseLongCount(text)
  let count = 0
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return parseLongCount(text)
    count = count * 10 + digit
  }
  return count
}

function parseLongCount(text: string): number | bigint | null | undefined {
  const trimmed = text.trim()
  if (/^(|n\/a|none|null|nan|\\n)$/i.test(trimmed)) return null
  const match = /^(\d{1,30})(?:\.0+)?$/.exec(trimmed)
  if (!match?.[1]) return undefined
  const whole = BigInt(match[1])
  if (whole > countMax) return undefined
  return whole <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(whole) : whole
}

const suffixes: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, B: 1e9 }

/** A shortened counter such as `48.5M` or `383.1K`, as the number it stands for. `N/A` and empty are not given. */
export function parseShortCount(text: string): number | null | undefined {
  const trimmed = text.trim()
  if (/^(|n\/a)$/i.test(trimmed)) return null
  const match = /^(\d{1,9}(?:\.\d{1,6})?)([KMB]?)$/i.exec(trimmed)
  if (!match) return undefined
  return Math.round(Number(match[1]) * (suffixes[(match[2] ?? '').toUpperCase()] ?? 1))
}

const instantMaxMs = 4_102_444_800_000
const isoPattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(Z|UTC|[+-]\d{2}:?\d{2})?)?$/

/**
 * An instant in epoch milliseconds from ISO 8601 text (a date alone is its midnight, no zone is UTC, finer than
 * milliseconds is cut) or from epoch seconds (10 digits) or milliseconds (13 digits). From 1970 to 2100.
 */
export function parseInstant(text: string): number | null | undefined {
  const plainMs = parsePlainUtc(text)
  if (plainMs !== undefined) return plainMs
  const trimmed = text.trim()
  if (trimmed === '') return null
  if (/^\d{9,10}(\.\d+)?$/.test(trimmed)) return Math.floor(Number(trimmed) * 1000)
  if (/^\d{12,13}$/.test(trimmed)) return within(Number(trimmed))
  const match = isoPattern.exec(trimmed)
  if (!match) return undefined
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone = 'Z'] = match
  const dayMs = utcDay(Number(year), Number(month), Number(day))
  if (dayMs === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  const timeMs = (Number(hour) * 3600 + Number(minute) * 60 + Number(second)) * 1000
  return within(dayMs + timeMs + Number(fraction.padEnd(3, '0').slice(0, 3)) - zoneMs(zone))
}

/** The one layout that large files are written in, `2026-01-31T12:00:00Z` with or without milliseconds, without a RegExp. */
function parsePlainUtc(text: string): number | undefined {
  const { length } = text
  if ((length !== 20 && length !== 24) || text[10] !== 'T' || text[length - 1] !== 'Z') return undefined
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined
  if (length === 24 && text[19] !== '.') return undefined
  const hour = digits(text, 11, 13)
  const minute = digits(text, 14, 16)
  const second = digits(text, 17, 19)
  const ms = length === 24 ? digits(text, 20, 23) : 0
  const dayMs = utcDay(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10))
  if (dayMs === undefined || !(hour <= 23 && minute <= 59 && second <= 60 && ms >= 0)) return undefined
  return within(dayMs + (hour * 3600 + minute * 60 + second) * 1000 + ms)
}

/** The number written in `text` from `start` to `end`; NaN when a character there is no digit. */
function digits(text: string, start: number, end: number): number {
  let number = 0
  for (let at = start; at < end; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    number = number * 10 + digit
  }
  return number
}

/** Midnight UTC of a calendar day, or undefined when there is no such day. */
export function utcDay(year: number, month: number, day: number): number | undefined {
  if (!(month >= 1 && month <= 12 && day >= 1)) return undefined
  const monthMs = Date.UTC(year, month - 1)
  const ms = monthMs + (day - 1) * 86_400_000
  return ms < Date.UTC(year, month) ? ms : undefined
}

function zoneMs(zone: string): number {
  if (zone === 'Z' || zone === 'UTC') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

function within(ms: number): number | undefined {
  return ms >= 0 && ms <= instantMaxMs ? ms : undefined
}

/** Seconds of an ISO 8601 duration such as `PT1H10M5S` or `P1DT2H`. */
export function parseIsoDuration(text: string): number | null | undefined {
  if (text === '') return null
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/.exec(text)
  if (!match) return undefined
  const [, days = '0', hours = '0', minutes = '0', seconds = '0'] = match
  return Number(days) * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/**
 * The same text in memory of its own. A field is a slice that keeps the whole chunk it was cut from alive, so whatever
 * is kept longer than a batch goes through here. Lone surrogates become U+FFFD.
 */
export function ownText(text: string): string {
  return text.length === 0 ? '' : Buffer.from(text, 'utf8').toString('utf8')
}

/** At most `max` UTF-16 units, never ending in half a surrogate pair. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text
  const cut = text.slice(0, max)
  return cut.isWellFormed() ? cut : cut.slice(0, -1).toWellFormed()
}

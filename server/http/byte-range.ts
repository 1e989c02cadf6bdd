import { AppError } from '../../contracts/errors.ts'

/** Both ends included, from 0. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/**
 * The one range that a request asks for, or null for the whole: also for several ranges at once, for a unit or form that
 * is not known, and when `If-Range` names another state of the file, as RFC 9110 allows and asks for.
 * @param file its size in bytes and its strong entity tag
 * @throws AppError RANGE_NOT_SATISFIABLE when no byte of the file lies in it
 */
export function rangeOf(
  headers: { readonly range: string | undefined; readonly ifRange: string | undefined },
  file: { readonly bytes: number; readonly etag: string },
): ByteRange | null {
  if (headers.range === undefined) return null
  if (headers.ifRange !== undefined && headers.ifRange.trim() !== file.etag) return null
  const [, first, last] = /^bytes=\s*(\d{0,15})-(\d{0,15})$/i.exec(headers.range.trim()) ?? []
  if (first === undefined || last === undefined || first + last === '') return null
  const range =
    first === ''
      ? { start: Math.max(0, file.bytes - Number(last)), end: file.bytes - 1 }
      : { start: Number(first), end: last === '' ? file.bytes - 1 : Math.min(Number(last), file.bytes - 1) }
  if (first !== '' && last !== '' && Number(last) < Number(first)) return null
  if (range.start <= range.end) return range
  throw new AppError('RANGE_NOT_SATISFIABLE', `The file has ${file.bytes} bytes: this range lies outside of it.`, {
    details: { bytes: file.bytes },
  })
}

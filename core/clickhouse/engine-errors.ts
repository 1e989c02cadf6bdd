import { ClickHouseError } from '@clickhouse/client'
import { AppError } from '../../contracts/errors.ts'
import type { ReadOnlyLimits } from './port.ts'

/**
 * Numbers of ClickHouse's errors (`ErrorCodes.cpp`), by what they mean to whoever asked: which limit of the user's query
 * it was, as a sentence, or null where the engine's own reason says it best.
 */
const limitCodes = new Map<number, ((limits: ReadOnlyLimits) => string) | null>([
  [128, null], // TOO_LARGE_ARRAY_SIZE
  [131, null], // TOO_LARGE_STRING_SIZE
  [158, limits => `It would read more than ${rows(limits.readRowsMax)}: name a shorter time, or fewer videos`], // TOO_MANY_ROWS
  [159, limits => `It took longer than ${limits.timeSecMax} seconds: name a shorter time, or ask for less`], // TIMEOUT_EXCEEDED
  [160, null], // TOO_SLOW
  [161, null], // TOO_MANY_COLUMNS
  [162, () => 'Its subqueries are nested too deeply'], // TOO_DEEP_SUBQUERIES
  [167, () => 'It is nested too deeply'], // TOO_DEEP_AST
  [168, () => 'It has too many parts'], // TOO_BIG_AST
  [191, null], // SET_SIZE_LIMIT_EXCEEDED
  [241, limits => `It needs more than ${mebibytes(limits)} MiB of memory: group, sort or join fewer rows`], // MEMORY_LIMIT_EXCEEDED
  [290, null], // LIMIT_EXCEEDED
  [306, () => 'It is nested too deeply'], // TOO_DEEP_RECURSION
  [307, null], // TOO_MANY_BYTES
  [394, () => 'It was stopped'], // QUERY_WAS_CANCELLED
  [396, limits => `It gives more than ${rows(limits.resultRowsMax)}, or too many bytes: add a LIMIT, or group them`], // TOO_MANY_ROWS_OR_BYTES
])
const worldCodes = new Set([
  32, // ATTEMPT_TO_READ_AFTER_EOF
  202, // TOO_MANY_SIMULTANEOUS_QUERIES
  209, // SOCKET_TIMEOUT
  210, // NETWORK_ERROR
  236, // ABORTED
  252, // TOO_MANY_PARTS
  279, // ALL_CONNECTION_TRIES_FAILED
  745, // SERVER_OVERLOADED
  999, // KEEPER_EXCEPTION
])
const noSpaceCodes = new Set([
  243, // NOT_ENOUGH_SPACE
  75, // CANNOT_WRITE_TO_FILE_DESCRIPTOR
])
const deniedCodes = new Set([
  164, // READONLY
  497, // ACCESS_DENIED
])
const reasonCharsMax = 600

/**
 * What went wrong in the engine or on the way to it, by its error number (never by its text).
 *
 * @param limits of a user's SQL: what the engine denies is then a refusal, not our mistake; null for our own statements
 */
export function translateEngineError(error: unknown, limits: ReadOnlyLimits | null): AppError {
  if (error instanceof AppError) return error
  if (!(error instanceof ClickHouseError)) return translateConnectionError(error)
  const code = Number(error.code)
  const details = { engineCode: code, engineError: error.type ?? 'UNKNOWN' }
  const options = { details, cause: error }
  const reason = error.message
    .replace(/\s+/g, ' ')
    .replace(/[.\s]+$/, '')
    .slice(0, reasonCharsMax)
  const tellLimit = limitCodes.get(code)
  if (tellLimit !== undefined) {
    const plain = limits === null ? null : (tellLimit?.(limits) ?? null)
    return new AppError('QUERY_LIMIT', `The query went over a limit: ${plain ?? reason}.`, options)
  }
  if (noSpaceCodes.has(code)) {
    return new AppError(
      'UNAVAILABLE',
      'The disk of the analytics store is full: free some space, then try again.',
      options,
    )
  }
  if (worldCodes.has(code)) {
    return new AppError(
      'UNAVAILABLE',
      'The analytics store is too busy or not reachable: try again in a moment.',
      options,
    )
  }
  if (deniedCodes.has(code) && limits !== null) {
    return new AppError('QUERY_REFUSED', `The engine does not allow this: ${reason}.`, options)
  }
  return new AppError('QUERY_FAILED', `The engine could not run this SQL: ${reason}.`, options)
}

/** Whatever is not the engine's own answer came from the connection: refused, reset, cut short, timed out. */
function translateConnectionError(cause: unknown): AppError {
  return new AppError('UNAVAILABLE', 'The analytics store is not answering: try again in a moment.', { cause })
}

function rows(count: number): string {
  return `${count.toLocaleString('en')} rows`
}

function mebibytes({ memoryBytesMax }: ReadOnlyLimits): string {
  return Math.round(memoryBytesMax / 1024 ** 2).toLocaleString('en')
}

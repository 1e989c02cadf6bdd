import { ClickHouseError } from '@clickhouse/client'
import { AppError } from '../../contracts/errors.ts'

/** Numbers of ClickHouse's errors (`ErrorCodes.cpp`), by what they mean to whoever asked. */
const limitCodes = new Set([
  128, // TOO_LARGE_ARRAY_SIZE
  131, // TOO_LARGE_STRING_SIZE
  158, // TOO_MANY_ROWS
  159, // TIMEOUT_EXCEEDED
  160, // TOO_SLOW
  161, // TOO_MANY_COLUMNS
  162, // TOO_DEEP_SUBQUERIES
  167, // TOO_DEEP_AST
  168, // TOO_BIG_AST
  191, // SET_SIZE_LIMIT_EXCEEDED
  241, // MEMORY_LIMIT_EXCEEDED
  290, // LIMIT_EXCEEDED
  306, // TOO_DEEP_RECURSION
  307, // TOO_MANY_BYTES
  394, // QUERY_WAS_CANCELLED
  396, // TOO_MANY_ROWS_OR_BYTES
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
 * @param isUsers the SQL was a user's: what the engine denies is then a refusal, not our mistake
 */
export function translateEngineError(error: unknown, o: { isUsers: boolean }): AppError {
  if (error instanceof AppError) return error
  if (!(error instanceof ClickHouseError)) return translateConnectionError(error)
  const code = Number(error.code)
  const details = { engineCode: code, engineError: error.type ?? 'UNKNOWN' }
  const options = { details, cause: error }
  const reason = error.message
    .replace(/\s+/g, ' ')
    .replace(/[.\s]+$/, '')
    .slice(0, reasonCharsMax)
  if (limitCodes.has(code)) return new AppError('QUERY_LIMIT', `The query went over a limit: ${reason}.`, options)
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
  if (deniedCodes.has(code) && o.isUsers) {
    return new AppError('QUERY_REFUSED', `The engine does not allow this: ${reason}.`, options)
  }
  return new AppError('QUERY_FAILED', `The engine could not run this SQL: ${reason}.`, options)
}

/** Whatever is not the engine's own answer came from the connection: refused, reset, cut short, timed out. */
function translateConnectionError(cause: unknown): AppError {
  return new AppError('UNAVAILABLE', 'The analytics store is not answering: try again in a moment.', { cause })
}

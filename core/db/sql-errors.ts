import { AppError, type ErrorCode } from '../../contracts/errors.ts'
import { isRecord } from './pglite-messages.ts'

/**
 * What a SQLSTATE means to a caller. Whole classes by their first two characters, single states by all five, the longer
 * one first. Broken constraints other than uniqueness are our bug (values are checked before they are written).
 */
const meaning: Readonly<Record<string, { code: ErrorCode; message: string }>> = {
  '08': { code: 'UNAVAILABLE', message: 'The connection to the relational store was lost: try again.' },
  '23503': { code: 'CONFLICT', message: 'Something that this refers to is not there any more.' },
  '23505': { code: 'CONFLICT', message: 'There is one of these already.' },
  '40': { code: 'UNAVAILABLE', message: 'Two changes met in the relational store: try again.' },
  '42501': { code: 'NOT_FOUND', message: 'There is nothing here by that name.' },
  '53': { code: 'UNAVAILABLE', message: 'The relational store is out of disk space, memory or connections.' },
  '57014': { code: 'QUERY_LIMIT', message: 'The query on the relational store took too long and was stopped.' },
  '57P': { code: 'UNAVAILABLE', message: 'The relational store is restarting or shutting down: try again.' },
  '58': { code: 'UNAVAILABLE', message: 'The relational store cannot read or write its files: look at its disk.' },
}

/** SQLSTATE of a second row with a key that has to be the only one. */
export const uniqueViolation = '23505'

const lostConnectionCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT',
  'ENOTFOUND',
  'EAI_AGAIN',
])

/**
 * Translates what the `pg` driver (over a socket or over PGlite) rejects with, by SQLSTATE or errno and never by its
 * text. `details` names the state, table and constraint, never a value; `cause` is the driver's error without its
 * `detail` field, which quotes row contents.
 */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error
  const fields = isRecord(error) ? error : {}
  const state = typeof fields.code === 'string' ? fields.code : ''
  if ('detail' in fields) fields.detail = undefined
  const cause = { cause: error }
  if (/^[0-9A-Z]{5}$/.test(state)) {
    const details = { sqlState: state, table: fields.table, constraint: fields.constraint }
    const known = meaning[state] ?? meaning[state.slice(0, 3)] ?? meaning[state.slice(0, 2)]
    return known
      ? new AppError(known.code, known.message, { details, ...cause })
      : new AppError('INTERNAL', `The relational store refused a statement (SQLSTATE ${state}).`, { details, ...cause })
  }
  if (lostConnectionCodes.has(state) || isPlainError(error)) {
    return new AppError('UNAVAILABLE', 'The relational store is not answering: try again in a moment.', cause)
  }
  return new AppError('INTERNAL', 'A statement for the relational store could not be sent.', cause)
}

/** The SQLSTATE of an error that came from the relational store, else null. */
export function sqlStateOf(error: unknown): string | null {
  if (!(error instanceof AppError)) return null
  return typeof error.details.sqlState === 'string' ? error.details.sqlState : null
}

/** `pg` rejects with a bare `Error` without a code when its connection ended; everything else has a class or a code. */
function isPlainError(error: unknown): boolean {
  return error instanceof Error && error.constructor === Error && !('code' in error)
}

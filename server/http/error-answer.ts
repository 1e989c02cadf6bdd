import { randomUUID } from 'node:crypto'
import type { ErrorRequestHandler, Request, Response } from 'express'
import { AppError } from '../../contracts/errors.ts'
import type { Log } from '../../core/log.ts'
import { requestIdOf } from './request-id.ts'

/** The one form of every error: `{"error":{"code","message","details","requestId"}}`. */
export function errorBody(error: AppError, requestId: string) {
  return { error: { code: error.code, message: error.message, details: error.details, requestId } }
}

/** A whole answer with the error form, for a socket that has no request on it. */
export function rawRefusal(error: AppError): string {
  const id = randomUUID()
  const body = JSON.stringify(errorBody(error, id))
  const head = [
    `HTTP/1.1 ${error.status} Refused`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${id}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/** The last middleware: whatever was thrown becomes the error form with its status. Unknown errors are ours, and logged. */
export function errorAnswer(log: Log): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return (cause: unknown, request: Request, response: Response, _next) => {
    const error = toAppError(cause)
    const requestId = requestIdOf(response)
    if (error.status >= 500) log.error({ err: cause, requestId, path: request.path }, 'A request failed.')
    if (response.headersSent) {
      response.destroy()
      return
    }
    const retryAfterMs = error.details.retryAfterMs
    if (typeof retryAfterMs === 'number') response.set('Retry-After', String(Math.ceil(retryAfterMs / 1000)))
    if (error.code === 'AUTH_REQUIRED') response.set('WWW-Authenticate', 'Bearer')
    if (error.code === 'RANGE_NOT_SATISFIABLE') response.set('Content-Range', `bytes */${error.details.bytes}`)
    response.status(error.status).json(errorBody(error, requestId))
  }
}

/** Translates by type and class; a stranger's error is `INTERNAL`, and its text stays in the log. */
export function toAppError(cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  const type = cause instanceof Error && 'type' in cause ? String(cause.type) : ''
  switch (type) {
    case 'entity.too.large':
      return new AppError('PAYLOAD_TOO_LARGE', 'The request body is larger than this address takes.', { cause })
    case 'entity.parse.failed':
      return new AppError('BAD_REQUEST', 'The request body is not valid JSON.', { cause })
    case 'charset.unsupported':
      return new AppError('UNSUPPORTED_MEDIA_TYPE', 'The request body must be JSON in UTF-8.', { cause })
    case 'encoding.unsupported':
      return new AppError('UNSUPPORTED_MEDIA_TYPE', 'The content encoding of the request is not understood.', { cause })
  }
  const status = cause instanceof Error && 'status' in cause ? cause.status : undefined
  if (cause instanceof URIError) return new AppError('BAD_REQUEST', 'The address is not well formed.', { cause })
  if (status === 400) return new AppError('BAD_REQUEST', 'The request could not be read to its end.', { cause })
  return new AppError('INTERNAL', undefined, { cause })
}

/**
 * The closed list of errors that reach a user or a machine: one code, one HTTP status, one default sentence.
 * Codes are only ever added. `docs/errors.md` is generated from this table.
 */
export const errorTable = {
  BAD_REQUEST: { status: 400, message: 'The request is not valid.', retryable: false },
  AUTH_REQUIRED: { status: 401, message: 'Sign in, or send a valid token.', retryable: false },
  FORBIDDEN: { status: 403, message: 'You are not allowed to do this.', retryable: false },
  INSUFFICIENT_CREDITS: { status: 403, message: 'You do not have enough credits for this.', retryable: false },
  NOT_FOUND: { status: 404, message: 'There is nothing here by that name.', retryable: false },
  METHOD_NOT_ALLOWED: { status: 405, message: 'This address does not take that method.', retryable: false },
  CONFLICT: { status: 409, message: 'This does not fit the present state.', retryable: false },
  SOURCE_REQUIRED: { status: 409, message: 'This video has no media attached yet.', retryable: false },
  NOT_READY: { status: 409, message: 'This is not ready yet.', retryable: true },
  GONE: { status: 410, message: 'This existed and is no longer kept.', retryable: false },
  PRECONDITION_FAILED: {
    status: 412,
    message: 'This was changed meanwhile: read it again, then change it.',
    retryable: false,
  },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The request body is too large.', retryable: false },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    message: 'The request body has a type that is not understood.',
    retryable: false,
  },
  RANGE_NOT_SATISFIABLE: { status: 416, message: 'The file has no such bytes.', retryable: false },
  QUERY_REFUSED: { status: 400, message: 'This SQL is not allowed.', retryable: false },
  QUERY_FAILED: { status: 400, message: 'The engine could not run this SQL.', retryable: false },
  QUERY_LIMIT: { status: 400, message: 'The query went over a limit.', retryable: false },
  RATE_LIMITED: { status: 429, message: 'Too many requests: wait a moment.', retryable: true },
  INTERNAL: { status: 500, message: 'Something failed on our side.', retryable: false },
  NOT_CONFIGURED: { status: 501, message: 'This needs a setting that is not there.', retryable: false },
  UNAVAILABLE: { status: 503, message: 'A part of Cliptape is not answering: try again in a moment.', retryable: true },
} as const satisfies Record<string, { status: number; message: string; retryable: boolean }>

export type ErrorCode = keyof typeof errorTable

/**
 * An expected error: the code says who erred and which status it has; `message` is a sentence for the user.
 * `details` holds only what may be shown: no secrets, no row contents.
 */
export class AppError extends Error {
  override readonly name = 'AppError'
  readonly code: ErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message?: string, options: { details?: Record<string, unknown>; cause?: unknown } = {}) {
    super(message ?? errorTable[code].message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? {}
  }

  get status(): number {
    return errorTable[this.code].status
  }

  get isRetryable(): boolean {
    return errorTable[this.code].retryable
  }
}

/** Ends a `switch` over a union: reached only when a case was forgotten. */
export function assertNever(value: never): never {
  throw new Error(`Unexpected value: ${JSON.stringify(value)}`)
}

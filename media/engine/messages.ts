import { AppError } from '../../contracts/errors.ts'

const wordsCharsMax = 200
const streamMissing = 'MEDIA_STREAM_MISSING'

/**
 * The sentence for what a decoder or encoder said before it failed. It has no codes but its words, so they are read here
 * and nowhere else.
 * @param failure the signal that ended it, and its lines of errors, oldest first
 */
export function engineFailure(failure: { signal: string | null; errors: readonly string[] }): AppError {
  const said = failure.errors.join('\n')
  if (/No space left on device/i.test(said)) return diskFull()
  if (failure.signal === 'SIGXFSZ' || /File too large/i.test(said))
    return new AppError('PAYLOAD_TOO_LARGE', 'The result is larger than a clip may be: choose a shorter part.')
  if (/Cannot allocate memory|Error.*\bmalloc\b/i.test(said))
    return new AppError('BAD_REQUEST', 'Decoding this file needs more memory than a job may take.')
  if (failure.signal === 'SIGXCPU' || failure.signal === 'SIGKILL')
    return new AppError('UNAVAILABLE', 'The work on this file took more processor time than it may take and was ended.')
  if (/picture size .* is invalid|Picture size .* exceeds specified max pixel count/i.test(said))
    return new AppError('BAD_REQUEST', 'The pictures of this file are larger than may be decoded (4096 × 2160).')
  if (/Decoder \(.*\) not found|Unknown decoder|Could not find codec parameters/i.test(said))
    return new AppError(
      'BAD_REQUEST',
      'This file has a codec that cannot be decoded here: convert it to H.264 and AAC.',
    )
  if (/does not contain any stream/i.test(said))
    return new AppError('BAD_REQUEST', 'The file has no picture or sound of the kind asked for.', {
      details: { reason: streamMissing },
    })
  const words = lastWords(failure.errors)
  return new AppError('BAD_REQUEST', `The file cannot be decoded${words === '' ? '' : ` (${words})`}.`)
}

/** What is said wherever there was no room for a file. */
export function diskFull(cause?: unknown): AppError {
  return new AppError('UNAVAILABLE', 'The disk is full: make room, or let older clips expire, and try again.', {
    cause,
  })
}

/** Whether a call failed before its work began, because the file has no stream of a kind. */
export function isStreamMissing(error: unknown): boolean {
  return error instanceof AppError && error.details.reason === streamMissing
}

/** The last line, without levels, addresses in memory and paths. */
function lastWords(errors: readonly string[]): string {
  return (errors.at(-1) ?? '')
    .replace(/\[[^\]]*\]\s*/g, '')
    .replace(/^(file:)?\/\S+:\s*/, '')
    .replace(/(file:)?\/\S+/g, 'the file')
    .replace(/[^\x20-\x7e]/g, '')
    .replace(/[.:\s]+$/, '')
    .slice(0, wordsCharsMax)
}

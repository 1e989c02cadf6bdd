import { InputDisposedError, UnsupportedInputFormatError } from 'mediabunny'
import { AppError } from '../../contracts/errors.ts'

/**
 * Runs what reads a container, and says in a sentence what was wrong with it. The library throws plain errors for files
 * that are damaged; ours pass as they are.
 * @throws AppError BAD_REQUEST; the signal's reason when it was aborted
 */
export async function readingMedia<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    signal?.throwIfAborted()
    throw readingFailure(error)
  }
}

function readingFailure(error: unknown): unknown {
  if (error instanceof AppError) return error
  if (error instanceof UnsupportedInputFormatError)
    return new AppError(
      'BAD_REQUEST',
      'This is no media file that can be read, whatever its name says: mp4, mov, mkv, webm, ts, wav, mp3, aac, flac and ogg can.',
      { cause: error },
    )
  if (error instanceof InputDisposedError)
    return new AppError('UNAVAILABLE', 'The media was closed while it was read: try again.', { cause: error })
  // Errors of the system (EIO, ENOSPC) carry a code and are no fault of the file.
  if (error instanceof Error && 'code' in error) return error
  return new AppError('BAD_REQUEST', 'The file is damaged: its structure cannot be followed to this place.', {
    cause: error,
  })
}

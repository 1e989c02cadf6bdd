import { AppError } from '../../contracts/errors.ts'

const keyCharsMax = 512
/** A part begins with a letter or digit: no dot files, no `..`, nothing that a shell or a URL reads in its own way. */
const keyPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,199})*$/

/** @throws AppError BAD_REQUEST for a key that is not one of a blob store */
export function checkedKey(key: string): string {
  if (key.length <= keyCharsMax && keyPattern.test(key)) return key
  throw new AppError(
    'BAD_REQUEST',
    'A file key is made of letters, digits, dots, dashes and slashes, like clips/2026/ab12.mp4.',
  )
}

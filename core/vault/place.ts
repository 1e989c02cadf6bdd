import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import type { SecretId } from './port.ts'

/** The longest secret, in bytes of UTF-8. */
export const plaintextBytesMax = 64 * 1024

const SecretIdSchema = z.uuid().transform(text => text as SecretId)

/** The reference to a secret, of what a table holds. @throws ZodError when it is no uuid */
export function secretId(text: string): SecretId {
  return SecretIdSchema.parse(text)
}

/** The one answer for a secret that is not there, is another's, or is for something else. */
export function noSuchSecret(): AppError {
  return new AppError('NOT_FOUND', 'There is no such secret in the vault.')
}

import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'

/** Parameters of a list that is read newest first by ids that only grow. */
export const IdPageSchema = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(1).max(200))
    .default(50),
  cursor: z.string().min(1).max(100).optional(),
})

const biggest = 2n ** 63n - 1n

/** The id after which a list goes on; null at its beginning. @throws AppError BAD_REQUEST for a cursor that is not ours */
export function readIdCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null
  const id = Buffer.from(cursor, 'base64url').toString('latin1')
  if (/^\d{1,19}$/.test(id) && BigInt(id) <= biggest && writeIdCursor(id) === cursor) return id
  throw new AppError('BAD_REQUEST', 'The cursor is not one that was given out: start again without it.', {
    details: { field: 'cursor' },
  })
}

export function writeIdCursor(id: string): string {
  return Buffer.from(id, 'latin1').toString('base64url')
}

import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'

const TrendCursorSchema = z.strictObject({
  /** The end of the window that the first page had, epoch ms: later pages keep it. */
  toMs: z.number().int(),
  value: z.number().nullable(),
  low: z.number(),
  key: z.string().max(300),
  rank: z.number().int().min(1),
})
/** Where the next page of a ranked list begins. */
export type TrendCursor = z.infer<typeof TrendCursorSchema>

const NameCursorSchema = z.strictObject({ after: z.array(z.union([z.string().max(1000), z.number()])).max(4) })

export const readTrendCursor = (text: string): TrendCursor => readCursor(text, TrendCursorSchema)
export const readListCursor = (text: string): z.infer<typeof NameCursorSchema>['after'] =>
  readCursor(text, NameCursorSchema).after

/** An opaque text that `readTrendCursor` or `readListCursor` takes back. */
export function writeCursor(cursor: TrendCursor | z.infer<typeof NameCursorSchema>): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url')
}

function readCursor<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    value = undefined
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new AppError('BAD_REQUEST', 'The cursor is not one that was given out: start again without it.', {
    details: { field: 'cursor' },
  })
}

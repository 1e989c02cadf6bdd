import { AppError } from '../../contracts/errors.ts'

/** The last row of a page of a list that is read newest first, by when its rows were made. */
export interface InstantCursor {
  readonly createdAtMs: number
  readonly id: string
}

/** Where a list goes on; null at its beginning. @throws AppError BAD_REQUEST for a cursor that is not ours */
export function readInstantCursor(cursor: string | undefined): InstantCursor | null {
  if (cursor === undefined) return null
  const [, ms, id] = /^(\d{1,15}) (.{1,300})$/su.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? []
  const read = { createdAtMs: Number(ms), id: id ?? '' }
  if (id !== undefined && !id.includes('\0') && writeInstantCursor(read) === cursor) return read
  throw new AppError('BAD_REQUEST', 'The cursor is not one that was given out: start again without it.', {
    details: { field: 'cursor' },
  })
}

/** What the answer with a page says of the next one; nothing when this is the last. */
export function nextInstantCursor<Row extends { readonly createdAt: string }>(
  { rows, hasMore }: { readonly rows: readonly Row[]; readonly hasMore: boolean },
  idOf: (row: Row) => string,
): { nextCursor?: string } {
  const last = rows.at(-1)
  if (last === undefined || !hasMore) return {}
  return { nextCursor: writeInstantCursor({ createdAtMs: Date.parse(last.createdAt), id: idOf(last) }) }
}

function writeInstantCursor({ createdAtMs, id }: InstantCursor): string {
  return Buffer.from(`${createdAtMs} ${id}`, 'utf8').toString('base64url')
}

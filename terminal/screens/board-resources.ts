import type { z } from 'zod'
import { BoardListSchema, type BoardSummary, type SavedBoard, SavedBoardSchema } from '../../contracts/dashboards.ts'
import type { ResourceQuery } from '../net/resource-client.ts'

const KeyedList = BoardListSchema.transform(({ data }) => ({ data: data.map(row => ({ ...row, key: row.id })) }))
/** A board in the list. */
export type BoardRow = BoardSummary & { key: string }

/** Boards that may be opened. */
export const boardListResource: ResourceQuery<z.output<typeof KeyedList>> = {
  path: '/api/dashboards',
  query: {},
  schema: KeyedList,
  everyMs: 15_000,
}

/** One board; a change of somebody else's shows within seconds. */
export function boardResource(id: string): ResourceQuery<SavedBoard> {
  return { path: boardPath(id), query: {}, schema: SavedBoardSchema, everyMs: 15_000, lineFields: ['sql'] }
}

export function boardPath(id: string): string {
  return `/api/dashboards/${encodeURIComponent(id)}`
}

/**
 * The id of the board that somebody means: an id, the name of one that comes with Cliptape, or the name of a board with
 * hyphens for what is no letter or digit. Null when no board is called so.
 */
export function findBoardId(meant: string, rows: readonly Pick<BoardRow, 'id' | 'name'>[]): string | null {
  const wanted = meant.toLowerCase()
  return (rows.find(row => row.id === wanted) ?? rows.find(row => boardSlug(row.name) === wanted))?.id ?? null
}

/** A board's name as a word of a command. */
function boardSlug(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '-')
    .replace(/^-|-$/g, '')
}

import { z } from 'zod'
import { ListedCreatorSchema } from '../../contracts/crm.ts'
import { type CreatorRow, CreatorRowSchema, VodRowSchema } from '../../contracts/library.ts'
import type { ResourceQuery } from '../net/resource-client.ts'
import { type Pages, pageQuery } from '../state/pages.ts'

// What FIND and VOD ask the server for. Rows get the `key` that tables go by once, when they come in.

// A server from before creators could be watched does not say that this one is.
const KeyedCreator = ListedCreatorSchema.extend({ monitored: z.boolean().default(false) }).transform(row => ({
  ...row,
  key: row.creatorId,
}))
export type FoundCreator = z.output<typeof KeyedCreator>
const CreatorsPage = z.object({ data: z.array(KeyedCreator), nextCursor: z.string().optional() })

/** A page of the creators that a search finds. */
export function creatorsResource(o: {
  search: string
  platform: 'all' | 'youtube' | 'tiktok' | 'instagram'
  isWatched: boolean
  pages: Pages
}): ResourceQuery<z.output<typeof CreatorsPage>> {
  const query = {
    limit: '50',
    ...(o.search === '' ? {} : { search: o.search }),
    ...(o.platform === 'all' ? {} : { platform: o.platform }),
    ...(o.isWatched ? { monitored: 'true' } : {}),
    ...pageQuery(o.pages),
  }
  return { path: '/api/creators', query, schema: CreatorsPage, everyMs: 30_000 }
}

/** One creator. */
export function creatorResource(creatorId: string): ResourceQuery<{ data: CreatorRow }> {
  return { path: pathOf(creatorId), query: {}, schema: z.object({ data: CreatorRowSchema }), everyMs: 60_000 }
}

const KeyedVod = VodRowSchema.transform(row => ({ ...row, key: row.vodId }))
export type FoundVod = z.output<typeof KeyedVod>
const VodsPage = z.object({ data: z.array(KeyedVod), nextCursor: z.string().optional() })

/** A page of a creator's videos, newest first. */
export function vodsResource(creatorId: string, pages: Pages): ResourceQuery<z.output<typeof VodsPage>> {
  return {
    path: `${pathOf(creatorId)}/vods`,
    query: { limit: '50', ...pageQuery(pages) },
    schema: VodsPage,
    everyMs: 30_000,
  }
}

/** An id may hold anything: a creator known by name only has the name in it. */
function pathOf(creatorId: string): string {
  return `/api/creators/${encodeURIComponent(creatorId)}`
}

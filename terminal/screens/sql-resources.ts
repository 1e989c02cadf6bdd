import type { z } from 'zod'
import {
  type QueryCatalog,
  QueryCatalogSchema,
  QueryDiffSchema,
  QueryVersionListSchema,
  QueryVersionSchema,
  SavedQueryListSchema,
  SavedQuerySchema,
} from '../../contracts/queries.ts'
import type { ResourceQuery } from '../net/resource-client.ts'

// What SQL asks the server for beside rows. SQL, descriptions and differences come with their lines.

/** Fields whose texts keep their lines. */
export const sqlLineFields = ['sql', 'text', 'plan'] as const

/** What SQL may name. It changes with a new version of the server only. */
export const catalogResource: ResourceQuery<QueryCatalog> = {
  path: '/api/query/catalog',
  query: {},
  schema: QueryCatalogSchema,
  everyMs: null,
}

const KeyedSavedQuery = SavedQuerySchema.transform(query => ({ ...query, key: query.id }))
const SavedQueries = SavedQueryListSchema.extend({ data: KeyedSavedQuery.array() })
export type SavedQueryRow = z.output<typeof KeyedSavedQuery>

/** One's own queries and the public ones that have a text in their name or description, newest change first. */
export function savedQueriesResource(search: string): ResourceQuery<z.output<typeof SavedQueries>> {
  return {
    path: '/api/queries',
    query: { limit: '100', ...(search.trim() === '' ? {} : { search: search.trim() }) },
    schema: SavedQueries,
    everyMs: 30_000,
    lineFields: sqlLineFields,
  }
}

/** The address of a saved query. */
export function savedQueryPath(id: string): string {
  return `/api/queries/${encodeURIComponent(id)}`
}

const KeyedVersion = QueryVersionSchema.transform(version => ({ ...version, key: String(version.version) }))
const Versions = QueryVersionListSchema.extend({ data: KeyedVersion.array() })
export type VersionRow = z.output<typeof KeyedVersion>

/** The versions of a query of one's own, newest first. */
export function versionsResource(id: string): ResourceQuery<z.output<typeof Versions>> {
  return {
    path: `${savedQueryPath(id)}/versions`,
    query: {},
    schema: Versions,
    everyMs: 30_000,
    lineFields: sqlLineFields,
  }
}

/** What changed from one version to another. */
export function diffResource(id: string, from: number, to: number): ResourceQuery<z.output<typeof QueryDiffSchema>> {
  return {
    path: `${savedQueryPath(id)}/diff`,
    query: { from: String(from), to: String(to) },
    schema: QueryDiffSchema,
    everyMs: null,
    lineFields: sqlLineFields,
  }
}

import { z } from 'zod'
import {
  QueryDiffParamsSchema,
  QueryDiffSchema,
  QueryRestoreSchema,
  QueryResultSchema,
  QueryVersionListSchema,
  type SavedQuery,
  SavedQueryListParamsSchema,
  SavedQueryListSchema,
  SavedQueryRequestSchema,
  SavedQueryRunSchema,
  SavedQuerySchema,
} from '../../../contracts/queries.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Answer, type Route, route } from '../../http/route.ts'
import { versionTag } from '../../http/version-tag.ts'
import { otherQueryTypes, queryErrors } from '../query/routes.ts'
import { queryContentTypes } from '../query/service.ts'
import {
  changeQuery,
  createQuery,
  deleteQuery,
  diffVersions,
  findSavedQuery,
  listQueries,
  listVersions,
  restoreVersion,
  streamSavedQuery,
} from './service.ts'

const auth = ['jwt', 'apiKey'] as const
const path = '/api/queries'
const one = `${path}/:queryId`
const params = z.strictObject({ queryId: z.uuid() })
/** What the SQL of a query that is saved can be refused with. */
const sqlErrors = ['QUERY_FAILED', 'QUERY_REFUSED'] as const

const tagged = (query: SavedQuery): Answer => ({ json: query, headers: { ETag: versionTag(query.version) } })

/** Saved queries; `docs/sql.md` says what SQL may say. */
export const savedQueryRoutes: readonly Route[] = [
  route({
    method: 'post',
    path,
    summary: 'Save a query',
    description:
      'The SQL is looked at, not run. `parameters` describes its `{name:Type}`; a `default` must fit the type. `private` is for you, `shared` for everybody who is signed in here and has its id, `public` is listed to all of them besides. Whoever runs it, `mine` shows their own rows.',
    auth,
    scope: 'queries:write',
    status: 201,
    body: SavedQueryRequestSchema,
    errors: [...sqlErrors, 'CONFLICT'],
    answer: SavedQuerySchema,
    handle: async (deps, { body }, context) => tagged(await createQuery(deps, context, body)),
  }),
  route({
    method: 'get',
    path,
    summary: 'Saved queries',
    description: 'Your own and those that others made public, newest change first.',
    auth,
    scope: 'queries:run',
    query: SavedQueryListParamsSchema,
    answer: SavedQueryListSchema,
    handle: async (deps, { query }, context) => ({ json: await listQueries(deps, context, query) }),
  }),
  route({
    method: 'get',
    path: one,
    summary: 'A saved query',
    description: 'Its entity tag is its version.',
    auth,
    scope: 'queries:run',
    params,
    answer: SavedQuerySchema,
    handle: async (deps, { params }, context) => tagged(await findSavedQuery(deps, ownerOf(context), params.queryId)),
  }),
  route({
    method: 'put',
    path: one,
    summary: 'Replace a query of yours',
    description:
      'Makes its next version. With `If-Match` only while the query has that entity tag, else 412; without it the last one to write wins.',
    auth,
    scope: 'queries:write',
    params,
    body: SavedQueryRequestSchema,
    errors: [...sqlErrors, 'CONFLICT', 'PRECONDITION_FAILED'],
    answer: SavedQuerySchema,
    handle: async (deps, { params, body }, context) =>
      tagged(
        await changeQuery(deps, context, {
          id: params.queryId,
          request: body,
          ifMatch: context.header('if-match'),
        }),
      ),
  }),
  route({
    method: 'post',
    path: `${one}/run`,
    summary: 'Run a saved query',
    description: 'As `POST /api/query`. A parameter that is not in `params` has its default.',
    auth,
    scope: 'queries:run',
    isRead: true,
    params,
    body: SavedQueryRunSchema,
    errors: queryErrors,
    otherContentTypes: otherQueryTypes,
    answer: QueryResultSchema,
    handle: async (deps, { params, body }, context) => ({
      body: await streamSavedQuery(deps, {
        ...body,
        userId: ownerOf(context),
        id: params.queryId,
        tag: `http:${one}/run`,
        signal: context.signal,
      }),
      contentType: queryContentTypes[body.format],
    }),
  }),
  route({
    method: 'get',
    path: `${one}/versions`,
    summary: 'What a query of yours has said so far',
    description: 'The last hundred versions, newest first.',
    auth,
    scope: 'queries:run',
    params,
    answer: QueryVersionListSchema,
    handle: async (deps, { params }, context) => ({
      json: { data: await listVersions(deps, context, params.queryId) },
    }),
  }),
  route({
    method: 'get',
    path: `${one}/diff`,
    summary: 'How one version of a query became another',
    auth,
    scope: 'queries:run',
    params,
    query: QueryDiffParamsSchema,
    answer: QueryDiffSchema,
    handle: async (deps, { params, query }, context) => ({
      json: await diffVersions(deps, context, { id: params.queryId, ...query }),
    }),
  }),
  route({
    method: 'post',
    path: `${one}/restore`,
    summary: 'Take up a version of a query again',
    description: 'Makes a new version that says what that one said. `If-Match` as for `PUT`.',
    auth,
    scope: 'queries:write',
    params,
    body: QueryRestoreSchema,
    errors: [...sqlErrors, 'CONFLICT', 'PRECONDITION_FAILED'],
    answer: SavedQuerySchema,
    handle: async (deps, { params, body }, context) =>
      tagged(
        await restoreVersion(deps, context, {
          id: params.queryId,
          version: body.version,
          ifMatch: context.header('if-match'),
        }),
      ),
  }),
  route({
    method: 'delete',
    path: one,
    summary: 'Delete a query of yours',
    description: 'With all its versions. `If-Match` as for `PUT`.',
    auth,
    scope: 'queries:write',
    params,
    errors: ['PRECONDITION_FAILED'],
    answer: null,
    async handle(deps, { params }, context) {
      await deleteQuery(deps, context, { id: params.queryId, ifMatch: context.header('if-match') })
      return { empty: true }
    },
  }),
]

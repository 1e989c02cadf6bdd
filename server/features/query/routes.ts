import type { ErrorCode } from '../../../contracts/errors.ts'
import {
  QueryCatalogSchema,
  QueryExplainRequestSchema,
  QueryExplanationSchema,
  QueryRequestSchema,
  QueryResultSchema,
} from '../../../contracts/queries.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { queryCatalog } from './catalog.ts'
import { explainQuery, queryContentTypes, streamQuery } from './service.ts'

const path = '/api/query'

/** What a query can be refused with, wherever it is run. */
export const queryErrors: readonly ErrorCode[] = ['QUERY_FAILED', 'QUERY_LIMIT', 'QUERY_REFUSED']
/** Of an answer that is not JSON. */
export const otherQueryTypes: readonly string[] = [
  ...new Set([queryContentTypes.jsonl, queryContentTypes.csv, queryContentTypes.parquet, queryContentTypes.markdown]),
]

/** SQL of the user over the schemas `v` and `mine`. */
export const queryRoutes: readonly Route[] = [
  route({
    method: 'post',
    path,
    summary: 'SQL over the schemas v and mine',
    description:
      'One SELECT. `{name:Type}` in it is filled from `params`. The answer is sent while the query runs; whoever goes away ends it. `format`: `json`; `jsonl`, one object a line; `csv`, a head line and rows; `markdown`, a table; `parquet`, a file; `stream`, a message a line with rows, progress and what went wrong, as [sql.md](sql.md) describes them.',
    auth: ['jwt', 'apiKey'],
    scope: 'queries:run',
    isRead: true,
    body: QueryRequestSchema,
    errors: queryErrors,
    otherContentTypes: otherQueryTypes,
    answer: QueryResultSchema,
    handle: async (deps, { body }, context) => ({
      body: await streamQuery(deps, {
        ...body,
        userId: ownerOf(context),
        tag: `http:${path}`,
        signal: context.signal,
      }),
      contentType: queryContentTypes[body.format],
    }),
  }),
  route({
    method: 'post',
    path: `${path}/explain`,
    summary: 'How a query would run',
    description:
      'The engine’s plan, the views that the SQL reads and its parameters. Those without a value have an empty one.',
    auth: ['jwt', 'apiKey'],
    scope: 'queries:run',
    isRead: true,
    body: QueryExplainRequestSchema,
    errors: queryErrors,
    answer: QueryExplanationSchema,
    handle: async (deps, { body }, context) => ({
      json: await explainQuery(deps, {
        ...body,
        userId: ownerOf(context),
        tag: `http:${path}/explain`,
        signal: context.signal,
      }),
    }),
  }),
  route({
    method: 'get',
    path: `${path}/catalog`,
    summary: 'What SQL may name',
    description: 'The views with their columns, the functions, and the types of parameters: for completion.',
    auth: ['jwt', 'apiKey'],
    scope: 'queries:run',
    answer: QueryCatalogSchema,
    handle: async deps => ({ json: queryCatalog(deps.gate.catalog) }),
  }),
]

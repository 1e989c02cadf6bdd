import { QueryRequestSchema, QueryResultSchema } from '../../../contracts/queries.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { queryContentTypes, runUserQuery } from './service.ts'

const path = '/api/query'

/** SQL of the user over the schemas `v` and `mine`. */
export const queryRoutes: readonly Route[] = [
  route({
    method: 'post',
    path,
    summary: 'SQL over the schemas v and mine',
    description:
      'One SELECT. `{name:Type}` in it is filled from `params`. `format` jsonl gives one object a line, csv a head line and rows.',
    auth: ['jwt', 'apiKey'],
    scope: 'queries:run',
    isRead: true,
    body: QueryRequestSchema,
    errors: ['QUERY_FAILED', 'QUERY_LIMIT', 'QUERY_REFUSED'],
    otherContentTypes: [queryContentTypes.jsonl, queryContentTypes.csv],
    answer: QueryResultSchema,
    handle: async (deps, { body }, context) => ({
      body: await runUserQuery(
        { gate: deps.gate, userId: ownerOf(context), tag: `http:${path}` },
        body,
        context.signal,
      ),
      contentType: queryContentTypes[body.format],
    }),
  }),
]

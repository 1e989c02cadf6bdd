import { z } from 'zod'
import { CreatorIdSchema } from '../../../contracts/ids.ts'
import { CreatorRowSchema, IndexedVodRowSchema } from '../../../contracts/library.ts'
import { CreatorSearchParamsSchema, SeriesParamsSchema, TrendsParamsSchema } from '../../../contracts/measures.ts'
import { ExtQueryRequestSchema, QueryResultSchema } from '../../../contracts/queries.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { sharedRoute } from '../../http/shared-route.ts'
import { SeriesAnswerSchema, TrendsAnswerSchema } from '../analytics/routes.ts'
import { monitoredCreators } from '../monitoring/service.ts'
import { streamSavedQuery } from '../queries/service.ts'
import { otherQueryTypes, queryErrors } from '../query/routes.ts'
import { queryContentTypes, streamQuery } from '../query/service.ts'
import { creatorsQuestion, seriesQuestion, trendsQuestion } from '../shared-questions.ts'
import { vodsQuestion } from './service.ts'

const envelope = { generatedAt: z.iso.datetime(), asOf: z.iso.datetime(), nextCursor: z.string().optional() }

const VodsQuerySchema = z.strictObject({
  creatorId: CreatorIdSchema.optional(),
  /** The first instant of indexing; VODs of that very instant are in. */
  since: z.iso.datetime({ offset: true }).optional(),
  limit: CreatorSearchParamsSchema.shape.limit,
  cursor: CreatorSearchParamsSchema.shape.cursor,
})

const tagged =
  'The answer has an `ETag`: send it back as `If-None-Match` and get 304 as long as the data says the same.'

/** The API of machines: the same questions and the same numbers as under `/api`, by key. */
export const extRoutes: readonly Route[] = [
  sharedRoute({
    path: '/ext-api/v1/trends',
    summary: 'Ranked clips, creators or topics over a window',
    description: `The window is 24h unless \`period\`, or \`from\` and \`to\`, say otherwise. ${tagged}`,
    auth: ['apiKey'],
    scope: 'trends:read',
    query: TrendsParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: TrendsAnswerSchema,
    mayIndicate: true,
    countsClippers: true,
    question: trendsQuestion,
  }),
  sharedRoute({
    path: '/ext-api/v1/series',
    summary: 'One measure of one clip, creator or topic over time',
    description: `A point without a value says why in \`state\`. ${tagged}`,
    auth: ['apiKey'],
    scope: 'trends:read',
    query: SeriesParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: SeriesAnswerSchema,
    countsClippers: true,
    question: seriesQuestion,
  }),
  sharedRoute({
    path: '/ext-api/v1/creators',
    summary: 'Creators by a part of their name, handle or id',
    description: `Those with most videos first; without \`search\` all of them. ${tagged}`,
    auth: ['apiKey'],
    scope: 'creators:read',
    query: CreatorSearchParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: z.object({ data: z.array(CreatorRowSchema), ...envelope }),
    question: creatorsQuestion,
  }),
  route({
    method: 'get',
    path: '/ext-api/v1/vods',
    summary: 'VODs in the order in which they were indexed',
    description:
      'Of one creator, or of all that you monitor. A VOD is indexed when a source first describes it together with its ' +
      'creator; that instant, `indexedAt`, never changes. To get every VOD once: follow `nextCursor` to the last page, ' +
      'then ask again with its `asOf` as `since`. Whatever was indexed before `asOf` is in the answer, however many are ' +
      `being written. ${tagged}`,
    auth: ['apiKey'],
    scope: 'vods:read',
    query: VodsQuerySchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    hasEtag: true,
    answer: z.object({ data: z.array(IndexedVodRowSchema), ...envelope }),
    async handle(deps, { query }, context) {
      const { creatorId } = query
      const creators = creatorId === undefined ? (await monitoredCreators(deps, ownerOf(context))).sort() : [creatorId]
      return { shared: await deps.answers.get(vodsQuestion(deps, creators, query)) }
    },
  }),
  route({
    method: 'post',
    path: '/ext-api/v1/query',
    summary: 'SQL over the schemas v and mine, or a saved query',
    description: 'As `POST /api/query` with `sql`, or as `POST /api/queries/{id}/run` with `savedQueryId`.',
    auth: ['apiKey'],
    scope: 'queries:run',
    isRead: true,
    body: ExtQueryRequestSchema,
    errors: [...queryErrors, 'NOT_FOUND'],
    otherContentTypes: otherQueryTypes,
    answer: QueryResultSchema,
    async handle(deps, { body }, context) {
      const asked = { userId: ownerOf(context), tag: 'http:/ext-api/v1/query', signal: context.signal }
      return {
        body:
          'sql' in body
            ? await streamQuery(deps, { ...asked, ...body })
            : await streamSavedQuery(deps, {
                ...asked,
                id: body.savedQueryId,
                params: body.params,
                format: body.format,
              }),
        contentType: queryContentTypes[body.format],
      }
    },
  }),
]

import { z } from 'zod'
import {
  MediaEstimateSchema,
  MediaJobSchema,
  MediaOutputsSchema,
  MediaWorkRequestSchema,
} from '../../../contracts/media-jobs.ts'
import { IdPageSchema } from '../../http/id-cursor.ts'
import { nextInstantCursor, readInstantCursor } from '../../http/instant-cursor.ts'
import { type Route, route } from '../../http/route.ts'
import { fileRoute } from './file-route.ts'
import { estimateWork, getWork, listWork, outputsOf, removeWork, requestWork } from './service.ts'

const ParamsSchema = z.strictObject({ jobId: z.uuid() })
const ListSchema = IdPageSchema.extend({ cursor: z.string().min(1).max(600).optional() })

/** Work on media besides single clips, and the files of all of it. */
export const mediaRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/media/estimate',
    summary: 'What work on media would cost',
    description: 'Nothing is begun. `isStored`: it was done before on the same media, and costs nothing.',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    isRead: true,
    body: MediaWorkRequestSchema,
    errors: ['NOT_FOUND', 'SOURCE_REQUIRED'],
    answer: MediaEstimateSchema,
    handle: async (deps, { body }, context) => ({ json: await estimateWork(deps, context, body) }),
  }),
  route({
    method: 'post',
    path: '/api/media/jobs',
    summary: 'Have work on media done',
    description:
      'Clips, pictures, scene cuts, silences, loudness, or all of it as one timeline with suggested moments. Stored once for each file and settings: the same again costs nothing. How it goes is told on /ws (`media.changed`) and to webhooks (`media.done`, `media.failed`).',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:write',
    status: 202,
    body: MediaWorkRequestSchema,
    errors: ['NOT_FOUND', 'SOURCE_REQUIRED', 'INSUFFICIENT_CREDITS', 'CONFLICT'],
    answer: MediaJobSchema,
    handle: async (deps, { body }, context) => ({ json: await requestWork(deps, context, body) }),
  }),
  route({
    method: 'get',
    path: '/api/media/jobs',
    summary: 'Your work on media, newest first',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    query: ListSchema,
    answer: z.object({ data: z.array(MediaJobSchema), nextCursor: z.string().optional() }),
    async handle(deps, { query }, context) {
      const page = { limit: query.limit, before: readInstantCursor(query.cursor) }
      const found = await listWork(deps, context, page)
      const nextCursor = nextInstantCursor(found, row => row.jobId)
      return { json: { data: found.rows, ...nextCursor } }
    },
  }),
  route({
    method: 'get',
    path: '/api/media/jobs/:jobId',
    summary: 'How work on media goes',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    params: ParamsSchema,
    answer: MediaJobSchema,
    handle: async (deps, { params }, context) => ({ json: await getWork(deps, context, params.jobId) }),
  }),
  route({
    method: 'get',
    path: '/api/media/jobs/:jobId/outputs',
    summary: 'What came of work on media',
    description: 'The links are new each time, and end after a quarter of an hour.',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    params: ParamsSchema,
    errors: ['NOT_READY', 'CONFLICT', 'GONE'],
    answer: MediaOutputsSchema,
    handle: async (deps, { params }, context) => ({ json: await outputsOf(deps, context, params.jobId) }),
  }),
  route({
    method: 'delete',
    path: '/api/media/jobs/:jobId',
    summary: 'Cancel work on media, or delete what came of it',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:write',
    params: ParamsSchema,
    answer: null,
    async handle(deps, { params }, context) {
      await removeWork(deps, context, params.jobId)
      return { empty: true }
    },
  }),
  fileRoute,
]

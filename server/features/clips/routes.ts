import { z } from 'zod'
import {
  ClipAcceptedSchema,
  ClipRequestSchema,
  type ClipStatus,
  ClipStatusNameSchema,
  ClipStatusSchema,
  DownloadLinkSchema,
  StorageSchema,
} from '../../../contracts/clips.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { IdPageSchema } from '../../http/id-cursor.ts'
import { nextInstantCursor, readInstantCursor } from '../../http/instant-cursor.ts'
import { type Route, route } from '../../http/route.ts'
import { trendingAmong } from '../trending.ts'
import { creatorsOf } from '../vods/service.ts'
import { clipLink, clipStatus, listClips, removeClip, requestClip } from './service.ts'

const ParamsSchema = z.strictObject({ requestId: z.uuid() })
const ListSchema = IdPageSchema.extend({
  cursor: z.string().min(1).max(600).optional(),
  status: ClipStatusNameSchema.optional(),
})

/** Clips cut out of VODs. */
export const clipRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/clips/request',
    summary: 'Have a clip cut',
    description:
      'Times are seconds of the media, fractions included. The credits are set aside now, spent when the clip is ready, and given back when there will be none. The same part of the same media is the same request, and costs nothing again. How it goes is told on /ws (`media.changed`) and to webhooks (`clip.ready`, `clip.failed`).',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:write',
    status: 202,
    body: ClipRequestSchema,
    errors: ['NOT_FOUND', 'SOURCE_REQUIRED', 'INSUFFICIENT_CREDITS', 'CONFLICT'],
    answer: ClipAcceptedSchema,
    handle: async (deps, { body }, context) => ({ json: await requestClip(deps, context, body) }),
  }),
  route({
    method: 'get',
    path: '/api/clips/status/:requestId',
    summary: 'How a clip request goes',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    params: ParamsSchema,
    answer: ClipStatusSchema,
    async handle(deps, { params }, context) {
      const [clip] = await indicated(deps, context, [await clipStatus(deps, context, params.requestId)])
      return { json: clip }
    },
  }),
  route({
    method: 'get',
    path: '/api/clips/requests',
    summary: 'Your clip requests, newest first',
    description: '`storage` is what the files of all your results take, and may take.',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    query: ListSchema,
    answer: z.object({ data: z.array(ClipStatusSchema), storage: StorageSchema, nextCursor: z.string().optional() }),
    async handle(deps, { query }, context) {
      const page = { status: query.status, limit: query.limit, before: readInstantCursor(query.cursor) }
      const { storage, ...found } = await listClips(deps, context, page)
      const nextCursor = nextInstantCursor(found, row => row.requestId)
      return { json: { data: await indicated(deps, context, found.rows), storage, ...nextCursor } }
    },
  }),
  route({
    method: 'delete',
    path: '/api/clips/requests/:requestId',
    summary: 'Cancel a clip request, or delete the clip that came of it',
    description: 'What is cancelled costs nothing, and stays in the list; what was over is forgotten, with its file.',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:write',
    params: ParamsSchema,
    answer: null,
    async handle(deps, { params }, context) {
      await removeClip(deps, context, params.requestId)
      return { empty: true }
    },
  }),
  route({
    method: 'get',
    path: '/api/clips/download/:requestId',
    summary: 'A link to the file of a clip',
    description:
      'The link needs no credential, serves ranges, and ends after a quarter of an hour: ask for another one then. The first link to a clip counts as a download of your plan.',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    params: ParamsSchema,
    errors: ['NOT_READY', 'CONFLICT', 'GONE'],
    answer: DownloadLinkSchema,
    handle: async (deps, { params }, context) => ({ json: await clipLink(deps, context, params.requestId) }),
  }),
]

/** Clips with what is trending about the videos that they were cut from, for plans that have it. */
async function indicated(deps: ServerDeps, caller: Caller, clips: readonly ClipStatus[]): Promise<ClipStatus[]> {
  const ids = [...new Set(clips.map(clip => clip.vodId))]
  const trending = await trendingAmong(deps, caller, await creatorsOf(deps, caller, ids))
  return clips.map(clip => ({ ...clip, ...trending(clip.vodId) }))
}

import { z } from 'zod'
import { getVideo } from '../../../analytics/measures/library.ts'
import { VideoIdSchema } from '../../../contracts/ids.ts'
import { VodIdSchema, VodRequestSchema, VodSchema, VodSourceRequestSchema } from '../../../contracts/vods.ts'
import { IdPageSchema } from '../../http/id-cursor.ts'
import { nextInstantCursor, readInstantCursor } from '../../http/instant-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { measureContext } from '../measure-context.ts'
import { trendingAmong } from '../trending.ts'
import { ownPostNamed } from './own-posts.ts'
import { attachSource, deleteVod, getVod, listVods, registerVod } from './service.ts'

const ParamsSchema = z.strictObject({ vodId: VodIdSchema })
const ListSchema = IdPageSchema.extend({ cursor: z.string().min(1).max(600).optional() })
const sources =
  'A source is media that you may use: an http or https address of a file or an HLS playlist, `upload:<id>`, for the owner at the same machine the absolute path of a file under CLIPTAPE_MEDIA_ROOTS, for those who run the server `s3://bucket/key` of the configured bucket, or `sample`, which comes with Cliptape. Its head is read at once; nothing of an address but its host is shown or logged.'

/** VODs with media. */
export const vodRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/vods',
    summary: 'Your VODs with media, newest first',
    auth: ['jwt', 'apiKey'],
    scope: 'vods:read',
    query: ListSchema,
    answer: z.object({ data: z.array(VodSchema), nextCursor: z.string().optional() }),
    async handle(deps, { query }, context) {
      const page = { limit: query.limit, before: readInstantCursor(query.cursor) }
      const found = await listVods(deps, context, page)
      const nextCursor = nextInstantCursor(found, row => row.vodId)
      const trending = await trendingAmong(deps, context, found.rows)
      return { json: { data: found.rows.map(row => ({ ...row, ...trending(row.vodId) })), ...nextCursor } }
    },
  }),
  route({
    method: 'post',
    path: '/api/vods',
    summary: 'Register media of yours',
    description: sources,
    auth: ['jwt', 'apiKey'],
    scope: 'clips:write',
    status: 201,
    body: VodRequestSchema,
    errors: ['NOT_FOUND', 'CONFLICT', 'NOT_READY', 'NOT_CONFIGURED'],
    answer: VodSchema,
    handle: async (deps, { body }, context) => ({ json: await registerVod(deps, context, body) }),
  }),
  route({
    method: 'get',
    path: '/api/vods/:vodId',
    summary: 'One VOD with media',
    auth: ['jwt', 'apiKey'],
    scope: 'vods:read',
    params: ParamsSchema,
    answer: VodSchema,
    async handle(deps, { params }, context) {
      const vod = await getVod(deps, context, params.vodId)
      const trending = await trendingAmong(deps, context, [vod])
      return { json: { ...vod, ...trending(vod.vodId) } }
    },
  }),
  route({
    method: 'post',
    path: '/api/vods/:vodId/source',
    summary: 'Attach media of yours to a VOD',
    description: `To an indexed video, or in place of the media that a VOD of yours has: what was made of that goes. Videos of your own linked Instagram account (\`attachAs\` in lists of VODs) need no address: with \`{"type": "instagram"}\` Instagram is asked for the file whenever it is read. ${sources}`,
    auth: ['jwt', 'apiKey'],
    scope: 'clips:write',
    status: 201,
    params: ParamsSchema,
    body: VodSourceRequestSchema,
    errors: ['CONFLICT', 'NOT_READY', 'NOT_CONFIGURED'],
    answer: VodSchema,
    async handle(deps, { params, body }, context) {
      const videoId = VideoIdSchema.safeParse(params.vodId)
      const { title, creatorId } = videoId.success
        ? ((await ownPostNamed(deps.db, ownerOf(context), videoId.data)) ??
          (await getVideo(measureContext(deps), videoId.data)))
        : await getVod(deps, context, params.vodId)
      return { json: await attachSource(deps, context, { vodId: params.vodId, title, creatorId }, body.source) }
    },
  }),
  route({
    method: 'delete',
    path: '/api/vods/:vodId',
    summary: 'Remove the media of a VOD',
    description:
      'With it go an upload and everything that was computed of it. Files that are yours elsewhere are not touched; clips that are ready stay until they expire.',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:write',
    params: ParamsSchema,
    answer: null,
    async handle(deps, { params }, context) {
      await deleteVod(deps, context, params.vodId)
      return { empty: true }
    },
  }),
]

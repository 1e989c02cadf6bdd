import { z } from 'zod'
import { getCreator, listVods } from '../../../analytics/measures/library.ts'
import { CreatorsParamsSchema, ListedCreatorSchema } from '../../../contracts/crm.ts'
import { AppError } from '../../../contracts/errors.ts'
import { CreatorIdSchema } from '../../../contracts/ids.ts'
import { CreatorRowSchema, VodRowSchema } from '../../../contracts/library.ts'
import { CreatorSearchParamsSchema } from '../../../contracts/measures.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { measureContext } from '../measure-context.ts'
import { listCreators } from '../monitoring/service.ts'
import { trendingAmong } from '../trending.ts'
import { listOwnPosts, ownCreator } from '../vods/own-posts.ts'
import { withAttached } from '../vods/service.ts'

const ParamsSchema = z.strictObject({ creatorId: CreatorIdSchema })
/** The two parameters of every list that has pages, as `/api/creators` has them. */
const VodsQuerySchema = CreatorSearchParamsSchema.pick({ limit: true, cursor: true })
const nextCursor = z.string().optional()

/** Creators that sources have named, and what they posted. */
export const creatorRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/creators',
    summary: 'Creators by a part of their name, handle or id',
    description:
      'Those with most videos first; without `search` all of them. `monitored` says whether you watch it; as a parameter it leaves those that you watch, or the others.',
    auth: ['jwt', 'apiKey'],
    scope: 'creators:read',
    query: CreatorsParamsSchema,
    answer: z.object({ data: z.array(ListedCreatorSchema), nextCursor }),
    handle: async (deps, { query }, context) => ({ json: pageAnswer(await listCreators(deps, context, query)) }),
  }),
  route({
    method: 'get',
    path: '/api/creators/:creatorId',
    summary: 'One creator',
    auth: ['jwt', 'apiKey'],
    scope: 'creators:read',
    params: ParamsSchema,
    answer: z.object({ data: CreatorRowSchema }),
    async handle(deps, { params }, context) {
      const own = context.principal?.isService ? null : await ownCreator(deps.db, ownerOf(context), params.creatorId)
      const known = await getCreator(measureContext(deps), params.creatorId).catch(error => {
        if (own !== null && error instanceof AppError && error.code === 'NOT_FOUND') return own
        throw error
      })
      return { json: { data: known } }
    },
  }),
  route({
    method: 'get',
    path: '/api/creators/:creatorId/vods',
    summary: "A creator's videos, newest first",
    description:
      'Those whose date is not known come last. Of an account that you have linked: all that the platform lists as yours, private ones too. `source` says whether media of yours is attached, whether some may be (`POST /api/vods/{vodId}/source`), or whether the broadcast is not over yet; `attachAs`, that it is attached without an address.',
    auth: ['jwt', 'apiKey'],
    scope: 'vods:read',
    params: ParamsSchema,
    query: VodsQuerySchema,
    answer: z.object({ data: z.array(VodRowSchema), nextCursor }),
    async handle(deps, { params, query }, context) {
      const own = context.principal?.isService
        ? null
        : await listOwnPosts(deps, ownerOf(context), params.creatorId, query)
      const page = own ?? (await listVods(measureContext(deps), params.creatorId, query))
      const attached = await withAttached(deps, context, page.rows)
      const ofCreator = page.rows.map(({ vodId }) => ({ vodId, creatorId: params.creatorId }))
      const trending = await trendingAmong(deps, context, ofCreator)
      return { json: pageAnswer({ ...page, rows: attached.map(row => ({ ...row, ...trending(row.vodId) })) }) }
    },
  }),
]

function pageAnswer<Row>(page: { rows: Row[]; nextCursor: string | null }): { data: Row[]; nextCursor?: string } {
  return { data: page.rows, ...(page.nextCursor === null ? {} : { nextCursor: page.nextCursor }) }
}

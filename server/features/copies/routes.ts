import { z } from 'zod'
import { CopiesParamsSchema, CopiesSchema } from '../../../contracts/copies.ts'
import { CreatorIdSchema } from '../../../contracts/ids.ts'
import { VodIdSchema } from '../../../contracts/vods.ts'
import { type Route, route } from '../../http/route.ts'
import { copiesOfCreator, copiesOfVod } from './service.ts'

const compared =
  'Media is compared when it has been analysed (`timeline/analyze`): originals at any level with pictures, copies of up to ten minutes at the level `full`.'

/** Re-uploads among the caller's own media, and how many accounts posted them. */
export const copyRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/vods/:vodId/copies',
    summary: 'Copies of a VOD among your media, and how many accounts posted them',
    description: compared,
    auth: ['jwt', 'apiKey'],
    scope: 'vods:read',
    params: z.strictObject({ vodId: VodIdSchema }),
    query: CopiesParamsSchema,
    answer: CopiesSchema,
    handle: async (deps, { params, query }, context) => ({
      json: await copiesOfVod(deps, context, params.vodId, query.period),
    }),
  }),
  route({
    method: 'get',
    path: '/api/creators/:creatorId/copies',
    summary: "Copies of a creator's VODs among your media, and how many accounts posted them",
    description: compared,
    auth: ['jwt', 'apiKey'],
    scope: 'vods:read',
    params: z.strictObject({ creatorId: CreatorIdSchema }),
    query: CopiesParamsSchema,
    answer: CopiesSchema,
    handle: async (deps, { params, query }, context) => ({
      json: await copiesOfCreator(deps, context, params.creatorId, query.period),
    }),
  }),
]

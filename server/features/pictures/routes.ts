import { z } from 'zod'
import { FilmstripParamsSchema, PicturesParamsSchema } from '../../../contracts/pictures.ts'
import { VodIdSchema } from '../../../contracts/vods.ts'
import { type Route, route } from '../../http/route.ts'
import { filmstripOf, picturesOf } from './service.ts'

const ParamsSchema = z.strictObject({ vodId: VodIdSchema })
const answer = { contentType: 'application/octet-stream' }
const records =
  'Records of a head of 12 bytes (number as uint32, instant in seconds as float64, the highest byte first) and width × height × 3 bytes of red, green and blue, rows from the top. Close the connection to end the decoding.'

/** Pictures out of the middle of a VOD, for whoever draws them. */
export const pictureRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/vods/:vodId/filmstrip',
    summary: 'Small pictures of a VOD at even distances, as they are decoded',
    description: `Each cell shows the keyframe at or before its middle; the middle of the strip comes first. A cell that comes twice is meant as it comes the second time. ${records}`,
    auth: ['jwt', 'apiKey'],
    scope: 'vods:read',
    params: ParamsSchema,
    query: FilmstripParamsSchema,
    errors: ['SOURCE_REQUIRED', 'NOT_CONFIGURED'],
    answer,
    async handle(deps, { params, query }, context) {
      const { cells, ...rest } = query
      const request = { ...rest, cellCount: cells }
      const body = await filmstripOf(deps, context, params.vodId, request, context.signal)
      return { body, contentType: answer.contentType }
    },
  }),
  route({
    method: 'get',
    path: '/api/vods/:vodId/pictures',
    summary: 'The frames of a VOD at up to eight instants',
    description: `To the frame: the one that is shown then. ${records}`,
    auth: ['jwt', 'apiKey'],
    scope: 'vods:read',
    params: ParamsSchema,
    query: PicturesParamsSchema,
    errors: ['SOURCE_REQUIRED', 'NOT_CONFIGURED'],
    answer,
    async handle(deps, { params, query }, context) {
      const body = await picturesOf(deps, context, params.vodId, query, context.signal)
      return { body, contentType: answer.contentType }
    },
  }),
]

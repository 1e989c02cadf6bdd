import { z } from 'zod'
import { UploadSchema } from '../../../contracts/uploads.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { removeUpload } from '../vods/service.ts'
import { getUpload, listUploads } from './service.ts'

const ParamsSchema = z.strictObject({ uploadId: z.uuid() })

/** Uploads that exist. How files arrive is the tus protocol, at the same address: see `tus.ts`. */
export const uploadRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/uploads',
    summary: 'Your uploads, newest first',
    description:
      'Upload with any client of the tus protocol (1.0.0, with creation and termination): POST here, then PATCH the address of the answer, and go on where HEAD says. The file is looked at when its last byte has arrived.',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    answer: z.object({ data: z.array(UploadSchema) }),
    handle: async (deps, _input, context) => ({ json: { data: await listUploads(deps, context) } }),
  }),
  route({
    method: 'get',
    path: '/api/uploads/:uploadId',
    summary: 'One upload',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:read',
    params: ParamsSchema,
    answer: UploadSchema,
    handle: async (deps, { params }, context) => ({ json: await getUpload(deps, context, params.uploadId) }),
  }),
  route({
    method: 'delete',
    path: '/api/uploads/:uploadId',
    summary: 'Remove an upload',
    description:
      'At once, with what has arrived. If it is the media of a VOD, that goes as `DELETE /api/vods/{vodId}` says.',
    auth: ['jwt', 'apiKey'],
    scope: 'clips:write',
    params: ParamsSchema,
    answer: null,
    async handle(deps, { params }, context) {
      await removeUpload(deps, ownerOf(context), params.uploadId)
      return { empty: true }
    },
  }),
]

import { z } from 'zod'
import { rangeOf } from '../../http/byte-range.ts'
import { type Route, route } from '../../http/route.ts'
import { fileOfLink } from './downloads.ts'

/** The file behind a link. */
export const fileRoute: Route = route({
  method: 'get',
  path: '/api/media/files/:fileId',
  summary: 'A file, by a link that was given out',
  description: 'Links come from /api/clips/download and /api/media/jobs/{jobId}/outputs; they need no credential.',
  auth: 'open',
  params: z.strictObject({ fileId: z.uuid() }),
  query: z.strictObject({
    expires: z.string().regex(/^\d{1,12}$/),
    key: z.string().regex(/^\d{1,9}$/),
    signature: z.string().min(1).max(100),
  }),
  servesRanges: true,
  errors: ['GONE'],
  answer: { contentType: 'video/mp4' },
  otherContentTypes: [
    'video/quicktime',
    'video/x-matroska',
    'audio/mp4',
    'audio/mpeg',
    'audio/wav',
    'image/png',
    'application/json',
    'application/octet-stream',
  ],
  async handle(deps, { params, query }, context) {
    const file = await fileOfLink(deps, params.fileId, query)
    const range = rangeOf({ range: context.header('range'), ifRange: context.header('if-range') }, file)
    const bytes = range === null ? file.bytes : range.end - range.start + 1
    return {
      body: await file.read(range ?? undefined),
      contentType: file.contentType,
      status: range === null ? 200 : 206,
      headers: {
        'Accept-Ranges': 'bytes',
        'Content-Length': String(bytes),
        'Content-Disposition': `attachment; filename="${file.name}"`,
        ETag: file.etag,
        ...(range === null ? {} : { 'Content-Range': `bytes ${range.start}-${range.end}/${file.bytes}` }),
      },
    }
  },
})

import { z } from 'zod'
import { getVideo } from '../../../analytics/measures/library.ts'
import { VideoIdSchema } from '../../../contracts/ids.ts'
import { VideoSchema } from '../../../contracts/library.ts'
import { type Route, route } from '../../http/route.ts'
import { measureContext } from '../measure-context.ts'

/** Posts on the platforms. */
export const videoRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/videos/:videoId',
    summary: 'One video with its last counters',
    description: 'A counter that no source gave is null.',
    auth: ['jwt', 'apiKey'],
    scope: 'vods:read',
    params: z.strictObject({ videoId: VideoIdSchema }),
    answer: z.object({ data: VideoSchema }),
    handle: async (deps, { params }) => ({ json: { data: await getVideo(measureContext(deps), params.videoId) } }),
  }),
]

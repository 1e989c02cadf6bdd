import { z } from 'zod'
import { QuotaLineSchema } from '../../../contracts/quota.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { listQuota } from './service.ts'

/** How much of the platforms' limits a user's own credentials have used. */
export const quotaRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/quota',
    summary: 'What your developer credentials may still ask',
    description:
      "A line for each limit that was ever used. `counts` says of what: units of a platform's `day`, or calls that may be made at once and come back in time (`refilling`). `resetsAt` is when all of it is there again; while `blockedUntil` is set nothing is left, for `blockReason`.",
    auth: ['jwt'],
    answer: z.object({ data: z.array(QuotaLineSchema) }),
    handle: async (deps, _input, context) => ({ json: { data: await listQuota(deps, ownerOf(context)) } }),
  }),
]

import { z } from 'zod'
import { MonitoredSchema, MonitorRequestSchema } from '../../../contracts/crm.ts'
import { CreatorIdSchema } from '../../../contracts/ids.ts'
import { type Route, route } from '../../http/route.ts'
import { monitorCreator, unmonitorCreator } from './service.ts'

/** Which creators a user watches. `GET /api/creators?monitored=true` lists them. */
export const monitoringRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/creators/monitor',
    summary: 'Watch a creator',
    description:
      'By address, `@handle` or id. Who has not been read yet is asked for at the platform, with the key of this server or your own credentials (YouTube; Instagram through an account of yours with Facebook Login; TikTok tells nothing of others). `isNew` is false when you watched it already.',
    auth: ['jwt'],
    body: MonitorRequestSchema,
    errors: ['NOT_FOUND', 'CONFLICT'],
    answer: MonitoredSchema,
    handle: async (deps, { body }, context) => ({ json: await monitorCreator(deps, context, body) }),
  }),
  route({
    method: 'delete',
    path: '/api/creators/monitor/:creatorId',
    summary: 'Watch a creator no longer',
    description: 'Also when you did not.',
    auth: ['jwt'],
    params: z.strictObject({ creatorId: CreatorIdSchema }),
    answer: null,
    async handle(deps, { params }, context) {
      await unmonitorCreator(deps, context, params.creatorId)
      return { empty: true }
    },
  }),
]

import { z } from 'zod'
import {
  AccountDaysSchema,
  BestTimeParamsSchema,
  BestTimeSchema,
  CrmPostSchema,
  DaysParamsSchema,
  PerformanceParamsSchema,
  PerformanceSchema,
  PostsParamsSchema,
} from '../../../contracts/crm.ts'
import { type Route, route } from '../../http/route.ts'
import { readDays } from './days.ts'
import { readBestTime, readPerformance, readPosts } from './service.ts'

const ofAccount = 'Of the accounts that are not unlinked, or of one (`accountId`).'

/** How a user's own accounts do. Nobody else sees these numbers. */
export const crmRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/crm/performance',
    summary: 'How your accounts did over a period',
    description: `${ofAccount} Followers are those at its end, all else is what was gained in it; each number has its change against the period before. One that is missing says why in \`state\`.`,
    auth: ['jwt'],
    query: PerformanceParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: PerformanceSchema,
    handle: async (deps, { query }, context) => ({ json: await readPerformance(deps, context, query) }),
  }),
  route({
    method: 'get',
    path: '/api/crm/posts',
    summary: 'Your posts with their numbers',
    description: `${ofAccount} By \`outlier\` the list has only the \`rankedAmong\` newest posts. Later pages look at the instant of the first.`,
    auth: ['jwt'],
    query: PostsParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: z.object({
      data: z.array(CrmPostSchema),
      asOf: z.iso.datetime(),
      rankedAmong: z.number().int().optional(),
      nextCursor: z.string().optional(),
    }),
    async handle(deps, { query }, context) {
      const page = await readPosts(deps, context, query)
      return {
        json: {
          data: page.rows,
          asOf: page.asOf.toISOString(),
          ...(page.rankedAmong === null ? {} : { rankedAmong: page.rankedAmong }),
          ...(page.nextCursor === null ? {} : { nextCursor: page.nextCursor }),
        },
      }
    },
  }),
  route({
    method: 'get',
    path: '/api/crm/days',
    summary: 'Your accounts by day',
    description: `${ofAccount} What the platform itself counted in each day of California: YouTube two to three days late, with shares, watch time and followers won and lost; Instagram up to two days late. TikTok has none.`,
    auth: ['jwt'],
    query: DaysParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: z.object({ data: z.array(AccountDaysSchema) }),
    handle: async (deps, { query }, context) => ({ json: { data: await readDays(deps, context, query) } }),
  }),
  route({
    method: 'get',
    path: '/api/crm/best-time',
    summary: 'When your posts did well early',
    description: `${ofAccount} Medians of the views 24 hours after publication, by weekday and hour of publication in \`timezone\`, over the last year.`,
    auth: ['jwt'],
    query: BestTimeParamsSchema,
    errors: ['NOT_FOUND', 'QUERY_LIMIT'],
    answer: BestTimeSchema,
    handle: async (deps, { query }, context) => ({ json: await readBestTime(deps, context, query) }),
  }),
]

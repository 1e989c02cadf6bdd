import { z } from 'zod'
import { planNames } from '../../../contracts/accounts.ts'
import { LedgerSchema, PlansSchema, SubscriptionSchema, UsageSchema } from '../../../contracts/billing.ts'
import { IdPageSchema, readIdCursor, writeIdCursor } from '../../http/id-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type Route, route } from '../../http/route.ts'
import { plans } from './plans.ts'
import { choosePlan, listLedger, subscriptionOf, usageOf } from './service.ts'

/** Plans, what is left of them, and where the credits went. */
export const billingRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/plans',
    summary: 'Plans and their limits',
    description: 'A limit of null is none. A price of null is not set yet.',
    auth: 'open',
    answer: PlansSchema,
    handle: async () => ({ json: { data: plans } }),
  }),
  route({
    method: 'get',
    path: '/api/subscription',
    summary: 'Your plan, its limits and its present month',
    auth: ['jwt', 'apiKey'],
    errors: ['NOT_FOUND'],
    answer: SubscriptionSchema,
    handle: async (deps, _input, context) => ({ json: await subscriptionOf(deps, ownerOf(context)) }),
  }),
  route({
    method: 'post',
    path: '/api/subscription',
    summary: 'Choose a plan',
    description: 'A plan that costs something needs a payment: 501 until payment is connected.',
    auth: ['jwt'],
    body: z.strictObject({ plan: z.enum(planNames) }),
    errors: ['NOT_CONFIGURED', 'NOT_FOUND'],
    answer: SubscriptionSchema,
    handle: async (deps, { body }, context) => ({
      json: await choosePlan(deps, ownerOf(context), context, body.plan),
    }),
  }),
  route({
    method: 'get',
    path: '/api/usage',
    summary: 'What you used of each limit',
    description:
      'API calls count by the minute, downloads and credits by the month of the subscription, live queries are those open now on the server that answers.',
    auth: ['jwt', 'apiKey'],
    errors: ['NOT_FOUND'],
    answer: UsageSchema,
    handle: async (deps, _input, context) => ({ json: await usageOf(deps, ownerOf(context)) }),
  }),
  route({
    method: 'get',
    path: '/api/credits',
    summary: 'The ledger of your credits, newest line first',
    auth: ['jwt'],
    query: IdPageSchema,
    errors: ['NOT_FOUND'],
    answer: LedgerSchema,
    handle: async (deps, { query }, context) => {
      const page = { limit: query.limit, before: readIdCursor(query.cursor) }
      const { rows, hasMore } = await listLedger(deps, ownerOf(context), page)
      const last = rows.at(-1)
      return { json: { data: rows, ...(last && hasMore ? { nextCursor: writeIdCursor(last.id) } : {}) } }
    },
  }),
]

import { z } from 'zod'
import {
  DeliverySchema,
  NewWebhookSchema,
  WebhookChangeSchema,
  WebhookRequestSchema,
  WebhookSchema,
} from '../../../contracts/webhooks.ts'
import { IdPageSchema } from '../../http/id-cursor.ts'
import { type Route, route } from '../../http/route.ts'
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  listDeliveries,
  listWebhooks,
  redeliver,
  testWebhook,
} from './service.ts'

const WebhookParamsSchema = z.strictObject({ webhookId: z.uuid() })
const DeliveryParamsSchema = z.strictObject({ webhookId: z.uuid(), deliveryId: z.uuid() })
const PageSchema = z.strictObject({
  limit: IdPageSchema.shape.limit,
  cursor: z.string().min(1).max(200).optional(),
})

const auth = ['jwt', 'apiKey'] as const
const scope = 'webhooks:write'

/** Webhooks: where a user's machines are told what happens. `docs/webhooks.md` says what they receive. */
export const webhookRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/api/webhooks',
    summary: 'Be told of events',
    description:
      'The answer holds the secret that signs every delivery, this once. The address must be on the public internet.',
    auth,
    scope,
    status: 201,
    body: WebhookRequestSchema,
    hasSecretAnswer: true,
    answer: NewWebhookSchema,
    handle: async (deps, { body }, context) => ({ json: await createWebhook(deps, context, body) }),
  }),
  route({
    method: 'get',
    path: '/api/webhooks',
    summary: 'Your webhooks',
    auth,
    scope,
    answer: z.object({ data: z.array(WebhookSchema) }),
    handle: async (deps, _input, context) => ({ json: { data: await listWebhooks(deps, context) } }),
  }),
  route({
    method: 'patch',
    path: '/api/webhooks/:webhookId',
    summary: 'Pause or resume a webhook',
    description: 'A paused one is not told of what happens meanwhile. Resuming also enables one that was disabled.',
    auth,
    scope,
    params: WebhookParamsSchema,
    body: WebhookChangeSchema,
    answer: WebhookSchema,
    handle: async (deps, { params, body }, context) => ({
      json: await changeWebhook(deps, context, params.webhookId, body),
    }),
  }),
  route({
    method: 'delete',
    path: '/api/webhooks/:webhookId',
    summary: 'Delete a webhook',
    description: 'Its secret and its log go with it.',
    auth,
    scope,
    params: WebhookParamsSchema,
    answer: null,
    async handle(deps, { params }, context) {
      await deleteWebhook(deps, context, params.webhookId)
      return { empty: true }
    },
  }),
  route({
    method: 'get',
    path: '/api/webhooks/:webhookId/deliveries',
    summary: 'What a webhook was told',
    description: 'Newest first, of the last 30 days, with the answer to the last attempt.',
    auth,
    scope,
    params: WebhookParamsSchema,
    query: PageSchema,
    answer: z.object({ data: z.array(DeliverySchema), nextCursor: z.string().optional() }),
    async handle(deps, { params, query }, context) {
      const { rows, nextCursor } = await listDeliveries(deps, context, params.webhookId, query)
      return { json: { data: rows, ...(nextCursor === null ? {} : { nextCursor }) } }
    },
  }),
  route({
    method: 'post',
    path: '/api/webhooks/:webhookId/test',
    summary: 'Send a webhook.test',
    description: 'At once, whatever events the webhook is for. The delivery log says how it went.',
    auth,
    scope,
    status: 202,
    params: WebhookParamsSchema,
    answer: DeliverySchema,
    handle: async (deps, { params }, context) => ({
      json: await testWebhook(deps, context, params.webhookId),
    }),
  }),
  route({
    method: 'post',
    path: '/api/webhooks/:webhookId/deliveries/:deliveryId/redeliver',
    summary: 'Send a delivery once more',
    description: 'Under the same id, with all its attempts. One that still waits stays as it is.',
    auth,
    scope,
    status: 202,
    params: DeliveryParamsSchema,
    answer: DeliverySchema,
    handle: async (deps, { params }, context) => ({ json: await redeliver(deps, context, params) }),
  }),
]

import { z } from 'zod'

/** Webhooks: `/api/webhooks`. */

/** What a webhook can be told. Only added to. */
export const webhookEvents = ['video.breakout', 'webhook.test'] as const
export const WebhookEventSchema = z.enum(webhookEvents)
export type WebhookEvent = z.infer<typeof WebhookEventSchema>

export const WebhookRequestSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'must be an http or https address' }).max(2048),
  events: z.array(WebhookEventSchema).min(1).max(webhookEvents.length),
})
export type WebhookRequest = z.infer<typeof WebhookRequestSchema>

export const WebhookSchema = z.object({
  id: z.uuid(),
  url: z.string(),
  events: z.array(WebhookEventSchema),
  status: z.enum(['active', 'paused', 'disabled']),
  statusReason: z.string().nullable(),
  createdAt: z.iso.datetime(),
})
export type Webhook = z.infer<typeof WebhookSchema>

/** Shown once: `secret` signs every delivery. */
export const NewWebhookSchema = WebhookSchema.extend({ secret: z.string() })

export const DeliverySchema = z.object({
  id: z.uuid(),
  event: z.string(),
  status: z.enum(['waiting', 'delivered', 'failed']),
  attempts: z.number().int(),
  nextAttemptAt: z.iso.datetime().nullable(),
  lastStatus: z.number().int().nullable(),
  lastError: z.string().nullable(),
  createdAt: z.iso.datetime(),
  deliveredAt: z.iso.datetime().nullable(),
})
export type Delivery = z.infer<typeof DeliverySchema>

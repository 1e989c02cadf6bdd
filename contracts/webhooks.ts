import { z } from 'zod'
import { VideoIdSchema } from './ids.ts'

/** Webhooks: `/api/webhooks`. */

/** What a webhook can be told. Only added to. */
export const webhookEvents = [
  'video.breakout',
  'webhook.test',
  'clip.ready',
  'clip.failed',
  'media.done',
  'media.failed',
  'alert.fired',
] as const
export const WebhookEventSchema = z.enum(webhookEvents)
export type WebhookEvent = z.infer<typeof WebhookEventSchema>

/** Webhooks of one user. */
export const webhooksMax = 10

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
export type NewWebhook = z.infer<typeof NewWebhookSchema>

/** Pausing keeps what is told meanwhile from being told; what waits already goes on after resuming. */
export const WebhookChangeSchema = z.strictObject({ status: z.enum(['active', 'paused']) })

/**
 * What is sent: the body of each POST. `id` is that of the delivery and the same in every attempt, so that a receiver
 * can tell a repetition; `data` depends on `event`.
 */
export const WebhookMessageSchema = z.object({
  id: z.uuid(),
  event: WebhookEventSchema,
  createdAt: z.iso.datetime(),
  data: z.record(z.string(), z.unknown()),
})
export type WebhookMessage = z.infer<typeof WebhookMessageSchema>

/** `data` of `video.breakout`. Figures are those of docs/metrics.md over the 24 hours before `asOf`. */
export const BreakoutSchema = z.object({
  videoId: VideoIdSchema,
  url: z.string(),
  title: z.string(),
  creatorId: z.string().nullable(),
  creatorName: z.string().nullable(),
  publishedAt: z.iso.datetime(),
  views: z.number(),
  gain: z.number().nullable(),
  /** Views per hour. */
  velocity: z.number(),
  outlier: z.number(),
  asOf: z.iso.datetime(),
})
export type Breakout = z.infer<typeof BreakoutSchema>

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

import { z } from 'zod'

/** Keys of machines: `/api/keys`. */

/** What a key may do, for its owner. */
export const keyScopes = [
  'trends:read',
  'vods:read',
  'creators:read',
  'queries:run',
  'queries:write',
  'webhooks:write',
  'clips:read',
  'clips:write',
  'alerts:read',
  'alerts:write',
  'watchlists:read',
  'watchlists:write',
] as const
/** What a service key may do besides, for the users that it names. */
export const serviceScopes = ['integrations:write', 'databases:write', 'tools:execute'] as const
export const scopes = [...keyScopes, ...serviceScopes] as const
export const ScopeSchema = z.enum(scopes)
export type Scope = z.infer<typeof ScopeSchema>

/**
 * `cl_live_` (a service key: `cl_svc_`), 8 characters that name the key, 43 of secret, 6 of checksum; all base62. A
 * secret scanner finds it by this form; a typing error is seen without a look-up.
 */
export const apiKeyPattern = /^cl_(live|svc)_[0-9A-Za-z]{8}_[0-9A-Za-z]{43}[0-9A-Za-z]{6}$/

export const ApiKeyRequestSchema = z.strictObject({
  name: z.string().trim().min(1).max(80),
  scopes: z.array(ScopeSchema).min(1).max(scopes.length),
  /** ISO 8601, in the future; without it the key has no end. */
  expiresAt: z.iso.datetime({ offset: true }).optional(),
})
export type ApiKeyRequest = z.infer<typeof ApiKeyRequestSchema>

/** `prefix` is the visible beginning. `isService`: the key acts for the users that it names. */
export const ApiKeySchema = z.object({
  id: z.uuid(),
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(ScopeSchema),
  isService: z.boolean(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
  revokedAt: z.iso.datetime().nullable(),
})
export type ApiKey = z.infer<typeof ApiKeySchema>

/** Shown once: `key` is kept nowhere. */
export const NewApiKeySchema = ApiKeySchema.extend({ key: z.string() })
export type NewApiKey = z.infer<typeof NewApiKeySchema>

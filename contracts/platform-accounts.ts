import { z } from 'zod'
import { PlatformSchema } from './ids.ts'

/** Developer credentials (`/api/credentials`) and linked accounts (`/api/auth/link`, `/api/accounts`). */

const kinds = ['google', 'google_api_key', 'tiktok_desktop', 'tiktok_web', 'instagram_login', 'facebook_login'] as const
const KindSchema = z.enum(kinds)

/** Linked accounts of one user. */
export const accountsMax = 100

const pasted = z.string().min(1).max(2000)

/** `client_id` is TikTok's `client_key`. Without `kind`: google, tiktok_desktop or instagram_login. */
export const CredentialsRequestSchema = z.union([
  z.strictObject({
    client_id: pasted,
    client_secret: pasted,
    kind: z.enum(['google', 'tiktok_desktop', 'tiktok_web', 'instagram_login', 'facebook_login']).optional(),
    api_key: pasted.optional(),
  }),
  z.strictObject({ kind: z.literal('google_api_key'), api_key: pasted }),
])
export type CredentialsRequest = z.infer<typeof CredentialsRequestSchema>

const CredentialStatusSchema = z.enum(['pending_validation', 'valid', 'invalid', 'inconclusive'])
export type CredentialStatus = z.infer<typeof CredentialStatusSchema>

/**
 * YouTube forbids numbers derived from its own (gains, velocities, ratios, ranks by them) until its developer has accepted the
 * terms for them. This is where, in words that stand in answers and on screens.
 */
export const amendment = {
  url: 'https://support.google.com/youtube/contact/yt_api_form',
  way: "YouTube's terms allow measures only after its amendment for derived metrics: accept it in the audit form of YouTube API Services (section 5, Analytics & Reporting), then say so with your credentials.",
} as const

/** `PATCH /api/credentials/{platform}`: all of a platform's credentials, or one `kind`. */
export const CredentialsChangeSchema = z.strictObject({
  kind: KindSchema.optional(),
  derived_metrics_accepted: z.boolean(),
})
export type CredentialsChange = z.infer<typeof CredentialsChangeSchema>

/** `needsReauth`: ids of the accounts that must be linked again, because they were linked with another app. */
export const SavedCredentialsSchema = z.object({
  status: CredentialStatusSchema,
  vault_secret_id: z.uuid(),
  needsReauth: z.array(z.uuid()),
})
export type SavedCredentials = z.infer<typeof SavedCredentialsSchema>

/** Of the credentials themselves, never of a link. */
export const CredentialsSchema = z.object({
  platform: PlatformSchema,
  kind: KindSchema,
  status: CredentialStatusSchema,
  reason: z.string().optional(),
  vault_secret_id: z.uuid(),
  lastValidatedAt: z.iso.datetime().nullable(),
  /** Of YouTube's: its terms for derived metrics are accepted. Null where the platform has no such terms. */
  derivedMetricsAccepted: z.boolean().nullable(),
})
export type Credentials = z.infer<typeof CredentialsSchema>

/** A permission that a link asks for: `opens` is what it is for, to be read behind its name. */
export interface ScopeChoice {
  readonly scope: string
  readonly opens: string
  /** Without it nothing can be linked: it is always asked for. */
  readonly isNeeded: boolean
}

const tiktokScopes: readonly ScopeChoice[] = [
  { scope: 'user.info.basic', opens: 'name and picture', isNeeded: true },
  { scope: 'user.info.profile', opens: 'handle', isNeeded: false },
  { scope: 'user.info.stats', opens: 'followers', isNeeded: false },
  { scope: 'video.list', opens: 'posts and their numbers', isNeeded: false },
]

/** All that Cliptape can use, for each kind of credentials. */
export const scopeChoices: Readonly<Record<(typeof kinds)[number], readonly ScopeChoice[]>> = {
  google: [
    { scope: 'https://www.googleapis.com/auth/youtube.readonly', opens: 'channel, videos, numbers', isNeeded: true },
    {
      scope: 'https://www.googleapis.com/auth/yt-analytics.readonly',
      opens: 'shares, numbers by day',
      isNeeded: false,
    },
  ],
  google_api_key: [],
  tiktok_desktop: tiktokScopes,
  tiktok_web: tiktokScopes,
  instagram_login: [
    { scope: 'instagram_business_basic', opens: 'account and posts', isNeeded: true },
    { scope: 'instagram_business_manage_insights', opens: 'views, shares, saves', isNeeded: false },
  ],
  facebook_login: [
    { scope: 'instagram_basic', opens: 'account and posts', isNeeded: true },
    { scope: 'instagram_manage_insights', opens: 'views, shares, saves', isNeeded: false },
    { scope: 'pages_show_list', opens: 'the Pages that accounts belong to', isNeeded: true },
    { scope: 'pages_read_engagement', opens: 'the accounts of Pages', isNeeded: true },
    { scope: 'business_management', opens: 'Pages of a business', isNeeded: false },
  ],
}

/**
 * `redirect_url` is where the browser goes at the end; `account_id` the account that is to be linked again. `scopes` asks for
 * these permissions alone, and those that a link needs; without it for all.
 */
export const LinkRequestSchema = z.strictObject({
  kind: z.enum(['google', 'tiktok_desktop', 'tiktok_web', 'instagram_login', 'facebook_login']).optional(),
  redirect_url: z.string().min(1).max(2048).optional(),
  account_id: z.uuid().optional(),
  scopes: z.array(z.string().min(1).max(200)).max(20).optional(),
})
export type LinkRequest = z.infer<typeof LinkRequestSchema>

/**
 * `ticketUrl` opens the platform's page once, for a browser that sends no token; `shortUrl` is the same, short enough for a
 * QR code, and null where other machines do not reach this server. `comesBack` says whether the browser finds
 * its way back to this server; otherwise the address that it ends at is pasted (`POST …/complete`).
 */
export const StartedLinkSchema = z.object({
  linkId: z.uuid(),
  authorizationUrl: z.string(),
  state: z.string(),
  expiresAt: z.iso.datetime(),
  ticketUrl: z.string(),
  shortUrl: z.string().nullable(),
  redirectUri: z.string(),
  comesBack: z.boolean(),
})
export type StartedLink = z.infer<typeof StartedLinkSchema>

/** The address at which the browser ended, as it was pasted. */
export const CompleteLinkRequestSchema = z.strictObject({ url: z.string().min(1).max(16_000) })

export const LinkStateSchema = z.object({
  linkId: z.uuid(),
  platform: PlatformSchema,
  status: z.enum(['waiting', 'exchanging', 'connected', 'failed']),
  reason: z.string().nullable(),
  accountId: z.uuid().nullable(),
  expiresAt: z.iso.datetime(),
})
export type LinkState = z.infer<typeof LinkStateSchema>

const AccountStatusSchema = z.enum(['connected', 'disconnected', 'needs_reauth'])
export type AccountStatus = z.infer<typeof AccountStatusSchema>

/** An account on a platform. `missingScopes` was asked for and not granted. */
export const PlatformAccountSchema = z.object({
  id: z.uuid(),
  platform: PlatformSchema,
  platformAccountId: z.string(),
  name: z.string(),
  handle: z.string(),
  avatarUrl: z.string(),
  kind: KindSchema,
  status: AccountStatusSchema,
  reason: z.string().nullable(),
  scopes: z.array(z.string()),
  missingScopes: z.array(z.string()),
  lastValidatedAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
export type PlatformAccount = z.infer<typeof PlatformAccountSchema>

/** Locally it is done in any case; without the platform the user ends the grant there. */
export const UnlinkedSchema = z.object({ status: z.literal('disconnected'), revokedAtPlatform: z.boolean() })
export type Unlinked = z.infer<typeof UnlinkedSchema>

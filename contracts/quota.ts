import { z } from 'zod'
import { PlatformSchema } from './ids.ts'
import { CredentialsSchema } from './platform-accounts.ts'

/** What may still be asked of a platform (`GET /api/quota`). */

/** One limit of one set of credentials, as whoever counts knows it. */
export interface QuotaState {
  /** The vault id of a user's developer credentials, or `operator:<platform>`. */
  readonly credentialKey: string
  /** e.g. `youtube:units`; of a limit per account with the platform's id of it: `instagram:account/17841400000000000`. */
  readonly bucket: string
  /** `day`: units until the platform's day ends. `refilling`: calls that may be made at once; each comes back in time. */
  readonly counts: 'day' | 'refilling'
  readonly limit: number
  readonly used: number
  readonly left: number
  /** When all of it is there again: of a day its end. */
  readonly resetsAtMs: number
  readonly blockedUntilMs: number | null
  readonly blockReason: string | null
  /** What the platform itself said, in per cent. */
  readonly usagePercent: number | null
}

/**
 * The same for its owner: of a `day` units, of what is `refilling` calls at once. `accountName` is set where the limit is that of one account. While `blockedUntil` is set nothing is
 * left, for `blockReason`. `usagePercent` is the platform's own count, where it tells one.
 */
export const QuotaLineSchema = z.object({
  platform: PlatformSchema,
  kind: CredentialsSchema.shape.kind,
  bucket: z.string(),
  accountName: z.string().nullable(),
  counts: z.enum(['day', 'refilling']),
  limit: z.number().int(),
  used: z.number().int(),
  left: z.number().int(),
  resetsAt: z.iso.datetime(),
  blockedUntil: z.iso.datetime().nullable(),
  blockReason: z.string().nullable(),
  usagePercent: z.number().nullable(),
})
export type QuotaLine = z.infer<typeof QuotaLineSchema>

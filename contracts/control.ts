import { z } from 'zod'
import { EmailSchema, GivenRoleSchema, UserSchema } from './accounts.ts'
import { ApiKeySchema } from './api-keys.ts'
import { WorldStatusSchema } from './ws.ts'

/**
 * The control socket: HTTP over a unix socket in the home (mode 0600), through which the other verbs find a running
 * server. Who may open the socket is the owner, so it takes no token.
 *
 * `GET /status` · `GET /token` · `POST /import` (body: `ImportRequest`, answer: one `ImportProgress` a line) ·
 * `POST /query` (body: `ControlQueryRequest`) · `POST /replay` · `POST /replay/stop` · `POST /backup` · `POST /vault/rotate` ·
 * `GET /keys`, `POST /keys`, `POST /keys/revoke` · `GET /accounts`, `POST /accounts`, `POST /accounts/role`,
 * `POST /accounts/link`. A line that is a `ControlFailure` ends a stream of lines that could not be finished; an ordinary
 * refusal has the error form and status of every HTTP answer.
 */

/** What runs on this home. `url` is where its HTTP server listens, `null` when it serves none. */
export const ControlStatusSchema = z.object({
  pid: z.number().int(),
  version: z.string(),
  home: z.string(),
  url: z.string().nullable(),
  startedAt: z.string(),
  world: WorldStatusSchema,
})
export type ControlStatus = z.infer<typeof ControlStatusSchema>

/** `hours`: how long the token is to live; a quarter of an hour without it. In the query of `GET /token`. */
export const ControlTokenRequestSchema = z.strictObject({
  hours: z.coerce.number().positive().max(24).optional(),
})
export type ControlTokenRequest = z.infer<typeof ControlTokenRequestSchema>

/** The owner's API keys: `POST /keys` takes and answers what `POST /api/keys` does. */
export const ControlKeysSchema = z.object({ data: z.array(ApiKeySchema) })
export const ControlRevokeSchema = z.strictObject({ id: z.uuid() })

/** Everybody who has an account here. */
export const ControlAccountsSchema = z.object({ data: z.array(UserSchema) })
/** Who is meant, and as what: `POST /accounts` makes the account, `POST /accounts/role` changes it. */
export const ControlAccountRequestSchema = z.strictObject({ email: EmailSchema, role: GivenRoleSchema })
export type ControlAccountRequest = z.infer<typeof ControlAccountRequestSchema>
export const ControlAccountNameSchema = z.strictObject({ email: EmailSchema })
/** A link of one use under which the person sets a password. */
export const ControlAccountLinkSchema = z.object({ link: z.string() })

export const ControlTokenSchema = z.object({ token: z.string() })

/** `file` is absolute. `speed` is seconds of data time per second; the answer is the new `WorldStatus`. */
export const ReplayRequestSchema = z.strictObject({
  file: z.string().min(1).max(4096),
  as: z.string().max(64).optional(),
  speed: z.number().positive().max(1_000_000),
  loop: z.boolean().default(false),
})
export type ReplayRequest = z.infer<typeof ReplayRequestSchema>

/** `path` is the absolute name of the archive to write; it must not exist. */
export const BackupRequestSchema = z.strictObject({ path: z.string().min(1).max(4096) })
export type BackupRequest = z.infer<typeof BackupRequestSchema>

export const BackupProgressSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), step: z.string(), bytes: z.number() }),
  z.object({ type: z.literal('done'), path: z.string(), bytes: z.number() }),
])
export type BackupProgress = z.infer<typeof BackupProgressSchema>

/** How many secrets were wrapped with the new master key, and how many cannot be read with any key that is here. */
export const VaultRotationProgressSchema = z.object({
  type: z.enum(['progress', 'done']),
  rewrapped: z.number().int(),
  unreadable: z.number().int(),
})
export type VaultRotationProgress = z.infer<typeof VaultRotationProgressSchema>

/** The last line of a stream that could not be finished. */
export const ControlFailureSchema = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    details: z.record(z.string(), z.unknown()),
    requestId: z.string(),
  }),
})

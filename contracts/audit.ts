import { z } from 'zod'

/** Every change of credentials, keys, plans and sharing. Only added to. */
export const auditActions = [
  'account.registered',
  'account.deleted',
  'account.exported',
  'email.verified',
  'role.changed',
  'identity.linked',
  'password.changed',
  'password.reset',
  'session.started',
  'session.ended',
  'session.reused',
  'key.created',
  'key.revoked',
  'webhook.created',
  'webhook.changed',
  'webhook.deleted',
  'plan.changed',
  'credits.granted',
  'credentials.saved',
  'credentials.removed',
  'credentials.terms_changed',
  'platform.linked',
  'platform.unlinked',
  'platform.needs_reauth',
  'query.created',
  'query.changed',
  'query.deleted',
  'dashboard.created',
  'dashboard.changed',
  'dashboard.deleted',
  'alert.created',
  'alert.changed',
  'alert.deleted',
] as const
export type AuditAction = (typeof auditActions)[number]

/** `GET /api/audit`, newest first. */
export const AuditRowSchema = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  actor: z.string(),
  actorId: z.string().nullable(),
  action: z.enum(auditActions),
  target: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
  requestId: z.string().nullable(),
  address: z.string().nullable(),
})
export type AuditRow = z.infer<typeof AuditRowSchema>

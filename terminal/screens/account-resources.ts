import { z } from 'zod'
import { type User, UserSchema } from '../../contracts/accounts.ts'
import { type ApiKey, ApiKeySchema } from '../../contracts/api-keys.ts'
import { AuditRowSchema } from '../../contracts/audit.ts'
import {
  LedgerRowSchema,
  type Plan,
  PlansSchema,
  type Subscription,
  SubscriptionSchema,
  type Usage,
  UsageSchema,
} from '../../contracts/billing.ts'
import type { ResourceQuery } from '../net/resource-client.ts'
import { type Pages, pageQuery } from '../state/pages.ts'

// What API, BILL and ACCT ask the server for. Rows get the `key` that tables go by once, when they come in.

/** Who is signed in. */
export const userResource: ResourceQuery<User> = {
  path: '/api/auth/user',
  query: {},
  schema: UserSchema,
  everyMs: 60_000,
}

export type KeyRow = ApiKey & { key: string }

/** Every API key, revoked ones as well. */
export const keysResource: ResourceQuery<{ data: KeyRow[] }> = {
  path: '/api/keys',
  query: {},
  schema: z.object({ data: z.array(ApiKeySchema.transform(row => ({ ...row, key: row.id }))) }),
  everyMs: 20_000,
}

/** What was used of each limit: watched while a script runs. Asking with a session's token counts for nothing. */
export const usageResource: ResourceQuery<Usage> = {
  path: '/api/usage',
  query: {},
  schema: UsageSchema,
  everyMs: 2_000,
}

export const plansResource: ResourceQuery<{ data: Plan[] }> = {
  path: '/api/plans',
  query: {},
  schema: PlansSchema,
  everyMs: null,
  isOpen: true,
}

export const subscriptionResource: ResourceQuery<Subscription> = {
  path: '/api/subscription',
  query: {},
  schema: SubscriptionSchema,
  everyMs: 60_000,
}

const KeyedLedgerRow = LedgerRowSchema.transform(row => ({ ...row, key: row.id }))
export type KeyedLedgerRow = z.output<typeof KeyedLedgerRow>
const LedgerPage = z.object({ data: z.array(KeyedLedgerRow), nextCursor: z.string().optional() })

/** A page of the ledger of credits, newest line first. */
export function ledgerResource(pages: Pages): ResourceQuery<z.output<typeof LedgerPage>> {
  return { path: '/api/credits', query: pageQuery(pages), schema: LedgerPage, everyMs: 15_000 }
}

// A newer server may know actions that this terminal does not: they are shown by name.
const KeyedAuditRow = AuditRowSchema.extend({ action: z.string() }).transform(row => ({ ...row, key: row.id }))
export type KeyedAuditRow = z.output<typeof KeyedAuditRow>
const AuditPage = z.object({ data: z.array(KeyedAuditRow), nextCursor: z.string().optional() })

/** A page of the audit log, newest line first. */
export function auditResource(pages: Pages): ResourceQuery<z.output<typeof AuditPage>> {
  return { path: '/api/audit', query: pageQuery(pages), schema: AuditPage, everyMs: 15_000 }
}

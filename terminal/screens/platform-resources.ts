import { z } from 'zod'
import {
  type Credentials,
  CredentialsSchema,
  type LinkState,
  LinkStateSchema,
  type PlatformAccount,
  PlatformAccountSchema,
} from '../../contracts/platform-accounts.ts'
import { type QuotaLine, QuotaLineSchema } from '../../contracts/quota.ts'
import type { ResourceQuery } from '../net/resource-client.ts'

// What the screens about platforms ask the server for. Rows get the `key` that tables go by once, when they come in.

/** Developer credentials and their state: watched closely, because they are tried as soon as they are entered. */
export const credentialsResource: ResourceQuery<Credentials[]> = {
  path: '/api/credentials/status',
  query: {},
  schema: z.array(CredentialsSchema),
  everyMs: 2_000,
}

export type PlatformAccountRow = PlatformAccount & { key: string }

/** The user's accounts on the platforms, those that were unlinked as well. */
export const platformAccountsResource: ResourceQuery<{ data: PlatformAccountRow[] }> = {
  path: '/api/accounts',
  query: {},
  schema: z.object({ data: z.array(PlatformAccountSchema.transform(row => ({ ...row, key: row.id }))) }),
  everyMs: 5_000,
}

/** How a link that was started goes on in the browser. */
export function linkResource(linkId: string): ResourceQuery<LinkState> {
  return { path: `/api/auth/links/${linkId}`, query: {}, schema: LinkStateSchema, everyMs: 1_000 }
}

export type QuotaRow = QuotaLine & { key: string }

/** What the user's own credentials may still ask: it moves while numbers are read. */
export const quotaResource: ResourceQuery<{ data: QuotaRow[] }> = {
  path: '/api/quota',
  query: {},
  schema: z.object({
    data: z.array(
      QuotaLineSchema.transform(row => ({ ...row, key: `${row.kind} ${row.bucket} ${row.accountName ?? ''}` })),
    ),
  }),
  everyMs: 3_000,
}

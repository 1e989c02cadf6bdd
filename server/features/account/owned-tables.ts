import type { Database } from '../../../core/db/schema.ts'

interface OwnedTable {
  /** The column that says whose row it is. */
  readonly owner: string
  /** What stays here when a user takes their data along: hashes and ciphertexts, which open nothing for anybody. */
  readonly hidden: readonly string[]
}

/** Tables that hold nothing of any user. */
type SharedTable = 'signing_keys' | 'vault_sealing_key'

/**
 * Every table with rows of users, in the order of the export. The type asks for each table of ours, and a test compares
 * the list with the catalogue: a new table cannot be forgotten.
 */
export const ownedTables = {
  users: { owner: 'id', hidden: [] },
  passwords: { owner: 'user_id', hidden: ['hash'] },
  identities: { owner: 'user_id', hidden: [] },
  sessions: { owner: 'user_id', hidden: [] },
  refresh_tokens: { owner: 'user_id', hidden: ['token_hash'] },
  mail_links: { owner: 'user_id', hidden: [] },
  vault_secrets: { owner: 'owner_id', hidden: ['wrapped_key', 'ciphertext'] },
  api_keys: { owner: 'owner_id', hidden: ['key_hash'] },
  idempotent_answers: { owner: 'owner_id', hidden: ['key_hash', 'request_hash', 'sealed'] },
  monitored_creators: { owner: 'owner_id', hidden: [] },
  credit_accounts: { owner: 'user_id', hidden: [] },
  credit_ledger: { owner: 'user_id', hidden: [] },
  credit_lots: { owner: 'user_id', hidden: [] },
  credit_holds: { owner: 'user_id', hidden: [] },
  subscriptions: { owner: 'user_id', hidden: [] },
  usage_counters: { owner: 'user_id', hidden: [] },
  webhooks: { owner: 'owner_id', hidden: [] },
  webhook_deliveries: { owner: 'owner_id', hidden: [] },
  audit_log: { owner: 'user_id', hidden: [] },
  developer_credentials: { owner: 'owner_id', hidden: [] },
  platform_accounts: { owner: 'user_id', hidden: [] },
  account_links: { owner: 'user_id', hidden: ['state_hash', 'ticket_hash'] },
  platform_quota: { owner: 'owner_id', hidden: [] },
  polls: { owner: 'owner_id', hidden: [] },
  polled_posts: { owner: 'owner_id', hidden: [] },
  vods: { owner: 'owner_id', hidden: [] },
  uploads: { owner: 'owner_id', hidden: [] },
  media_jobs: { owner: 'owner_id', hidden: [] },
  media_outputs: { owner: 'owner_id', hidden: [] },
  saved_queries: { owner: 'owner_id', hidden: [] },
  query_versions: { owner: 'owner_id', hidden: [] },
  dashboards: { owner: 'owner_id', hidden: [] },
  imports: { owner: 'owner_id', hidden: [] },
  dead_letters: { owner: 'owner_id', hidden: [] },
  drop_counts: { owner: 'owner_id', hidden: [] },
  settings: { owner: 'owner_id', hidden: [] },
  alerts: { owner: 'owner_id', hidden: [] },
  alert_firings: { owner: 'owner_id', hidden: [] },
  alert_mails: { owner: 'owner_id', hidden: [] },
  watchlists: { owner: 'owner_id', hidden: [] },
  watchlist_items: { owner: 'owner_id', hidden: [] },
} as const satisfies Record<Exclude<keyof Database, SharedTable>, OwnedTable>

import type { ColumnType, Generated } from 'kysely'
import type { Visibility } from '../../contracts/queries.ts'

type Timestamp = ColumnType<Date, Date | string, Date | string>
/** A timestamp that the store fills in when it is left out. */
type DefaultedTimestamp = ColumnType<Date, Date | string | undefined, Date | string>
type Json = ColumnType<unknown, string, string>
/** A whole number beyond 2^53, which comes as text. */
type Bigint = ColumnType<string, number | string, number | string>
type DefaultedBigint = ColumnType<string, number | string | undefined, number | string>
/** Written once. */
type FixedBigint = ColumnType<string, number | string, never>
type Plan = 'free' | 'pro' | 'premium'

/** Tables of `sql/postgres/migrations`, as Kysely sees them: one interface per table, snake_case as in SQL. */
export interface Database {
  users: UsersTable
  imports: ImportsTable
  dead_letters: DeadLettersTable
  drop_counts: DropCountsTable
  settings: SettingsTable
  passwords: PasswordsTable
  identities: IdentitiesTable
  sessions: SessionsTable
  refresh_tokens: RefreshTokensTable
  mail_links: MailLinksTable
  signing_keys: SigningKeysTable
  vault_secrets: VaultSecretsTable
  vault_sealing_key: VaultSealingKeyTable
  api_keys: ApiKeysTable
  idempotent_answers: IdempotentAnswersTable
  monitored_creators: MonitoredCreatorsTable
  credit_accounts: CreditAccountsTable
  credit_ledger: CreditLedgerTable
  credit_lots: CreditLotsTable
  credit_holds: CreditHoldsTable
  subscriptions: SubscriptionsTable
  usage_counters: UsageCountersTable
  webhooks: WebhooksTable
  webhook_deliveries: WebhookDeliveriesTable
  audit_log: AuditLogTable
  developer_credentials: DeveloperCredentialsTable
  platform_accounts: PlatformAccountsTable
  account_links: AccountLinksTable
  platform_quota: PlatformQuotaTable
  polls: PollsTable
  polled_posts: PolledPostsTable
  vods: VodsTable
  uploads: UploadsTable
  media_jobs: MediaJobsTable
  media_outputs: MediaOutputsTable
  saved_queries: SavedQueriesTable
  query_versions: QueryVersionsTable
  dashboards: DashboardsTable
  alerts: AlertsTable
  alert_firings: AlertFiringsTable
  alert_mails: AlertMailsTable
  watchlists: WatchlistsTable
  watchlist_items: WatchlistItemsTable
}

interface UsersTable {
  id: Generated<string>
  email: string | null
  role: 'owner' | 'user' | 'admin'
  is_local: boolean
  email_verified_at: Timestamp | null
  plan: Generated<Plan>
  created_at: DefaultedTimestamp
}

/** One run of one file. */
interface ImportsTable {
  id: Generated<string>
  owner_id: string
  file_name: string
  file_sha256: string
  format: string
  status: 'running' | 'done' | 'failed'
  summary: Json | null
  started_at: DefaultedTimestamp
  finished_at: Timestamp | null
}

/** A record that could not be read, kept whole until a person replays or discards it. */
interface DeadLettersTable {
  id: Generated<string>
  owner_id: string
  /** Same file content, line and reason: same key, so that a second import adds nothing. */
  dedupe_key: string
  source: string
  format: string
  region: string
  reason: string
  message: string
  file_name: string
  line: number | null
  payload: Buffer
  status: Generated<'kept' | 'replayed' | 'discarded'>
  created_at: DefaultedTimestamp
}

/** How many rows a source dropped, by reason, over all runs of distinct files. */
interface DropCountsTable {
  owner_id: string
  source: string
  reason: string
  row_count: Bigint
}

interface SettingsTable {
  owner_id: string
  name: string
  value: Json
  updated_at: DefaultedTimestamp
}

interface PasswordsTable {
  user_id: string
  /** PHC string of argon2id. */
  hash: string
  updated_at: DefaultedTimestamp
}

interface IdentitiesTable {
  provider: 'google' | 'supabase'
  subject: string
  user_id: string
  created_at: DefaultedTimestamp
}

/** A family of refresh tokens: one signing-in on one device. */
interface SessionsTable {
  id: Generated<string>
  user_id: string
  created_at: DefaultedTimestamp
  used_at: DefaultedTimestamp
  expires_at: Timestamp
  ended_at: Timestamp | null
  end_reason: 'logout' | 'reuse' | 'password_changed' | 'account_deleted' | null
}

interface RefreshTokensTable {
  /** SHA-256. */
  token_hash: Buffer
  session_id: string
  user_id: string
  created_at: DefaultedTimestamp
  used_at: Timestamp | null
}

interface MailLinksTable {
  id: Generated<string>
  user_id: string
  purpose: 'verify_email' | 'reset_password'
  created_at: DefaultedTimestamp
  expires_at: Timestamp
  used_at: Timestamp | null
}

interface SigningKeysTable {
  kid: string
  sealed: Buffer
  created_at: DefaultedTimestamp
  retired_at: Timestamp | null
}

interface VaultSecretsTable {
  id: Generated<string>
  /** Null: the installation's own. */
  owner_id: string | null
  purpose: string
  /** This and the two below: sealed by us. Null together when another vault keeps it. */
  key_id: string | null
  wrapped_key: Buffer | null
  ciphertext: Buffer | null
  /** The id of the secret in Supabase Vault. */
  external_id: string | null
  created_at: DefaultedTimestamp
  updated_at: DefaultedTimestamp
}

/** One row: which master key everybody seals with. */
interface VaultSealingKeyTable {
  is_only: Generated<boolean>
  key_id: string
}

interface ApiKeysTable {
  id: Generated<string>
  owner_id: string
  name: string
  prefix: string
  /** SHA-256. */
  key_hash: Buffer
  scopes: string[]
  is_service: Generated<boolean>
  created_at: DefaultedTimestamp
  expires_at: Timestamp | null
  last_used_at: Timestamp | null
  revoked_at: Timestamp | null
}

/** The answer to a write that carried an Idempotency-Key. */
interface IdempotentAnswersTable {
  owner_id: string
  /** SHA-256. */
  key_hash: Buffer
  request_hash: Buffer
  status: number | null
  /** Body under AES-256-GCM, with a key made of the Idempotency-Key. */
  sealed: Buffer | null
  created_at: DefaultedTimestamp
}

interface MonitoredCreatorsTable {
  owner_id: string
  platform: string
  creator_id: string
  /** Where the platform finds others by it alone; else empty. */
  handle: Generated<string>
  created_at: DefaultedTimestamp
}

interface CreditAccountsTable {
  user_id: string
  available: DefaultedBigint
  reserved: DefaultedBigint
  is_unlimited: Generated<boolean>
  updated_at: DefaultedTimestamp
}

interface CreditLedgerTable {
  id: ColumnType<string, never, never>
  user_id: string
  entry: 'grant' | 'reserve' | 'capture' | 'release' | 'expire'
  amount: FixedBigint
  reason: string
  idempotency_key: string
  refers_to: FixedBigint | null
  available_after: FixedBigint
  reserved_after: FixedBigint
  expires_at: Timestamp | null
  created_at: DefaultedTimestamp
}

/** What is left of one grant. */
interface CreditLotsTable {
  grant_id: FixedBigint
  user_id: string
  left_amount: Bigint
  expires_at: Timestamp | null
}

/** What one reservation took from one grant; from none, on an account without a limit. */
interface CreditHoldsTable {
  id: ColumnType<string, never, never>
  reservation_id: FixedBigint
  grant_id: FixedBigint | null
  user_id: string
  amount: FixedBigint
}

interface SubscriptionsTable {
  user_id: string
  plan: Plan
  status: 'active' | 'past_due' | 'canceled'
  period_start: Timestamp
  period_end: Timestamp
  updated_at: DefaultedTimestamp
}

interface UsageCountersTable {
  user_id: string
  metric: string
  period_start: Timestamp
  used: Bigint
}

interface WebhooksTable {
  id: Generated<string>
  owner_id: string
  url: string
  events: string[]
  secret_vault_id: string
  status: Generated<'active' | 'paused' | 'disabled'>
  status_reason: string | null
  created_at: DefaultedTimestamp
  updated_at: DefaultedTimestamp
}

/** One telling of one event to one webhook: the outbox and the log in one. */
interface WebhookDeliveriesTable {
  id: Generated<string>
  webhook_id: string
  owner_id: string
  event: string
  dedupe_key: string
  payload: Json
  status: Generated<'waiting' | 'delivered' | 'failed'>
  attempts: Generated<number>
  next_attempt_at: DefaultedTimestamp
  last_status: number | null
  last_error: string | null
  created_at: DefaultedTimestamp
  delivered_at: Timestamp | null
}

interface AuditLogTable {
  id: ColumnType<string, never, never>
  user_id: string
  actor: string
  actor_id: string | null
  action: string
  target: string | null
  details: Json
  request_id: string | null
  address: string | null
  created_at: DefaultedTimestamp
}

type PlatformName = 'youtube' | 'tiktok' | 'instagram'

/** What a user registered with a platform; the secret is in the vault. */
interface DeveloperCredentialsTable {
  id: Generated<string>
  owner_id: string
  platform: PlatformName
  kind: string
  client_id: string
  vault_id: string
  status: Generated<'pending_validation' | 'valid' | 'invalid' | 'inconclusive'>
  reason: string | null
  version: Generated<number>
  validation_attempts: Generated<number>
  next_validation_at: Timestamp | null
  last_validated_at: Timestamp | null
  /** Since when YouTube's terms for derived metrics are accepted for them. */
  amendment_accepted_at: DefaultedTimestamp | null
  created_at: DefaultedTimestamp
  updated_at: DefaultedTimestamp
}

/** An account on a platform that a user linked. */
interface PlatformAccountsTable {
  id: Generated<string>
  user_id: string
  platform_name: PlatformName
  platform_account_id: string
  display_name: Generated<string>
  handle: Generated<string>
  avatar_url: Generated<string>
  credentials_kind: string
  developer_credentials_vault_id: string | null
  access_token_vault_id: string | null
  refresh_token_vault_id: string | null
  scopes: string[]
  status: Generated<'connected' | 'disconnected' | 'needs_reauth'>
  reason: string | null
  token_issued_at: DefaultedTimestamp
  token_expires_at: Timestamp | null
  refresh_expires_at: Timestamp | null
  token_version: Generated<number>
  refresh_lease_id: string | null
  refresh_lease_until: Timestamp | null
  refresh_not_before: Timestamp | null
  last_validated_at: Timestamp | null
  /** Until when what was read of the account itself may be kept; null: its grant holds. */
  numbers_until: DefaultedTimestamp | null
  created_at: DefaultedTimestamp
  updated_at: DefaultedTimestamp
}

/** A link under way, or how it ended. */
interface AccountLinksTable {
  id: Generated<string>
  user_id: string
  platform: PlatformName
  credentials_kind: string
  /** SHA-256, as `ticket_hash`. */
  state_hash: Buffer
  ticket_hash: Buffer
  ticket_used_at: Timestamp | null
  secret_vault_id: string | null
  redirect_uri: string
  return_url: string | null
  expected_account_id: string | null
  status: Generated<'waiting' | 'exchanging' | 'connected' | 'failed'>
  reason: string | null
  account_id: string | null
  created_at: DefaultedTimestamp
  expires_at: Timestamp
}

/** How much of one limit of a platform one credential has used. */
interface PlatformQuotaTable {
  credential_key: string
  bucket: string
  owner_id: string | null
  window_start: Timestamp
  used: Generated<number>
  used_public: Generated<number>
  full_at: Timestamp | null
  blocked_until: Timestamp | null
  block_reason: string | null
  usage_percent: number | null
  updated_at: DefaultedTimestamp
}

/** What is read from a platform again and again. */
interface PollsTable {
  id: Generated<string>
  task: 'account' | 'posts' | 'metrics' | 'broadcasts' | 'daily' | 'chart'
  path: 'own' | 'public'
  owner_id: string | null
  account_id: string | null
  platform: PlatformName
  creator_id: string
  /** A country, or a country and a category (`US/20`); empty but for charts. */
  chart: Generated<string>
  /** Where the platform finds others by it alone; else empty. */
  handle: Generated<string>
  credential_key: string
  next_poll_at: Timestamp
  interval_ms: DefaultedBigint
  stretch: Generated<number>
  lease_id: string | null
  lease_until: Timestamp | null
  cursor: string | null
  pages: Generated<number>
  is_backfilled: Generated<boolean>
  newest_post_at: Timestamp | null
  failures: Generated<number>
  error_class: string | null
  error_message: string | null
  last_polled_at: Timestamp | null
  created_at: DefaultedTimestamp
}

/** A post that is known; of own ones with what is known of it. */
interface PolledPostsTable {
  scope: string
  platform: PlatformName
  video_id: string
  creator_id: string
  owner_id: string | null
  account_id: string | null
  credential_key: string
  kind: Generated<'clip' | 'vod' | 'stream'>
  /** The platform's own word, e.g. `REELS`. */
  product: Generated<string>
  /** Metrics that the platform refuses of this post. */
  refused_metrics: Generated<string[]>
  title: Generated<string>
  url: Generated<string>
  thumbnail_url: Generated<string>
  published_at: Timestamp | null
  ended_at: Timestamp | null
  duration_seconds: number | null
  next_poll_at: Timestamp | null
  last_read_at: Timestamp | null
  last_views: DefaultedBigint | null
  misses: Generated<number>
  gone_at: Timestamp | null
  /** When what the platform said of it must be gone, unless it says it again; null: it may stay. */
  expires_at: DefaultedTimestamp | null
  created_at: DefaultedTimestamp
}

/** A VOD with media of its owner. */
interface VodsTable {
  owner_id: string
  vod_id: string
  title: string
  creator_id: string | null
  source_kind: 'file' | 'url' | 's3' | 'upload' | 'instagram'
  source_label: string
  source_vault_id: string
  upload_id: string | null
  content_id: string
  duration_seconds: number
  bytes: DefaultedBigint | null
  media: Json
  created_at: DefaultedTimestamp
  expires_at: Timestamp | null
}

/** A file on its way to us, in parts. */
interface UploadsTable {
  id: string
  owner_id: string
  file_name: string
  declared_bytes: FixedBigint
  received_bytes: DefaultedBigint
  /** Keys of the blob store. */
  parts: Generated<string[]>
  status: Generated<'receiving' | 'ready' | 'refused'>
  reason: string | null
  /** As the tus protocol writes it. */
  metadata: Generated<string>
  created_at: DefaultedTimestamp
  expires_at: Timestamp
}

/** Work on media, clip requests included. */
interface MediaJobsTable {
  id: Generated<string>
  owner_id: string
  type: MediaJobType
  vod_id: string
  params: Json
  content_key: string
  idempotency_key: string | null
  /** `expired`: it was done, and its files are gone. */
  status: Generated<'queued' | 'running' | 'done' | 'failed' | 'cancelled' | 'expired'>
  progress: Generated<number>
  estimate_cpu_seconds: number
  actual_cpu_seconds: number | null
  credits: number
  reservation_id: DefaultedBigint | null
  attempts: Generated<number>
  due_at: Timestamp
  lease_id: string | null
  lease_until: Timestamp | null
  result: Json | null
  error_code: string | null
  error_message: string | null
  created_at: Timestamp
  started_at: Timestamp | null
  finished_at: Timestamp | null
  expires_at: Timestamp | null
}

type MediaJobType =
  | 'clip'
  | 'video/clips'
  | 'video/frames'
  | 'video/scenes'
  | 'audio/silence'
  | 'audio/energy'
  | 'timeline/analyze'

/** A file that came of a job. */
interface MediaOutputsTable {
  id: string
  job_id: string
  owner_id: string
  name: string
  content_type: string
  bytes: FixedBigint
  sha256: string
  is_downloaded: Generated<boolean>
  created_at: Timestamp
}

/** A board of somebody's. `board` is a `Board` of contracts/dashboards.ts. */
interface SavedQueriesTable {
  id: Generated<string>
  owner_id: string
  name: string
  description: string
  sql: string
  parameters: Json
  visibility: Generated<Visibility>
  version: Generated<number>
  tables: string[]
  created_at: DefaultedTimestamp
  updated_at: DefaultedTimestamp
}

interface QueryVersionsTable {
  query_id: string
  version: number
  owner_id: string
  name: string
  description: string
  sql: string
  parameters: Json
  created_at: Timestamp
}

interface DashboardsTable {
  id: Generated<string>
  owner_id: string
  name: string
  board: Json
  file: string
  visibility: Generated<Visibility>
  version: Generated<number>
  created_at: DefaultedTimestamp
  updated_at: DefaultedTimestamp
}

/** A rule with what its evaluations have left behind. */
interface AlertsTable {
  id: Generated<string>
  owner_id: string
  name: string
  rule: Json
  version: Generated<number>
  is_enabled: Generated<boolean>
  muted_until: Timestamp | null
  reads: string[]
  spacing_seconds: number
  memory: ColumnType<unknown, string | undefined, string>
  value: number | null
  value_at: Timestamp | null
  last_error: string | null
  fired_at: Timestamp | null
  checked_at: Timestamp | null
  next_check_at: DefaultedTimestamp
  lease_id: string | null
  lease_until: Timestamp | null
  created_at: DefaultedTimestamp
  updated_at: DefaultedTimestamp
}

interface AlertFiringsTable {
  id: Generated<string>
  alert_id: string
  owner_id: string
  version: number
  world: string
  at: Timestamp
  sentence: string
  value: number | null
  rows: Json
  row_count: number
  is_muted: boolean
  channels: string[]
  fired_at: Timestamp
  seen_at: Timestamp | null
}

/** The outbox of mails about firings. */
interface AlertMailsTable {
  firing_id: string
  owner_id: string
  status: Generated<'waiting' | 'sent' | 'failed'>
  attempts: Generated<number>
  next_attempt_at: Timestamp
  reason: string | null
  sent_at: Timestamp | null
}

interface WatchlistsTable {
  id: Generated<string>
  owner_id: string
  name: string
  columns: string[]
  period: string
  version: Generated<number>
  created_at: DefaultedTimestamp
  updated_at: DefaultedTimestamp
}

interface WatchlistItemsTable {
  watchlist_id: string
  owner_id: string
  type: string
  subject_id: string
  note: string
  position: number
  added_at: DefaultedTimestamp
}

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Transaction } from 'kysely'
import type { BoardInput } from '../contracts/dashboards.ts'
import { type UserId, UserIdSchema } from '../contracts/ids.ts'
import type { MediaInfo } from '../contracts/media.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import type { Db } from '../core/db/port.ts'
import type { Database } from '../core/db/schema.ts'
import { captureCredits, grantCredits, reserveCredits } from '../server/features/billing/ledger.ts'

/** Tables with rows of users, and how a row of each is made; in an order in which each finds what it refers to. */
type Table = Exclude<keyof Database, 'users' | 'signing_keys' | 'vault_sealing_key'>

/** The ids of what an account was filled with, by what they are ids of. */
export interface FilledAccount {
  readonly userId: UserId
  readonly email: string
  readonly ids: Readonly<
    Record<
      | 'session'
      | 'key'
      | 'webhook'
      | 'delivery'
      | 'import'
      | 'deadLetter'
      | 'secret'
      | 'account'
      | 'link'
      | 'upload'
      | 'clip'
      | 'mediaJob'
      | 'output'
      | 'dashboard'
      | 'query'
      | 'alert'
      | 'firing'
      | 'watchlist',
      string
    >
  >
  /** A text that stands in every row that has room for one: it must never reach anybody else. */
  readonly mark: string
}

/** Of no password that anybody knows; cheap to check. */
const unknownPasswordHash = `$argon2id$v=19$m=64,t=1,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`
const at = new Date('2026-01-30T12:00:00Z')
const later = new Date('2027-01-30T12:00:00Z')

/** Makes a user with at least one row in every table that belongs to users, and private numbers where `store` is given. */
export async function fillAccount(stores: { db: Db; store?: AnalyticsStore }, email: string): Promise<FilledAccount> {
  const mark = `mark-${createHash('sha256').update(email).digest('hex').slice(0, 12)}`
  const row = await stores.db.system
    .insertInto('users')
    .values({ email, role: 'user', is_local: false })
    .returning('id')
    .executeTakeFirstOrThrow()
  const account: FilledAccount = {
    userId: UserIdSchema.parse(row.id),
    email,
    mark,
    ids: {
      session: randomUUID(),
      key: randomUUID(),
      webhook: randomUUID(),
      delivery: randomUUID(),
      import: randomUUID(),
      deadLetter: randomUUID(),
      secret: randomUUID(),
      account: randomUUID(),
      link: randomUUID(),
      upload: randomUUID(),
      clip: randomUUID(),
      mediaJob: randomUUID(),
      output: randomUUID(),
      dashboard: randomUUID(),
      query: randomUUID(),
      alert: randomUUID(),
      firing: randomUUID(),
      watchlist: randomUUID(),
    },
  }
  await stores.db.transaction(async trx => {
    for (const fill of Object.values(fillers)) await fill(trx, account)
  })
  if (stores.store) await fillNumbers(stores.store, account)
  return account
}

type Filler = (trx: Transaction<Database>, account: FilledAccount) => Promise<unknown>

/** The type asks for every table: a new one cannot be forgotten. */
const fillers: Record<Table, Filler> = {
  passwords: (trx, { userId }) =>
    trx.insertInto('passwords').values({ user_id: userId, hash: unknownPasswordHash }).execute(),
  identities: (trx, { userId, mark }) =>
    trx.insertInto('identities').values({ provider: 'google', subject: mark, user_id: userId }).execute(),
  sessions: (trx, { userId, ids }) =>
    trx
      .insertInto('sessions')
      .values({
        id: ids.session,
        user_id: userId,
        created_at: at,
        used_at: at,
        expires_at: later,
        ended_at: null,
        end_reason: null,
      })
      .execute(),
  refresh_tokens: (trx, { userId, ids }) =>
    trx
      .insertInto('refresh_tokens')
      .values({ token_hash: randomBytes(32), session_id: ids.session, user_id: userId, used_at: null })
      .execute(),
  mail_links: (trx, { userId }) =>
    trx
      .insertInto('mail_links')
      .values({ user_id: userId, purpose: 'reset_password', expires_at: later, used_at: null })
      .execute(),
  vault_secrets: (trx, { userId, ids }) =>
    trx
      .insertInto('vault_secrets')
      .values({
        id: ids.secret,
        owner_id: userId,
        purpose: 'webhook_secret',
        key_id: 'k',
        wrapped_key: randomBytes(60),
        ciphertext: randomBytes(60),
        external_id: null,
      })
      .execute(),
  api_keys: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('api_keys')
      .values({
        id: ids.key,
        owner_id: userId,
        name: mark,
        prefix: `cl_live_${mark.slice(-8)}`,
        key_hash: randomBytes(32),
        scopes: ['trends:read'],
        expires_at: null,
        last_used_at: null,
        revoked_at: null,
      })
      .execute(),
  idempotent_answers: (trx, { userId }) =>
    trx
      .insertInto('idempotent_answers')
      .values({
        owner_id: userId,
        key_hash: randomBytes(32),
        request_hash: randomBytes(32),
        status: 201,
        sealed: randomBytes(60),
      })
      .execute(),
  monitored_creators: (trx, { userId, mark }) =>
    trx.insertInto('monitored_creators').values({ owner_id: userId, platform: 'youtube', creator_id: mark }).execute(),
  credit_accounts: (trx, { userId, mark }) =>
    grantCredits({ trx, at }, { userId, amount: 100, reason: mark, key: 'fill', expiresAt: later }),
  credit_ledger: async (trx, { userId, mark }) => {
    const { id } = await reserveCredits({ trx, at }, { userId, amount: 10, reason: mark, key: 'fill:work' })
    await captureCredits({ trx, at }, { userId, amount: 5, reservationId: id, reason: mark, key: 'fill:done' })
  },
  credit_lots: async () => undefined, // made by the grant
  credit_holds: (trx, { userId, mark }) =>
    reserveCredits({ trx, at }, { userId, amount: 10, reason: mark, key: 'fill:held' }),
  subscriptions: (trx, { userId }) =>
    trx
      .insertInto('subscriptions')
      .values({ user_id: userId, plan: 'pro', status: 'active', period_start: at, period_end: later })
      .execute(),
  usage_counters: (trx, { userId }) =>
    trx
      .insertInto('usage_counters')
      .values({ user_id: userId, metric: 'downloads', period_start: at, used: 3 })
      .execute(),
  webhooks: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('webhooks')
      .values({
        id: ids.webhook,
        owner_id: userId,
        url: `https://${mark}.example/`,
        events: ['video.breakout'],
        secret_vault_id: ids.secret,
        status_reason: null,
      })
      .execute(),
  webhook_deliveries: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('webhook_deliveries')
      .values({
        id: ids.delivery,
        webhook_id: ids.webhook,
        owner_id: userId,
        event: 'video.breakout',
        dedupe_key: mark,
        payload: JSON.stringify({ mark }),
        last_status: null,
        last_error: null,
        delivered_at: null,
        // Not due while a test runs.
        next_attempt_at: new Date('2099-01-01T00:00:00Z'),
      })
      .execute(),
  audit_log: (trx, { userId, mark }) =>
    trx
      .insertInto('audit_log')
      .values({
        user_id: userId,
        actor: 'jwt',
        actor_id: null,
        action: 'key.created',
        target: mark,
        details: JSON.stringify({ mark }),
        request_id: null,
        address: null,
      })
      .execute(),
  developer_credentials: async (trx, { userId, mark }) =>
    trx
      .insertInto('developer_credentials')
      .values({
        owner_id: userId,
        platform: 'youtube',
        kind: 'google',
        client_id: mark,
        vault_id: await fillSecret(trx, userId, 'developer_credentials'),
        status: 'valid',
        reason: null,
        next_validation_at: null,
        last_validated_at: at,
      })
      .execute(),
  platform_accounts: async (trx, { userId, ids, mark }) =>
    trx
      .insertInto('platform_accounts')
      .values({
        id: ids.account,
        user_id: userId,
        platform_name: 'youtube',
        platform_account_id: mark,
        display_name: mark,
        credentials_kind: 'google',
        developer_credentials_vault_id: null,
        access_token_vault_id: await fillSecret(trx, userId, 'youtube_access_token'),
        refresh_token_vault_id: null,
        scopes: ['https://www.googleapis.com/auth/youtube.readonly'],
        reason: null,
        token_expires_at: later,
        refresh_expires_at: null,
        refresh_lease_id: null,
        refresh_lease_until: null,
        refresh_not_before: null,
        last_validated_at: at,
      })
      .execute(),
  platform_quota: (trx, { userId, mark }) =>
    trx
      .insertInto('platform_quota')
      .values({ credential_key: mark, bucket: 'youtube:units', owner_id: userId, window_start: at, used: 7 })
      .execute(),
  polls: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('polls')
      .values({
        task: 'posts',
        path: 'own',
        owner_id: userId,
        account_id: ids.account,
        platform: 'youtube',
        creator_id: mark,
        credential_key: mark,
        next_poll_at: later,
      })
      .execute(),
  polled_posts: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('polled_posts')
      .values({
        scope: ids.account,
        platform: 'youtube',
        video_id: mark,
        creator_id: mark,
        owner_id: userId,
        account_id: ids.account,
        credential_key: mark,
        title: mark,
      })
      .execute(),
  vods: async (trx, { userId, ids, mark }) =>
    trx
      .insertInto('vods')
      .values({
        owner_id: userId,
        vod_id: filledVodId(ids),
        title: mark,
        creator_id: null,
        source_kind: 'upload',
        source_label: mark,
        source_vault_id: await fillSecret(trx, userId, 'media_source'),
        upload_id: ids.upload,
        content_id: mark,
        duration_seconds: 60,
        bytes: 1000,
        media: JSON.stringify(filledMedia(mark)),
        expires_at: later,
      })
      .execute(),
  uploads: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('uploads')
      .values({
        id: ids.upload,
        owner_id: userId,
        file_name: mark,
        declared_bytes: 1000,
        received_bytes: 1000,
        status: 'ready',
        reason: null,
        expires_at: later,
      })
      .execute(),
  media_jobs: async (trx, { userId, ids, mark }) => {
    for (const [id, type] of [
      [ids.clip, 'clip'],
      [ids.mediaJob, 'video/clips'],
    ] as const)
      await trx
        .insertInto('media_jobs')
        .values({
          id,
          owner_id: userId,
          type,
          vod_id: filledVodId(ids),
          params: JSON.stringify(type === 'clip' ? { startTime: 0, endTime: 5, options: {}, mark } : { mark }),
          content_key: `${mark} ${type}`,
          idempotency_key: null,
          status: 'done',
          progress: 1,
          estimate_cpu_seconds: 1,
          actual_cpu_seconds: 1,
          credits: 1,
          due_at: at,
          lease_id: null,
          lease_until: null,
          result: null,
          error_code: null,
          error_message: null,
          created_at: at,
          started_at: at,
          finished_at: at,
          expires_at: later,
        })
        .execute()
  },
  media_outputs: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('media_outputs')
      .values({
        id: ids.output,
        job_id: ids.clip,
        owner_id: userId,
        name: mark,
        content_type: 'video/mp4',
        bytes: 1000,
        sha256: 'ab'.repeat(32),
        created_at: at,
      })
      .execute(),
  account_links: async (trx, { userId, ids, mark }) =>
    trx
      .insertInto('account_links')
      .values({
        id: ids.link,
        user_id: userId,
        platform: 'youtube',
        credentials_kind: 'google',
        state_hash: randomBytes(32),
        ticket_hash: randomBytes(32),
        ticket_used_at: null,
        secret_vault_id: await fillSecret(trx, userId, 'account_link'),
        redirect_uri: `https://${mark}.example/`,
        return_url: null,
        expected_account_id: null,
        reason: mark,
        account_id: ids.account,
        expires_at: later,
      })
      .execute(),
  saved_queries: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('saved_queries')
      .values({ id: ids.query, owner_id: userId, name: mark, ...filledQuery(mark), tables: ['v.samples'] })
      .execute(),
  query_versions: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('query_versions')
      .values({ query_id: ids.query, version: 1, owner_id: userId, name: mark, ...filledQuery(mark), created_at: at })
      .execute(),
  dashboards: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('dashboards')
      .values({ id: ids.dashboard, owner_id: userId, name: mark, board: JSON.stringify(filledBoard(mark)), file: mark })
      .execute(),
  imports: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('imports')
      .values({
        id: ids.import,
        owner_id: userId,
        file_name: mark,
        file_sha256: 'ab',
        format: 'generic-csv',
        status: 'done',
        summary: JSON.stringify({ mark }),
        finished_at: at,
      })
      .execute(),
  dead_letters: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('dead_letters')
      .values({
        id: ids.deadLetter,
        owner_id: userId,
        dedupe_key: mark,
        source: 'import:test',
        format: 'generic-csv',
        region: '',
        reason: 'schema_mismatch',
        message: mark,
        file_name: mark,
        line: 1,
        payload: Buffer.from(JSON.stringify({ record: mark, table: null, snapshotAtMs: at.getTime() })),
      })
      .execute(),
  drop_counts: (trx, { userId }) =>
    trx.insertInto('drop_counts').values({ owner_id: userId, source: 's', reason: 'r', row_count: 1 }).execute(),
  alerts: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('alerts')
      .values({
        id: ids.alert,
        owner_id: userId,
        name: mark,
        rule: JSON.stringify({
          measure: { source: 'list', type: 'clips', top: 5 },
          condition: { kind: 'entrant', top: 5 },
        }),
        is_enabled: false,
        muted_until: null,
        reads: ['youtube'],
        spacing_seconds: 5,
        value: null,
        value_at: null,
        last_error: null,
        fired_at: null,
        checked_at: null,
        lease_id: null,
        lease_until: null,
      })
      .execute(),
  alert_firings: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('alert_firings')
      .values({
        id: ids.firing,
        alert_id: ids.alert,
        owner_id: userId,
        version: 1,
        world: 'cliptape',
        at,
        sentence: mark,
        value: null,
        rows: '[]',
        row_count: 0,
        is_muted: false,
        channels: ['terminal', 'email'],
        fired_at: at,
        seen_at: null,
      })
      .execute(),
  alert_mails: (trx, { userId, ids }) =>
    trx
      .insertInto('alert_mails')
      .values({ firing_id: ids.firing, owner_id: userId, next_attempt_at: later, reason: null, sent_at: null })
      .execute(),
  watchlists: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('watchlists')
      .values({ id: ids.watchlist, owner_id: userId, name: mark, columns: ['views'], period: '24h' })
      .execute(),
  watchlist_items: (trx, { userId, ids, mark }) =>
    trx
      .insertInto('watchlist_items')
      .values({
        watchlist_id: ids.watchlist,
        owner_id: userId,
        type: 'topics',
        subject_id: mark,
        note: mark,
        position: 0,
      })
      .execute(),
  settings: (trx, { userId, mark }) =>
    trx
      .insertInto('settings')
      .values({ owner_id: userId, name: 'theme', value: JSON.stringify(mark) })
      .execute(),
}

/** The board that an account was filled with. */
export function filledBoard(mark: string): BoardInput {
  const at = { x: 0, y: 0, width: 12, height: 1 }
  const source = { query: 'world' as const }
  return { name: mark, panels: [{ id: 'world', title: mark, kind: 'log', at, source, options: { text: ['notice'] } }] }
}

function filledMedia(mark: string): MediaInfo {
  return {
    contentId: mark,
    container: 'mp4',
    durationSec: 60,
    bytes: 1000,
    video: {
      codec: 'avc',
      widthPx: 640,
      heightPx: 360,
      rotationDeg: 0,
      framesPerSec: 30,
      isRateConstant: true,
      isHdr: false,
    },
    audio: null,
    trackCount: 1,
    notes: [],
  }
}

/** The id of the VOD that an account was filled with. */
export function filledVodId(ids: FilledAccount['ids']): string {
  return `own:${ids.upload}`
}

/** A secret that opens for nobody. */
async function fillSecret(trx: Transaction<Database>, userId: UserId, purpose: string): Promise<string> {
  const { id } = await trx
    .insertInto('vault_secrets')
    .values({
      owner_id: userId,
      purpose,
      key_id: 'k',
      wrapped_key: randomBytes(60),
      ciphertext: randomBytes(60),
      external_id: null,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** Private numbers of the user's own accounts: one reading of one clip, one of the creator. */
async function fillNumbers(store: AnalyticsStore, { userId, mark }: FilledAccount): Promise<void> {
  const reading = {
    owner_id: userId,
    platform: 'youtube',
    creator_id: mark,
    observed_at: '2026-01-30 12:00:00.000',
    views: 5,
    source: 'own:test',
    endpoint: '',
    definition_version: 1,
  }
  await store.insert('cliptape.own_samples_v1', [{ ...reading, video_id: mark }])
  await store.insert('cliptape.own_creator_samples_v1', [{ ...reading, followers: 7 }])
  const { platform, creator_id, observed_at, source, endpoint } = reading
  await store.insert('cliptape.own_days_v1', [
    { owner_id: userId, platform, creator_id, day: '2026-01-28', shares: 3, observed_at, source, endpoint },
  ])
  const copy = { kind: 'picture', is_mirrored: false, speed: 1, start_seconds: 0, found_at: observed_at }
  await store.insert('cliptape.media_copies_v1', [
    { owner_id: userId, original_vod_id: mark, copy_vod_id: `${mark} again`, ...copy },
  ])
  await store.insert('cliptape.media_prints_v1', [
    {
      owner_id: userId,
      kind: 'picture',
      vod_id: mark,
      view: 'full',
      at_ms: 0,
      bits_0: 1,
      bits_1: 2,
      bits_2: 3,
      bits_3: 4,
    },
  ])
}

/** What both rows of a saved query say. */
function filledQuery(mark: string) {
  return { description: mark, sql: `SELECT '${mark}'`, parameters: '[]' }
}

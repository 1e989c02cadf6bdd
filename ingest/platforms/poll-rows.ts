/**
 * The rows that say what is read next. They are made from linked accounts and monitored creators, taken by workers under
 * a lease, and given back with the next time. Only who holds the lease writes: a worker that was away for too long finds
 * its row taken, and what it read is in the stores already.
 */
import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { type Platform, PlatformSchema, type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { Db } from '../../core/db/port.ts'
import type { Database } from '../../core/db/schema.ts'
import { dayScopes } from '../../platforms/day-scopes.ts'
import { credentialKinds } from '../../platforms/port.ts'
import type { PlannedTime, StretchedPoll } from './plan.ts'

const PollSchema = z.object({
  id: z.uuid(),
  leaseId: z.uuid(),
  task: z.enum(['account', 'posts', 'metrics', 'broadcasts', 'daily', 'chart']),
  path: z.enum(['own', 'public']),
  ownerId: UserIdSchema.nullable(),
  accountId: z.uuid().nullable(),
  platform: PlatformSchema,
  creatorId: z.string(),
  /** Where the platform finds others by it alone; else empty. */
  handle: z.string(),
  /** A country, or a country and a category (`US/20`, `US/*` for all of them); empty but for charts. */
  chart: z.string(),
  credentialKey: z.string(),
  /** Of the credentials that ask; null for the operator's key. */
  kind: z.enum(credentialKinds).nullable(),
  /** What its user granted. */
  scopes: z.array(z.string()).nullable(),
  /** The platform's id of the account whose token asks. */
  viaId: z.string().nullable(),
  /** The terms for derived metrics are accepted for the credentials that ask. */
  isAmended: z.boolean(),
  /** Whose credentials pay: null for the operator's. */
  payerId: UserIdSchema.nullable(),
  stretch: z.number(),
  cursor: z.string().nullable(),
  pages: z.number(),
  isBackfilled: z.boolean(),
  newestPostAtMs: z
    .date()
    .transform(at => at.getTime())
    .nullable(),
  failures: z.number(),
  /** Whether the last run failed. */
  hadError: z.boolean(),
})
/** A poll in the hands of a worker. */
export type Poll = z.infer<typeof PollSchema>

/** Another worker has the poll by now. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** Longer than a page, with a refresh of the token, can take. Every page prolongs it. */
export const leaseMs = 120_000
/** What one owner may have of a batch, before others were looked at. */
const ofOneOwnerMax = 4
/** Among the longest due, who is fair to whom. */
const lookedAtMax = 2_000

/** What the operator gives for what is public. */
export interface OperatorKeys {
  /** Where no user's credentials are needed. */
  readonly platforms: readonly Platform[]
  /** Charts of YouTube that are read: countries, or a country and a category (`US`, `US/20`, `US/*`). */
  readonly charts?: readonly string[]
}

/** What users have to ask with for what is public: an API key before an account. */
const payers = sql`
  select owner_id, platform, null::uuid as account_id, vault_id::text as credential_key, 0 as place, created_at
  from developer_credentials where kind = 'google_api_key' and status in ('valid', 'inconclusive')
  union all
  select user_id, platform_name, id, developer_credentials_vault_id::text, 1, created_at
  from platform_accounts
  where status = 'connected' and developer_credentials_vault_id is not null
    and credentials_kind in ('google', 'facebook_login')`

const AskerSchema = PollSchema.pick({
  accountId: true,
  credentialKey: true,
  kind: true,
  scopes: true,
  viaId: true,
  payerId: true,
  isAmended: true,
})

/**
 * With what a platform is asked for what is public on behalf of one user: the operator's key, else the user's own
 * credentials; null when there are neither.
 */
export async function publicAskerFor(
  db: Db,
  o: {
    readonly ownerId: UserId
    readonly platform: Platform
    readonly operator: OperatorKeys
    readonly isOperatorAmended: boolean
  },
): Promise<(z.infer<typeof AskerSchema> & Pick<Poll, 'platform' | 'path' | 'failures'>) | null> {
  const { ownerId, platform, operator, isOperatorAmended } = o
  const asker = { platform, path: 'public', failures: 0 } as const
  if (operator.platforms.includes(platform))
    return {
      ...asker,
      ...{
        accountId: null,
        credentialKey: `operator:${platform}`,
        kind: null,
        scopes: null,
        viaId: null,
        payerId: null,
      },
      isAmended: platform === 'youtube' && isOperatorAmended,
    }
  const { rows } = await sql`
    select p.account_id as "accountId", p.credential_key as "credentialKey", coalesce(a.credentials_kind, c.kind) as kind,
      a.scopes, a.platform_account_id as "viaId", p.owner_id as "payerId",
      c.amendment_accepted_at is not null as "isAmended"
    from (${payers}) p left join platform_accounts a on a.id = p.account_id
      left join developer_credentials c on c.vault_id::text = p.credential_key
    where p.owner_id = ${ownerId} and p.platform = ${platform}
    order by p.place, p.created_at limit 1`.execute(db.system)
  const [found] = z.array(AskerSchema).parse(rows)
  return found ? { ...asker, ...found } : null
}

/**
 * Makes rows for accounts, creators and charts that have none, and removes those that nobody wants any more. Creators are
 * read once, however many users monitor them: with the operator's key, else with the API key or the account of the first
 * who monitors them. Charts are for everybody, so nobody's credentials pay for them but the operator's or those of the
 * owner of this installation.
 */
export async function syncPolls(db: Db, operator: OperatorKeys, nowMs: number): Promise<void> {
  const now = new Date(nowMs)
  const withKey = [...operator.platforms]
  const charts = [...(operator.charts ?? [])]
  await joiningAll(db, async trx => {
    await sql`
      insert into polls (task, path, owner_id, account_id, platform, creator_id, credential_key, next_poll_at)
      select t.task, 'own', a.user_id, a.id, a.platform_name, a.platform_account_id,
        a.developer_credentials_vault_id::text, ${now}::timestamptz
      from platform_accounts a cross join (values ('account'), ('posts'), ('metrics'), ('broadcasts'), ('daily')) t (task)
      where a.status = 'connected' and a.developer_credentials_vault_id is not null
        and (t.task <> 'broadcasts' or a.platform_name = 'youtube')
        and (t.task <> 'daily' or a.scopes && ${[...dayScopes]}::text[])
      on conflict do nothing`.execute(trx)
    // Linked again with another app: another quota pays.
    const relinked = await sql`
      update polls p set credential_key = a.developer_credentials_vault_id::text
      from platform_accounts a
      where p.account_id = a.id and a.developer_credentials_vault_id is not null
        and p.credential_key <> a.developer_credentials_vault_id::text`.execute(trx)
    const made = await sql`
      with payers as (
        ${payers}
      ), monitors as (
        select distinct on (m.platform, m.creator_id) m.platform, m.creator_id, m.handle, p.account_id, p.credential_key
        from monitored_creators m left join payers p on p.owner_id = m.owner_id and p.platform = m.platform
        where m.platform = 'youtube' or (m.platform = 'instagram' and m.handle <> '')
        order by m.platform, m.creator_id, p.credential_key is null, m.created_at, p.place, p.created_at
      ), wanted as (
        select platform, creator_id, handle,
          case when platform = any(${withKey}::text[]) then null else account_id end as account_id,
          case when platform = any(${withKey}::text[]) then 'operator:' || platform else credential_key end as credential_key
        from monitors
      ), charted as (
        select account_id, credential_key from (
          select null::uuid as account_id, 'operator:youtube' as credential_key, -1 as place, now() as created_at
          where 'youtube' = any(${withKey}::text[])
          union all
          select p.account_id, p.credential_key, p.place, p.created_at
          from payers p join users u on u.id = p.owner_id where u.is_local and p.platform = 'youtube'
        ) c order by place, created_at limit 1
      ), tasks as (
        select w.*, '' as chart, t.task from wanted w cross join (values ('account'), ('posts')) t (task)
        where w.credential_key is not null
        union all
        -- Posts of many creators are counted fifty at once. Instagram's come with the list.
        (select distinct on (credential_key) platform, '', '', account_id, credential_key, '', 'metrics'
        from wanted where credential_key is not null and platform = 'youtube')
        union all
        select 'youtube', '', '', account_id, credential_key, c.chart, 'chart'
        from charted cross join unnest(${charts}::text[]) c (chart)
      ), gone as (
        delete from polls p where p.path = 'public' and not exists (
          select from tasks t where t.platform = p.platform and t.creator_id = p.creator_id and t.task = p.task
            and t.credential_key = p.credential_key
            -- Charts of a country's categories come from the one that names them all.
            and (t.chart = p.chart or (t.chart like '%/*' and starts_with(p.chart, rtrim(t.chart, '*')))))
      )
      insert into polls (task, path, account_id, platform, creator_id, handle, chart, credential_key, next_poll_at)
      select t.task, 'public', t.account_id, t.platform, t.creator_id, t.handle, t.chart, t.credential_key,
        ${now}::timestamptz
      from tasks t left join polls p on p.path = 'public' and p.platform = t.platform and p.creator_id = t.creator_id
        and p.chart = t.chart and p.task = t.task and p.credential_key = t.credential_key
      where p.id is null or p.handle <> t.handle
      on conflict (platform, creator_id, chart, task, credential_key) where path = 'public'
        do update set handle = excluded.handle where polls.handle <> excluded.handle`.execute(trx)
    if ([relinked, made].some(({ numAffectedRows = 0n }) => numAffectedRows > 0n)) await payPostsAnew(trx)
  })
}

/**
 * A transaction of statements that join whole tables. An engine that has no figures of them yet takes them for small, and
 * would compare each row of one with every row of the other. What it then does against its own reckoning looks dear to it,
 * and is not worth compiling.
 */
async function joiningAll<T>(db: Db, work: (trx: Transaction<Database>) => Promise<T>): Promise<T> {
  return await db.transaction(async trx => {
    await sql`select set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)`.execute(trx)
    return await work(trx)
  })
}

/** The numbers of posts are paid for by what pays for their list. */
async function payPostsAnew(trx: Transaction<Database>): Promise<void> {
  await sql`
    update polled_posts p set credential_key = q.credential_key
    from polls q
    where q.task = 'posts' and q.path = 'public' and p.scope = ${publicScope} and p.platform = q.platform
      and p.creator_id = q.creator_id and p.credential_key <> q.credential_key`.execute(trx)
  await sql`
    update polled_posts p set credential_key = q.credential_key
    from polls q
    where q.task = 'posts' and q.path = 'own' and p.scope = q.account_id
      and p.credential_key <> q.credential_key`.execute(trx)
}

/** Makes a row for each chart that has none, paid for as the one that named them. */
export async function addCharts(db: Db, poll: Poll, charts: readonly string[], nowMs: number): Promise<void> {
  await sql`
    insert into polls (task, path, account_id, platform, creator_id, chart, credential_key, next_poll_at)
    select 'chart', 'public', ${poll.accountId}::uuid, ${poll.platform}, '', c.chart, ${poll.credentialKey},
      ${new Date(nowMs)}::timestamptz
    from unnest(${[...charts]}::text[]) c (chart)
    on conflict do nothing`.execute(db.system)
}

/** What posts of the public path have for an account. */
export const publicScope = '00000000-0000-0000-0000-000000000000'

/** Takes what is due, the longest due first, a few of each owner; two workers never take the same. */
export async function claimPolls(
  db: Db,
  o: {
    readonly nowMs: number
    readonly max: number
    /** The terms for derived metrics are accepted for the operator's keys; not when left out. */
    readonly isOperatorAmended?: boolean
  },
): Promise<Poll[]> {
  const now = new Date(o.nowMs)
  const leaseEnd = new Date(o.nowMs + leaseMs)
  const leaseId = randomUUID()
  const { rows } = await sql`
    with oldest as (
      select p.id, p.next_poll_at, coalesce(p.owner_id::text, p.credential_key) as payer
      from polls p left join platform_accounts a on a.id = p.account_id
      where p.next_poll_at <= ${now} and (p.lease_until is null or p.lease_until <= ${now})
        and (p.account_id is null or a.status = 'connected')
      order by p.next_poll_at limit ${lookedAtMax}
    ), due as (
      select id, next_poll_at, row_number() over (partition by payer order by next_poll_at, id) as place from oldest
    ), taken as (
      select id from polls
      where id in (select id from due order by (place - 1) / ${ofOneOwnerMax}, next_poll_at, id limit ${o.max})
        and next_poll_at <= ${now} and (lease_until is null or lease_until <= ${now})
      for update skip locked
    ), leased as (
      update polls p set lease_id = ${leaseId}, lease_until = ${leaseEnd} from taken where p.id = taken.id
      returning p.*
    )
    select p.id, p.lease_id as "leaseId", p.task, p.path, p.owner_id as "ownerId", p.account_id as "accountId",
      p.platform, p.creator_id as "creatorId", p.handle, p.chart, p.credential_key as "credentialKey",
      coalesce(a.credentials_kind, c.kind) as kind, a.platform_account_id as "viaId",
      coalesce(a.user_id, c.owner_id) as "payerId", a.scopes,
      case when c.id is null then p.account_id is null and p.platform = 'youtube' and ${o.isOperatorAmended ?? false}::boolean
        else c.amendment_accepted_at is not null end as "isAmended", p.stretch, p.cursor, p.pages,
      p.is_backfilled as "isBackfilled", p.newest_post_at as "newestPostAtMs", p.failures,
      p.error_class is not null as "hadError"
    from leased p left join platform_accounts a on a.id = p.account_id
      left join developer_credentials c on c.vault_id::text = p.credential_key
    order by p.next_poll_at`.execute(db.system)
  return z.array(PollSchema).parse(rows)
}

/** What a poll is given back with. What is left out stays. */
export interface PollOutcome {
  readonly nextPollAtMs: number
  readonly intervalMs?: number
  readonly lastPolledAtMs?: number
  /** Begins anew: the platform does not know the cursor any more. */
  readonly isCursorLost?: boolean
  readonly failures: number
  readonly error: { readonly class: string; readonly message: string } | null
}

/**
 * Gives polls back.
 * @returns the ids of those whose lease was still held; nothing was written of the others
 */
export async function finishPolls(
  trx: Transaction<Database>,
  ended: readonly { readonly poll: Poll; readonly outcome: PollOutcome }[],
): Promise<ReadonlySet<string>> {
  if (ended.length === 0) return new Set()
  const rows = ended.map(({ poll, outcome }) => ({
    id: poll.id,
    lease_id: poll.leaseId,
    next_poll_at: new Date(outcome.nextPollAtMs),
    failures: outcome.failures,
    error_class: outcome.error?.class ?? null,
    error_message: outcome.error?.message.slice(0, 500) ?? null,
    interval_ms: outcome.intervalMs === undefined ? null : Math.round(outcome.intervalMs),
    last_polled_at: outcome.lastPolledAtMs === undefined ? null : new Date(outcome.lastPolledAtMs),
    is_cursor_lost: outcome.isCursorLost ?? false,
  }))
  const written = await sql<{ id: string }>`
    update polls p set
      next_poll_at = t.next_poll_at, lease_id = null, lease_until = null,
      failures = t.failures, error_class = t.error_class, error_message = t.error_message,
      interval_ms = coalesce(t.interval_ms, p.interval_ms),
      last_polled_at = coalesce(t.last_polled_at, p.last_polled_at),
      cursor = case when not t.is_cursor_lost then p.cursor end,
      pages = case when t.is_cursor_lost then 0 else p.pages end
    from json_to_recordset(${JSON.stringify(rows)}::json) t (
      id uuid, lease_id uuid, next_poll_at timestamptz, failures integer, error_class text, error_message text,
      interval_ms bigint, last_polled_at timestamptz, is_cursor_lost boolean)
    where p.id = t.id and p.lease_id = t.lease_id
    returning p.id`.execute(trx)
  return new Set(written.rows.map(row => row.id))
}

/** Where a run is after a page whose rows are durable. */
export interface PageMark {
  /** Null at the end of the run. */
  readonly cursor: string | null
  readonly pages: number
  readonly isBackfilled: boolean
  readonly newestPostAtMs: number | null
}

/**
 * Marks how far lists were read, in the transaction of their posts, and prolongs the leases. Of several marks of a poll
 * the last one stays; null leaves it where it was.
 * @returns the ids of those whose lease is still held; nothing was written of the others
 */
export async function markPages(
  trx: Transaction<Database>,
  pages: readonly { readonly poll: Poll; readonly mark: PageMark | null }[],
  { nowMs }: { readonly nowMs: number },
): Promise<ReadonlySet<string>> {
  if (pages.length === 0) return new Set()
  const last = new Map<string, { poll: Poll; mark: PageMark | null }>()
  for (const { poll, mark } of pages) last.set(poll.id, { poll, mark: mark ?? last.get(poll.id)?.mark ?? null })
  const rows = [...last.values()].map(({ poll, mark }) => ({
    id: poll.id,
    lease_id: poll.leaseId,
    is_marked: mark !== null,
    cursor: mark?.cursor ?? null,
    pages: mark?.pages ?? 0,
    is_backfilled: mark?.isBackfilled ?? false,
    newest_post_at: mark === null || mark.newestPostAtMs === null ? null : new Date(mark.newestPostAtMs),
  }))
  const written = await sql<{ id: string }>`
    update polls p set
      cursor = case when t.is_marked then t.cursor else p.cursor end,
      pages = case when t.is_marked then t.pages else p.pages end,
      is_backfilled = case when t.is_marked then t.is_backfilled else p.is_backfilled end,
      newest_post_at = case when t.is_marked then t.newest_post_at else p.newest_post_at end,
      lease_until = ${new Date(nowMs + leaseMs)}
    from json_to_recordset(${JSON.stringify(rows)}::json) t (
      id uuid, lease_id uuid, is_marked boolean, cursor text, pages integer, is_backfilled boolean,
      newest_post_at timestamptz)
    where p.id = t.id and p.lease_id = t.lease_id
    returning p.id`.execute(trx)
  return new Set(written.rows.map(row => row.id))
}

const WishSchema = z.object({
  ownerKey: z.string(),
  credentialKey: z.string(),
  platform: PlatformSchema,
  task: z.enum(['account', 'posts', 'chart']),
  pollCount: z.number(),
  runsPerDay: z.number(),
  stretchMin: z.number(),
  stretchMax: z.number(),
})
/** Public polls of one kind that are read for one owner. */
export type PollsOfOwner = z.infer<typeof WishSchema>

/** Each public poll of what is planned, with the first user who monitors its creator; empty for charts. */
const withOwners = sql`
  polls p left join (
    select distinct on (platform, creator_id) platform, creator_id, owner_id::text as owner_key
    from monitored_creators order by platform, creator_id, created_at
  ) m on m.platform = p.platform and m.creator_id = p.creator_id`
const isPlanned = sql`p.path = 'public' and p.task in ('account', 'posts', 'chart')`

/** How often what is monitored, and charts, would be read as their paces ask for it. */
export async function readWishes(db: Db): Promise<PollsOfOwner[]> {
  const { rows } = await joiningAll(db, trx =>
    sql`
    select coalesce(m.owner_key, '') as "ownerKey", p.credential_key as "credentialKey", p.platform, p.task,
      count(*)::integer as "pollCount", sum(86400000.0::double precision / p.interval_ms) as "runsPerDay",
      min(p.stretch) as "stretchMin", max(p.stretch) as "stretchMax"
    from ${withOwners} where ${isPlanned}
    group by 1, 2, 3, 4`.execute(trx),
  )
  return z.array(WishSchema).parse(rows)
}

const StretchedSchema = z.object({
  id: z.uuid(),
  stretch: z.number(),
  wantedIntervalMs: z.coerce.number(),
  lastPolledAtMs: z
    .date()
    .transform(at => at.getTime())
    .nullable(),
})

/** The polls of these owners whose stretch is another by more than `stepPart`, with the new one; at most 100,000. */
export async function readStretched(
  db: Db,
  owners: readonly (PollsOfOwner & { readonly stretch: number })[],
  stepPart: number,
): Promise<StretchedPoll[]> {
  if (owners.length === 0) return []
  const { rows } = await joiningAll(db, trx =>
    sql`
    select p.id, t.stretch, p.interval_ms as "wantedIntervalMs", p.last_polled_at as "lastPolledAtMs"
    from ${withOwners} join unnest(
      ${owners.map(owner => owner.ownerKey)}::text[],
      ${owners.map(owner => owner.credentialKey)}::text[],
      ${owners.map(owner => owner.platform)}::text[],
      ${owners.map(owner => owner.task)}::text[],
      ${owners.map(owner => owner.stretch)}::double precision[]
    ) t (owner_key, credential_key, platform, task, stretch)
      on t.owner_key = coalesce(m.owner_key, '') and t.credential_key = p.credential_key and t.platform = p.platform
      and t.task = p.task
    where ${isPlanned} and abs(t.stretch / p.stretch - 1) > ${stepPart}
    limit 100000`.execute(trx),
  )
  return z.array(StretchedSchema).parse(rows)
}

/** Writes what was planned; rows that a worker holds keep their time until they come back. */
export async function writePlan(db: Db, times: readonly PlannedTime[]): Promise<void> {
  if (times.length === 0) return
  await sql`
    update polls p set next_poll_at = t.next_poll_at, stretch = t.stretch
    from unnest(
      ${times.map(time => time.id)}::uuid[],
      ${times.map(time => new Date(time.nextPollAtMs).toISOString())}::timestamptz[],
      ${times.map(time => time.stretch)}::double precision[]
    ) t (id, next_poll_at, stretch)
    where p.id = t.id and p.lease_id is null and p.failures = 0 and p.cursor is null`.execute(db.system)
}

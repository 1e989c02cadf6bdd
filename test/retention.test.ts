import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnalyticsContext } from '../analytics/context.ts'
import { creatorDescriptions, videoDescriptions } from '../analytics/measures/details.ts'
import { getCreator, listVods, searchCreators } from '../analytics/measures/library.ts'
import { trends } from '../analytics/measures/trends.ts'
import { compileNicheRules } from '../analytics/niches/rules.ts'
import { tagNiches } from '../analytics/niches/tag-niches.ts'
import { forgetVideos } from '../analytics/retention.ts'
import { settleRollups } from '../analytics/settle.ts'
import { CreatorIdSchema, type Platform } from '../contracts/ids.ts'
import { CreatorSearchParamsSchema, TrendsParamsSchema } from '../contracts/measures.ts'
import type { CreatorRecord, Item, Sample, VideoRecord } from '../contracts/samples.ts'
import { manualClock, systemClock } from '../core/clock.ts'
import type { World } from '../core/world.ts'
import { purgePosts } from '../ingest/platforms/retention.ts'
import { createWriter, type WriterDeps } from '../ingest/writer.ts'
import { PlatformError } from '../platforms/port.ts'
import type { ServerDeps } from '../server/deps.ts'
import { removeEndedNumbers, sweepOwnNumbers } from '../server/features/account/ended-numbers.ts'
import { withAccessToken } from '../server/features/links/access-token.ts'
import { tokenPlace } from '../server/features/links/account-tokens.ts'
import { unlinkAccount } from '../server/features/links/accounts.ts'
import type { Caller } from '../server/http/caller.ts'
import { type FilledAccount, fillAccount } from './fill-account.ts'
import { openServerRig, type ServerRig } from './server-rig.ts'

// What terms give a time to is gone when that time has come. The engine's own clock says so, so these rows are as old as they
// say by the real one.

const dayMs = 86_400_000
const nowMs = Date.now()
const daysAgo = (days: number) => nowMs - days * dayMs
const niches = compileNicheRules({ niches: [{ name: 'all', label: 'All', rules: [{ tags: ['x'] }] }] }, 'test')

let rig: ServerRig
let world: World
let ctx: AnalyticsContext
beforeAll(async () => {
  rig = await openServerRig()
  world = { database: 'cliptape', clock: systemClock }
  ctx = { store: rig.store, world, niches }
})
afterAll(() => rig.close())

const old = daysAgo(31)
const recent = daysAgo(29)

describe('what YouTube’s interface said', () => {
  beforeAll(async () => {
    await write(
      described('late', { source: 'youtube-api', observedAtMs: old, title: 'too late' }),
      described('kept', { source: 'youtube-api:amendment', observedAtMs: recent, title: 'in time' }),
      described('both', { source: 'youtube-api', observedAtMs: old, title: 'newest, and too late' }),
      described('both', { source: 'import:file', observedAtMs: daysAgo(900), title: 'imported' }),
      described('again', { source: 'youtube-api', observedAtMs: old, title: 'as it was' }),
      described('again', { source: 'youtube-api', observedAtMs: recent, title: 'as it is' }),
      named('late', { source: 'youtube-api:amendment', observedAtMs: old, name: 'Too late' }),
      named('both', { source: 'youtube-api', observedAtMs: old, name: 'Newest, and too late' }),
      named('both', { source: 'import:file', observedAtMs: daysAgo(900), name: 'Imported' }),
    )
    await write(
      ...['late', 'kept', 'both', 'again'].map(id =>
        read(id, { source: 'youtube-api:amendment', observedAtMs: daysAgo(1) }),
      ),
    )
  })

  it('of titles, names and topics is shown for 30 days and no longer, and what was imported stays', async () => {
    const titles = { kept: 'in time', both: 'imported', again: 'as it is' }
    const names = { both: 'Imported' }
    expect(await pairs('SELECT video_id, title FROM v.videos')).toEqual(titles)
    expect(await pairs('SELECT creator_id, name FROM v.creators')).toEqual(names)
    expect(await pairs('SELECT video_id, topic FROM v.topics')).toEqual({ kept: 'kept', both: 'both', again: 'again' })

    const refs = ['late', 'kept', 'both', 'again'].map(id => ({ platform: 'youtube', id }))
    const said = await videoDescriptions(ctx, refs)
    expect(Object.fromEntries([...said.values()].map(one => [one.video_id, one.title]))).toEqual(titles)
    const creators = await creatorDescriptions(ctx, refs)
    expect(Object.fromEntries([...creators.values()].map(one => [one.creator_id, one.name]))).toEqual(names)

    const list = await trends(ctx, TrendsParamsSchema.parse({ platform: 'youtube', sort: 'views' }))
    const shown = list.rows.map(row => [row.key.slice(8), row.title, row.creatorName])
    expect(shown.sort()).toEqual([
      ['again', 'as it is', null],
      ['both', 'imported', 'Imported'],
      ['kept', 'in time', null],
      ['late', '', null],
    ])
    const { rows: topics } = await trends(ctx, TrendsParamsSchema.parse({ type: 'topics', platform: 'youtube' }))
    expect(topics.map(row => row.key).sort()).toEqual(['again', 'both', 'kept'])
    expect((await searchCreators(ctx, CreatorSearchParamsSchema.parse({ search: 'late' }))).rows).toMatchObject([
      { creatorId: 'youtube:late', name: 'late' },
    ])
    expect((await getCreator(ctx, CreatorIdSchema.parse('youtube:both'))).name).toBe('Imported')
    expect((await listVods(ctx, CreatorIdSchema.parse('youtube:late'), { limit: 10 })).rows).toEqual([])
  })

  it('leaves the disk with the engine’s next merges, and so do one’s own numbers', async () => {
    const owner = { owner_id: rig.userId, platform: 'youtube', creator_id: 'mine', endpoint: '', definition_version: 1 }
    const mine = {
      ...owner,
      observed_at: '2026-01-01 00:00:00',
      source: 'own:youtube-api',
      expires_at: '2020-01-31 00:00:00',
    }
    await rig.store.insert('cliptape.own_samples_v1', [{ ...mine, video_id: 'a', views: 1 }])
    await rig.store.insert('cliptape.own_creator_samples_v1', [{ ...mine, views: 1 }])
    for (const table of ['videos_v1', 'creators_v1', 'video_topics_v1', 'own_samples_v1', 'own_creator_samples_v1']) {
      await rig.store.command(`OPTIMIZE TABLE cliptape.${table} FINAL`)
      const [row] = await rig.store.query(`SELECT countIf(expires_at <= now()) AS expired FROM cliptape.${table}`)
      expect([table, row]).toEqual([table, { expired: 0 }])
    }
    expect(await pairs('SELECT source, title FROM cliptape.videos_v1')).toMatchObject({ 'import:file': 'imported' })
  })

  it('leaves neither niches without a description, nor dates and creators without any reading', async () => {
    await tagNiches(rig.store, world, niches)
    const at = { tagged_at: '2026-01-01 00:00:00', is_match: 1, rules_hash: niches.hash, niche: 'all', rule: 'tag "x"' }
    await rig.store.insert('cliptape.video_niches_v1', [{ ...at, platform: 'youtube', video_id: 'late' }])
    await write(
      described('gone', { source: 'youtube-api', observedAtMs: old, title: 'gone' }),
      read('gone', { source: 'youtube-api', observedAtMs: old }),
    )
    expect(await forgetVideos(ctx)).toEqual({ videos: 2 })
    expect(await pairs('SELECT video_id, niche FROM cliptape.video_niches_v1')).toEqual({
      kept: 'all',
      both: 'all',
      again: 'all',
    })
    for (const table of ['creator_videos_v1', 'vods_v1']) {
      const rows = await rig.store.query<{ id: string }>(
        `SELECT DISTINCT video_id AS id FROM cliptape.${table} ORDER BY id`,
      )
      expect(rows.map(row => row.id)).toEqual(['again', 'both', 'kept', 'late'])
    }
    expect(await rig.store.query('SELECT uniqExact(video_key) AS count FROM cliptape.published_v1')).toEqual([
      { count: 4 },
    ])
    expect(await forgetVideos(ctx)).toEqual({ videos: 0 })
  })
})

describe('what was read of an account of one’s own', () => {
  let deps: ServerDeps
  let clock: ReturnType<typeof manualClock>
  beforeAll(async () => {
    clock = manualClock(nowMs)
    deps = { ...(await rig.deps()), clock }
  })
  afterAll(() => deps.usage.close())

  it('goes from both stores when it is unlinked, and nothing of another account does', async () => {
    const staying = await fillAccount(rig, 'unlinks-nothing@example.com')
    const leaving = await fillAccount(rig, 'unlinks@example.com')
    const second = await linkAccount(leaving, 'tiktok', 'second')
    const before = await rowsOf(staying)
    const told = await endings(() =>
      unlinkAccount(deps, callerOf(leaving), { platform: 'youtube', accountId: leaving.ids.account }),
    )
    expect(told).toEqual([leaving.userId])
    await removeEndedNumbers(deps, leaving.userId)
    expect(await rowsOf(leaving)).toEqual({ [second]: { polls: 1, polled_posts: 1 }, second: ownTables })
    expect(await rowsOf(staying)).toEqual(before)
    expect(await sweepOwnNumbers(deps)).toEqual({ owners: 0 })
  })

  it('goes at once when the platform says that the grant was taken back', async () => {
    const user = await fillAccount(rig, 'revokes@example.com')
    const taken = await linkAccount(user, 'instagram', 'taken-back')
    const changed = await linkAccount(user, 'instagram', 'password-changed')
    const tiktok = await linkAccount(user, 'tiktok', 'refused')
    const refuse = (accountId: string, platform: Platform, code: string) =>
      endings(() =>
        withAccessToken(deps, accountId, async () => {
          throw new PlatformError({ platform, class: 'grant', code, message: 'The platform says no.' })
        }).catch(() => undefined),
      )
    expect(await refuse(taken, 'instagram', '190/458')).toEqual([user.userId])
    expect(await refuse(tiktok, 'tiktok', 'invalid_grant')).toEqual([user.userId])
    expect(await refuse(changed, 'instagram', '190/460')).toEqual([])
    await removeEndedNumbers(deps, user.userId)
    const left = await rowsOf(user)
    expect(Object.keys(left).sort()).toEqual([user.ids.account, changed, user.mark, 'password-changed'].sort())
    clock.advance(30 * dayMs)
    expect(await sweepOwnNumbers(deps)).toEqual({ owners: 1 })
    expect(Object.keys(await rowsOf(user)).sort()).toEqual([user.ids.account, user.mark].sort())
  })

  it('goes with the next sweep when it was written after the end', async () => {
    const user = await fillAccount(rig, 'late-page@example.com')
    const account = await linkAccount(user, 'tiktok', 'late')
    await rig.db.system.deleteFrom('platform_accounts').where('id', '=', account).execute()
    expect(await sweepOwnNumbers(deps)).toEqual({ owners: 1 })
    expect(Object.keys(await rowsOf(user)).sort()).toEqual([user.ids.account, user.mark].sort())
  })

  it('of posts, and of counters that can be none, is forgotten in time', async () => {
    const user = await fillAccount(rig, 'old-posts@example.com')
    const account = await linkAccount(user, 'tiktok', 'posts')
    const expire = (id: string, at: Date) =>
      rig.db.system.updateTable('polled_posts').set({ expires_at: at }).where('account_id', '=', id).execute()
    await expire(user.ids.account, new Date(clock.nowMs()))
    await expire(account, new Date(clock.nowMs() + 1))
    const letters = () => rig.db.executeSql(`select format from dead_letters where owner_id = '${user.userId}'`)
    const age = (format: string) =>
      rig.db.executeSql(
        `update dead_letters set format = '${format}', created_at = '2020-01-01' where owner_id = '${user.userId}'`,
      )
    await age('generic-csv')
    expect(await purgePosts(deps)).toEqual({ posts: 1 })
    expect((await letters()).rows).toHaveLength(1)
    await age('platform')
    expect(await purgePosts(deps)).toEqual({ posts: 0 })
    expect((await letters()).rows).toEqual([])
    expect(await rowsOf(user)).toMatchObject({
      [user.ids.account]: { polls: 1 },
      [account]: { polls: 1, polled_posts: 1 },
    })
  })

  /** Whose numbers were said to have ended while something was done. */
  async function endings(work: () => Promise<unknown>): Promise<string[]> {
    const told: string[] = []
    const done = Promise.withResolvers<void>()
    const stop = await rig.bus.subscribe('numbers.ended', ({ userId }) => {
      if (userId === 'the last') done.resolve()
      else told.push(userId)
    })
    await work()
    await rig.bus.publish('numbers.ended', { userId: 'the last' })
    await done.promise
    await stop()
    return told
  }

  function callerOf({ userId, ids }: FilledAccount): Caller {
    const principal = { userId, scheme: 'jwt', role: 'user', scopes: 'all', credentialId: ids.session } as const
    return { principal, requestId: 'r-1', address: '192.0.2.7' }
  }

  /** Another account of the user's, with a row of everything that is read of one. @returns its id */
  async function linkAccount({ userId }: FilledAccount, platform: Platform, creatorId: string): Promise<string> {
    const accountId = await deps.db.transaction(async trx => {
      const token = await deps.vault.put(trx, tokenPlace({ userId, platform }, 'access_token'), `token of ${creatorId}`)
      const { id } = await trx
        .insertInto('platform_accounts')
        .values({
          user_id: userId,
          platform_name: platform,
          platform_account_id: creatorId,
          credentials_kind: platform === 'tiktok' ? 'tiktok_web' : 'instagram_login',
          developer_credentials_vault_id: null,
          access_token_vault_id: token,
          refresh_token_vault_id: null,
          scopes: [],
          reason: null,
          token_expires_at: null,
          refresh_expires_at: null,
          refresh_lease_id: null,
          refresh_lease_until: null,
          refresh_not_before: null,
          last_validated_at: null,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      const read = { owner_id: userId, account_id: id, platform, creator_id: creatorId, credential_key: 'test' }
      await trx
        .insertInto('polls')
        .values({ ...read, task: 'posts', path: 'own', next_poll_at: new Date(nowMs) })
        .execute()
      await trx
        .insertInto('polled_posts')
        .values({ ...read, scope: id, video_id: creatorId })
        .execute()
      return id
    })
    const row = { owner_id: userId, platform, creator_id: creatorId, source: `own:${platform}-api`, endpoint: '' }
    const reading = { ...row, observed_at: '2026-01-01 00:00:00', definition_version: 1 }
    await rig.store.insert('cliptape.own_samples_v1', [{ ...reading, video_id: 'v', views: 1 }])
    await rig.store.insert('cliptape.own_creator_samples_v1', [{ ...reading, followers: 1 }])
    await rig.store.insert('cliptape.own_days_v1', [{ ...row, observed_at: '2026-01-01 00:00:00', day: '2026-01-01' }])
    return accountId
  }

  const ownTables = { own_samples_v1: 1, own_creator_samples_v1: 1, own_days_v1: 1 }

  /** Rows by the account that they are of: its id in the relational store, the platform's in the other one. */
  async function rowsOf({ userId }: FilledAccount): Promise<Record<string, Record<string, number>>> {
    const found: Record<string, Record<string, number>> = {}
    const note = (account: string, table: string, count: number) => {
      found[account] = { ...found[account], [table]: Number(count) }
    }
    for (const table of ['polls', 'polled_posts'] as const) {
      const { rows } = await rig.db.executeSql(
        `select account_id, count(*)::int as n from ${table} where owner_id = '${userId}' group by account_id`,
      )
      for (const row of rows) note(String(row.account_id), table, Number(row.n))
    }
    for (const table of Object.keys(ownTables)) {
      const rows = await rig.store.query<{ id: string; n: number }>(
        `SELECT creator_id AS id, count() AS n FROM cliptape.${table} WHERE owner_id = '${userId}' GROUP BY id`,
      )
      for (const row of rows) note(row.id, table, row.n)
    }
    return found
  }
})

async function write(...items: Item[]): Promise<void> {
  const settle: WriterDeps['settle'] = touched => settleRollups(rig.store, world, touched)
  const writer = createWriter({ store: rig.store, bus: rig.bus, world, settle, log: rig.log, clock: systemClock })
  await writer.write(items)
  await writer.close()
}

/** Two columns as names and values. */
async function pairs(sql: string): Promise<Record<string, string>> {
  const rows = await rig.store.query<Record<string, string>>(sql)
  return Object.fromEntries(rows.map(row => Object.values(row)))
}

function described(videoId: string, row: Pick<VideoRecord, 'source' | 'observedAtMs' | 'title'>): Item {
  const texts = { url: '', thumbnailUrl: '', category: '', tags: ['x'], regions: [], topics: [videoId] }
  const times = { publishedAtMs: daysAgo(1_000), endedAtMs: null, durationSeconds: null }
  return {
    kind: 'video',
    row: { platform: 'youtube', videoId, creatorId: videoId, kind: 'clip', ...texts, ...times, ...row },
  }
}

function named(creatorId: string, row: Pick<CreatorRecord, 'source' | 'observedAtMs' | 'name'>): Item {
  return { kind: 'creator', row: { platform: 'youtube', creatorId, handle: '', ...row } }
}

function read(videoId: string, row: Pick<Sample, 'source' | 'observedAtMs'>): Item {
  const counters = { views: 10, likes: null, comments: null, shares: null, saves: null }
  const origin = { endpoint: '', definitionVersion: 1, expiresAtMs: null }
  return { kind: 'sample', row: { platform: 'youtube', videoId, creatorId: videoId, ...counters, ...origin, ...row } }
}

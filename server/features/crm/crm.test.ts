import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AccountDaysSchema, BestTimeSchema, CrmPostSchema, PerformanceSchema } from '../../../contracts/crm.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { openServerRig, rigNow, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'

const hourMs = 3_600_000
const PostsAnswer = z.strictObject({
  data: z.array(CrmPostSchema),
  asOf: z.iso.datetime(),
  nextCursor: z.string().optional(),
  rankedAmong: z.number().optional(),
})
const DaysAnswer = z.strictObject({ data: z.array(AccountDaysSchema.strict()) })

let rig: ServerRig
let server: RunningServer
let mine: string
let theirs: string
beforeAll(async () => {
  rig = await openServerRig()
  const stranger = await rig.db.system
    .insertInto('users')
    .values({ email: 'crm-stranger@example.com', role: 'user', is_local: false })
    .returning('id')
    .executeTakeFirstOrThrow()
  mine = await fill(rig.userId, 100)
  theirs = await fill(UserIdSchema.parse(stranger.id), 100_000)
  server = await startServer(await rig.deps(), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

describe('own accounts over HTTP', () => {
  it('show their numbers with changes, and the permission that some of them need', async () => {
    const found = PerformanceSchema.strict().parse(await (await ask('/performance?period=24h')).json())
    expect(found.accounts.map(one => [one.account.id, one.account.platformAccountId])).toEqual([[mine, 'open-id']])
    const { views, likes, shares, followers } = found.total.kpis
    expect([views.value, views.change, likes.value, likes.state]).toEqual([100, 0, null, 'not_provided'])
    expect([followers.state, shares.state]).toEqual(['needs_scope', 'not_provided'])
    expect([found.asOf, found.from]).toEqual([rigNow.toISOString(), '2026-01-30T12:00:00.000Z'])
    const one = PerformanceSchema.parse(await (await ask(`/performance?period=24h&accountId=${mine}`)).json())
    expect(one).toEqual(found)
  })

  it('list their posts page by page with what their owner alone is told of them', async () => {
    const first = PostsAnswer.parse(await (await ask('/posts?sort=newest&limit=1')).json())
    expect(first.data).toMatchObject([
      { videoId: 'tiktok:p2', accountId: mine, title: 'p2 of 100', views: null, missing: { views: 'not_provided' } },
    ])
    const rest = PostsAnswer.parse(await (await ask(`/posts?sort=newest&cursor=${first.nextCursor}`)).json())
    expect(rest.data).toMatchObject([{ videoId: 'tiktok:p1', views: 300, publishedAt: '2026-01-28T12:00:00.000Z' }])
    expect(rest.nextCursor).toBeUndefined()
    expect(rest.data[0]?.ages.slice(1, 3)).toEqual([
      { age: 'V1', views: 100, state: 'value' },
      { age: 'V3', views: 300, state: 'value' },
    ])
  })

  it('list recordings of streams alone, with how long they are', async () => {
    await rig.db.system
      .updateTable('polled_posts')
      .set({ kind: 'vod', duration_seconds: 3600 })
      .where('account_id', '=', mine)
      .where('video_id', '=', 'p1')
      .execute()
    const { data } = PostsAnswer.parse(await (await ask('/posts?kind=vod')).json())
    expect(data).toMatchObject([{ videoId: 'tiktok:p1', kind: 'vod', durationSeconds: 3600 }])
    expect(data[0]?.missing.durationSeconds).toBeUndefined()
    expect(PostsAnswer.parse(await (await ask('/posts?kind=stream')).json()).data).toEqual([])
    await rig.db.system.updateTable('polled_posts').set({ kind: 'clip' }).where('account_id', '=', mine).execute()
  })

  it('say when posts did well, on the clock that is asked for', async () => {
    const times = BestTimeSchema.strict().parse(await (await ask('/best-time?timezone=Asia/Tokyo')).json())
    expect(times.cells.filter(cell => cell.posts > 0)).toEqual([
      { weekday: 3, hour: 21, posts: 1, views: 100, multiple: 1 },
    ])
    const refused = await ask('/best-time?timezone=Mars/Olympus')
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('time zone')])
  })

  it('have the days that their platform counted, or say what it would take', async () => {
    const day = (owner_id: string, date: string, shares: number) => ({
      owner_id,
      platform: 'youtube',
      creator_id: 'UCdays',
      day: date,
      shares,
      followers_gained: 9,
      observed_at: '2026-01-31 00:00:00',
      source: 'own:youtube-api',
      endpoint: 'reports.query',
    })
    await rig.store.insert('cliptape.own_days_v1', [
      day(rig.userId, '2025-12-24', 1),
      day(rig.userId, '2026-01-27', 7),
      day(rig.userId, '2026-01-28', 8),
    ])
    const linked = async (channel: string, scopes: string[]) => {
      const { id } = await rig.db.system
        .insertInto('platform_accounts')
        .values({
          user_id: rig.userId,
          platform_name: 'youtube',
          platform_account_id: channel,
          credentials_kind: 'google',
          scopes,
        })
        .returning('id')
        .executeTakeFirstOrThrow()
      return id
    }
    const scope = 'https://www.googleapis.com/auth/'
    const whole = await linked('UCdays', [`${scope}youtube.readonly`, `${scope}yt-analytics.readonly`])
    const narrow = await linked('UCnarrow', [`${scope}youtube.readonly`])
    const { data } = DaysAnswer.parse(await (await ask('/days?days=14')).json())
    const byId = new Map(data.map(one => [one.account.id, one]))
    expect(byId.get(whole)?.state).toBe('value')
    expect(byId.get(whole)?.days.map(one => [one.day, one.shares, one.followersGained, one.views])).toEqual([
      ['2026-01-27', 7, 9, null],
      ['2026-01-28', 8, 9, null],
    ])
    expect([byId.get(narrow)?.state, byId.get(mine)?.state]).toEqual(['needs_scope', 'not_provided'])
    expect((await ask('/days?days=0')).status).toBe(400)
    await rig.db.system.deleteFrom('platform_accounts').where('id', 'in', [whole, narrow]).execute()
  })

  it('are nobody else’s: another’s account is not there', async () => {
    for (const path of ['/performance', '/posts', '/best-time', '/days']) {
      expect((await ask(`${path}?accountId=${theirs}`)).status).toBe(404)
      expect(await (await ask(path)).text()).not.toContain('100000')
    }
    expect((await fetch(`${server.url}/api/crm/posts`)).status).toBe(401)
  })

  it('leave out posts that must be gone, though nobody has removed them yet', async () => {
    const expireAt = (at: Date | null) =>
      rig.db.system.updateTable('polled_posts').set({ expires_at: at }).where('video_id', '=', 'p2').execute()
    await expireAt(rigNow)
    const { data } = PostsAnswer.parse(await (await ask('/posts')).json())
    expect(data.map(post => post.videoId)).toEqual(['tiktok:p1'])
    await expireAt(null)
  })

  it('of YouTube have measures once the terms for them are accepted', async () => {
    const id = await linkYoutube(rig.userId)
    const about = `accountId=${id}`
    const read = async () => {
      const { total } = PerformanceSchema.strict().parse(await (await ask(`/performance?period=24h&${about}`)).json())
      const times = BestTimeSchema.parse(await (await ask(`/best-time?${about}`)).json())
      const { value, state, counter } = total.kpis.views
      return [value, state, counter, times.state]
    }
    expect(await read()).toEqual([null, 'needs_amendment', 900, 'needs_amendment'])
    const all = PerformanceSchema.parse(await (await ask('/performance?period=24h')).json())
    expect(all.total.kpis.views.value).toBe(100)
    expect(all.accounts.map(one => one.kpis.views.state).sort()).toEqual(['needs_amendment', 'value'])
    await rig.db.system.updateTable('developer_credentials').set({ amendment_accepted_at: rigNow }).execute()
    expect(await read()).toEqual([200, 'value', undefined, 'value'])
    await rig.db.system.deleteFrom('platform_accounts').where('id', '=', id).execute()
  })

  it('are gone from the list when they are unlinked, and still there by their id', async () => {
    await rig.db.system
      .updateTable('platform_accounts')
      .set({ status: 'disconnected' })
      .where('id', '=', mine)
      .execute()
    const all = PerformanceSchema.parse(await (await ask('/performance')).json())
    expect([all.accounts, all.total.kpis.views.state]).toEqual([[], 'not_provided'])
    const one = PostsAnswer.parse(await (await ask(`/posts?accountId=${mine}`)).json())
    expect(one.data).toHaveLength(2)
  })
})

function ask(path: string): Promise<Response> {
  return fetch(`${server.url}/api/crm${path}`, { headers: { authorization: `Bearer ${rigToken}` } })
}

/** A channel with its credentials, whose own counter was read twice. */
async function linkYoutube(userId: UserId): Promise<string> {
  const { db } = rig
  const { id: vaultId } = await db.system
    .insertInto('vault_secrets')
    .values({ owner_id: userId, purpose: 'developer_credentials', external_id: '00000000-0000-4000-8000-000000000001' })
    .returning('id')
    .executeTakeFirstOrThrow()
  const app = { owner_id: userId, platform: 'youtube' as const, kind: 'google', client_id: 'mine', vault_id: vaultId }
  const tried = { reason: null, next_validation_at: null, last_validated_at: null }
  await db.system
    .insertInto('developer_credentials')
    .values({ ...app, ...tried })
    .execute()
  const { id } = await db.system
    .insertInto('platform_accounts')
    .values({
      user_id: userId,
      platform_name: 'youtube',
      platform_account_id: 'UCmine',
      credentials_kind: 'google',
      developer_credentials_vault_id: vaultId,
      access_token_vault_id: null,
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
  const reading = {
    owner_id: userId,
    platform: 'youtube',
    creator_id: 'UCmine',
    source: 'own:youtube-api',
    endpoint: '',
  }
  await rig.store.insert(
    'cliptape.own_creator_samples_v1',
    [24, 0].map(hoursAgo => ({
      ...reading,
      observed_at: new Date(rigNow.getTime() - hoursAgo * hourMs).toISOString().replace('T', ' ').replace('Z', ''),
      views: hoursAgo === 0 ? 900 : 700,
      definition_version: 1,
    })),
  )
  return id
}

/** An account with two posts, of which one was read three times; the same ids for whoever asks. */
async function fill(userId: UserId, step: number): Promise<string> {
  const { id } = await rig.db.system
    .insertInto('platform_accounts')
    .values({
      user_id: userId,
      platform_name: 'tiktok',
      platform_account_id: 'open-id',
      credentials_kind: 'tiktok_desktop',
      developer_credentials_vault_id: null,
      access_token_vault_id: null,
      refresh_token_vault_id: null,
      scopes: ['user.info.basic', 'user.info.profile', 'video.list'],
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
  const post = (videoId: string, publishedAt: string) => ({
    scope: id,
    platform: 'tiktok' as const,
    video_id: videoId,
    creator_id: 'open-id',
    owner_id: userId,
    account_id: id,
    credential_key: 'test',
    title: `${videoId} of ${step}`,
    published_at: publishedAt,
    ended_at: null,
    duration_seconds: null,
    next_poll_at: null,
    last_read_at: null,
    gone_at: null,
  })
  await rig.db.system
    .insertInto('polled_posts')
    .values([post('p1', '2026-01-28T12:00:00Z'), post('p2', '2026-01-31T00:00:00Z')])
    .execute()
  await rig.store.insert(
    'cliptape.own_samples_v1',
    [48, 24, 0].map((hoursAgo, index) => ({
      owner_id: userId,
      platform: 'tiktok',
      video_id: 'p1',
      creator_id: 'open-id',
      observed_at: new Date(rigNow.getTime() - hoursAgo * hourMs).toISOString().replace('T', ' ').replace('Z', ''),
      views: (index + 1) * step,
      source: 'own:tiktok-api',
      endpoint: '',
      definition_version: 1,
    })),
  )
  return id
}

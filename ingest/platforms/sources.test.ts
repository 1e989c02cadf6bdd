import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { analyticsScope } from '../../platforms/youtube/auth.ts'
import { findCreator } from './find-creator.ts'
import { openPollRig, type PollRig } from './poll-rig.ts'

const hourMs = 3_600_000
let rig: PollRig
beforeAll(async () => {
  rig = await openPollRig({ creatorCount: 60, operatorKey: true })
})
afterAll(() => rig.close())
beforeEach(() => rig.reset())

async function chartPolls() {
  const rows = await rig.deps.db.system
    .selectFrom('polls')
    .select(['chart', 'error_class', 'credential_key', 'account_id'])
    .where('task', '=', 'chart')
    .orderBy('chart')
    .execute()
  return rows
}

describe('charts', () => {
  it('are read every hour into the public tables, with the country and the names of creators', async () => {
    await rig.plan(['DE'])
    await rig.read()
    const [seen] = await rig.ask<{ count: number; days: number; regions: string[]; named: number }>(
      `SELECT uniqExact(s.video_id) AS count, any(dateDiff('day', s.observed_at, s.expires_at)) AS days,
         arraySort(groupUniqArrayArray(v.regions)) AS regions,
         uniqExactIf(s.video_id, s.creator_id IN (SELECT creator_id FROM cliptape.creators_v1 WHERE name != '')) AS named
       FROM cliptape.samples_v1 AS s INNER JOIN cliptape.videos_v1 AS v ON v.video_id = s.video_id
       WHERE s.source = 'youtube-api'`,
    )
    expect(seen).toMatchObject({ days: 30, regions: ['DE'], named: seen?.count })
    expect(seen?.count).toBeGreaterThan(50)
    const pages = rig.asked('youtube.videos.list')
    expect(pages).toBe(Math.min(4, Math.ceil((seen?.count ?? 0) / 50)))
    const [units] = await rig.deps.budget.states(null)
    expect(units).toMatchObject({ bucket: 'youtube:units', used: pages })
    rig.test.clock.advance(1.2 * hourMs)
    await rig.read()
    const [again] = await rig.ask<{ count: number }>(
      `SELECT count() AS count FROM (
         SELECT video_id FROM cliptape.samples_v1 GROUP BY video_id HAVING uniqExact(observed_at) = 2)`,
    )
    expect(again?.count).toBeGreaterThan(50)
  })

  it('are one for each category where all are wanted, and those that are wanted no longer go', async () => {
    await rig.plan(['GB/*'])
    await rig.read()
    const charts = (await chartPolls()).map(poll => poll.chart)
    expect(charts).toContain('GB/*')
    expect(charts).toContain('GB/20')
    expect(rig.asked('youtube.videoCategories.list')).toBe(1)
    // Planning again makes nothing of it go.
    await rig.plan(['GB/*'])
    expect((await chartPolls()).map(poll => poll.chart)).toEqual(charts)
    const [gaming] = await rig.ask<{ categories: string[] }>(
      `SELECT arraySort(groupUniqArray(category)) AS categories FROM cliptape.videos_v1 WHERE has(regions, 'GB')`,
    )
    expect(gaming?.categories).toContain('Gaming')
    await rig.plan(['GB/20', 'JP'])
    expect((await chartPolls()).map(poll => poll.chart)).toEqual(['GB/20', 'JP'])
  })

  it('that are not there are asked for again after a day, and leave the others alone', async () => {
    await rig.plan(['US', 'ZZ'])
    await rig.read()
    expect(await chartPolls()).toMatchObject([
      { chart: 'US', error_class: null },
      { chart: 'ZZ', error_class: 'bad_request' },
    ])
    const asked = rig.asked('youtube.videos.list')
    rig.test.clock.advance(30 * 60_000)
    await rig.read()
    expect(rig.asked('youtube.videos.list')).toBe(asked)
  })

  it('are paid for by the owner of the installation where the operator has no key, and by no other user', async () => {
    const stranger = await rig.deps.db.system
      .insertInto('users')
      .values({ email: 'charts@example.com', role: 'user', is_local: false })
      .returning('id')
      .executeTakeFirstOrThrow()
    await rig.link('google', { index: 1, ownerId: stranger.id })
    await rig.plan(['US'], [])
    expect(await chartPolls()).toEqual([])
    const own = await rig.link('google', { index: 2 })
    await rig.plan(['US'], [])
    expect(await chartPolls()).toMatchObject([{ account_id: own.id, credential_key: own.vaultId }])
    await rig.plan(['US'], ['youtube'])
    expect(await chartPolls()).toMatchObject([{ account_id: null, credential_key: 'operator:youtube' }])
  })
})

describe('days of own accounts', () => {
  it('are read from Analytics into their owner’s table alone, and read again until they have settled', async () => {
    const { platformAccountId } = await rig.link('google', { index: 2 })
    await rig.plan()
    await rig.deps.db.executeSql(`delete from polls where task <> 'daily'`)
    rig.test.clock.advance(123)
    await rig.read()
    const days = () =>
      rig.ask<{ owner: string; first: string; last: string; count: number; shares: number; watched: number }>(
        `SELECT toString(any(owner_id)) AS owner, toString(min(day)) AS first, toString(max(day)) AS last,
           count() AS count, toFloat64(sum(shares)) AS shares, toFloat64(sum(watch_minutes)) AS watched
         FROM cliptape.own_days_v1 FINAL WHERE creator_id = '${platformAccountId}'`,
      )
    const [first] = await days()
    // Saturday the 21st, 8 o'clock in California: the 18th has been over for two days.
    expect(first).toMatchObject({ owner: rig.rig.deps.ownerId, last: '2037-11-18' })
    expect(first?.count).toBeGreaterThan(300)
    expect([Number(first?.shares) > 0, Number(first?.watched) > 0]).toEqual([true, true])
    expect(rig.asked('youtubeAnalytics.reports.query')).toBe(2)
    rig.test.clock.advance(26 * hourMs)
    await rig.read()
    const [second] = await days()
    expect([second?.last, Number(second?.count)]).toEqual(['2037-11-19', Number(first?.count) + 1])
    // One of them with a token that had ended by then.
    expect(rig.asked('youtubeAnalytics.reports.query')).toBe(5)
    expect(rig.problems).toEqual([])
  })

  it('are nothing where Analytics has no rows', async () => {
    await rig.link('google', { index: 2 })
    await rig.plan()
    await rig.deps.db.executeSql(`delete from polls where task <> 'daily'`)
    const endpoint = 'youtubeAnalytics.reports.query'
    rig.test.sandbox.controls.addFault({ endpoint, fault: { kind: 'empty' }, times: 2 })
    await rig.read()
    const rows = await rig.deps.db.system.selectFrom('polls').selectAll().execute()
    expect(rows).toMatchObject([{ task: 'daily', error_class: null, is_backfilled: true, cursor: null }])
  })

  it('are not asked for without their scope, and no failure of the account', async () => {
    await rig.link('google', { index: 3, scopes: ['https://www.googleapis.com/auth/youtube.readonly'] })
    await rig.plan()
    const tasks = await rig.deps.db.system.selectFrom('polls').select('task').where('task', '=', 'daily').execute()
    expect(tasks).toEqual([])
    await rig.deps.db.executeSql(`update platform_accounts set scopes = scopes || '{${analyticsScope}}'`)
    await rig.plan()
    await rig.deps.db.executeSql(`delete from polls where task <> 'daily'`)
    await rig.read()
    // What the platform itself says of it, the account is told.
    expect(rig.problems.map(([, problem]) => problem)).toEqual(['permission'])
  })
})

describe('streams and their recordings', () => {
  /** A stream of one of these creators that begins after the first instant of the tests. */
  function streamOf(...places: readonly number[]) {
    const { world } = rig.test.sandbox.controls
    const nowMs = rig.test.clock.nowMs()
    const streams = places.flatMap(place => {
      const creator = world.creatorAt('youtube', place)
      const posts = creator ? [...world.posts(creator, nowMs + 20 * 24 * hourMs)] : []
      return posts.filter(post => post.kind === 'stream' && post.publishedAtMs > nowMs && post.deletedAtMs === null)
    })
    const stream = streams.sort((a, b) => a.publishedAtMs - b.publishedAtMs)[0]
    if (!stream?.endsAtMs) throw new Error('Nobody streams.')
    return { ...stream, endsAtMs: stream.endsAtMs }
  }

  it('of who is monitored are in the index while they are on, and as a recording with its length afterwards', async () => {
    const stream = streamOf(...Array.from({ length: 20 }, (_, place) => 20 + place))
    rig.test.clock.set(stream.publishedAtMs + 20 * 60_000)
    await rig.deps.db.system
      .insertInto('monitored_creators')
      .values({ owner_id: rig.rig.deps.ownerId, platform: 'youtube', creator_id: stream.creator.id })
      .execute()
    await rig.plan()
    await rig.read()
    const indexed = () =>
      rig.ask<object>(
        `SELECT toString(argMax(kind, observed_at)) AS kind, argMax(title, observed_at) AS title,
           toUnixTimestamp64Milli(assumeNotNull(max(published_at))) AS published, toFloat64(max(duration_seconds)) AS seconds,
           max(thumbnail_url) != '' AS has_picture, toUnixTimestamp64Milli(max(ended_at)) AS ended
         FROM cliptape.videos_v1 WHERE video_id = '${stream.id}'`,
      )
    const { title, publishedAtMs: published } = stream
    const seen = { title, published, has_picture: 1 }
    expect(await indexed()).toEqual([{ ...seen, kind: 'stream', seconds: null, ended: null }])
    rig.test.clock.set(stream.endsAtMs + hourMs)
    await rig.read()
    expect(await indexed()).toEqual([
      { ...seen, kind: 'vod', seconds: stream.durationSeconds, ended: Math.floor(stream.endsAtMs / 1000) * 1000 },
    ])
  })

  it('of one’s own are known from the broadcasts, to their owner alone', async () => {
    const stream = streamOf(0, 2)
    rig.test.clock.set(stream.publishedAtMs + 20 * 60_000)
    await rig.link('google', { index: stream.creator.index })
    await rig.plan()
    await rig.deps.db.executeSql(`delete from polls where task <> 'broadcasts'`)
    const known = () =>
      rig.deps.db.asUser(rig.rig.deps.ownerId, trx =>
        trx
          .selectFrom('polled_posts')
          .select(['kind', 'title', 'duration_seconds', 'published_at'])
          .where('video_id', '=', stream.id)
          .execute(),
      )
    await rig.read()
    const seen = { title: stream.title, published_at: new Date(stream.publishedAtMs) }
    expect(await known()).toEqual([{ ...seen, kind: 'stream', duration_seconds: null }])
    rig.test.clock.set(stream.endsAtMs + hourMs)
    await rig.read()
    const [{ duration_seconds: seconds, ...rest } = {}] = await known()
    expect(rest).toEqual({ ...seen, kind: 'vod' })
    expect(seconds).toBeCloseTo(stream.durationSeconds, -1)
    expect(await rig.ask(`SELECT 1 FROM cliptape.videos_v1 WHERE video_id = '${stream.id}'`)).toEqual([])
  })
})

describe('looking for a creator', () => {
  const look = (
    platform: 'youtube' | 'tiktok' | 'instagram',
    ref: { by: 'id' | 'handle' | 'username'; value: string },
    isKeyed = false,
  ) =>
    findCreator(
      { ...rig.deps, operator: { platforms: isKeyed ? ['youtube'] : [] }, isOperatorAmended: false },
      { ownerId: rig.rig.deps.ownerId, platform, ref },
    )
  const creatorAt = (platform: 'youtube' | 'instagram', index: number) => {
    const creator = rig.test.sandbox.controls.world.creatorAt(platform, index)
    if (!creator) throw new Error('The world is smaller.')
    return creator
  }

  it('finds a channel by its handle with the operator’s key, and keeps what it is called', async () => {
    const { id, handle, name } = creatorAt('youtube', 21)
    expect(await look('youtube', { by: 'handle', value: handle }, true)).toEqual({ found: { creatorId: id, handle } })
    expect(await rig.ask(`SELECT DISTINCT name FROM cliptape.creators_v1 WHERE creator_id = '${id}'`)).toEqual([
      { name },
    ])
    expect(await look('youtube', { by: 'handle', value: 'nobody-at-all' }, true)).toEqual({
      found: null,
      isUnknown: true,
      reason: 'YouTube has nobody by that name.',
    })
    expect(await rig.deps.budget.states(null)).toMatchObject([{ bucket: 'youtube:units', used: 2 }])
  })

  it('takes the user’s own credentials where there is no other key: an API key, or an account', async () => {
    const { id, handle } = creatorAt('youtube', 22)
    const ref = { by: 'handle', value: handle } as const
    expect(await look('youtube', ref)).toMatchObject({ found: null, reason: expect.stringContaining('API key') })
    const { vaultId } = await rig.link('google', { index: 1 })
    expect(await look('youtube', ref)).toMatchObject({ found: { creatorId: id } })
    expect(await rig.deps.budget.states(rig.rig.deps.ownerId)).toMatchObject([{ credentialKey: vaultId, used: 1 }])
    const { platformAccountId } = await rig.link('facebook_login')
    const other = creatorAt('instagram', 5)
    expect(await look('instagram', { by: 'username', value: other.handle })).toEqual({
      found: { creatorId: other.id, handle: other.handle },
    })
    const states = await rig.deps.budget.states(rig.rig.deps.ownerId)
    expect(states.map(state => state.bucket)).toContain('instagram:app')
    expect(platformAccountId).not.toBe(other.id)
  })

  it('and reading those that are watched take a user’s API key, in a count of its own', async () => {
    const { id, handle } = creatorAt('youtube', 23)
    const { ownerId } = rig.rig.deps
    const vault = await rig.deps.db.system
      .insertInto('vault_secrets')
      .values({ owner_id: ownerId, purpose: 'developer_credentials', external_id: randomUUID() })
      .returning('id')
      .executeTakeFirstOrThrow()
    await rig.deps.db.system
      .insertInto('developer_credentials')
      .values({
        ...{ owner_id: ownerId, platform: 'youtube', kind: 'google_api_key', client_id: '', vault_id: vault.id },
        ...{ status: 'valid', reason: null, next_validation_at: null, last_validated_at: null },
      })
      .execute()
    expect(await look('youtube', { by: 'handle', value: handle })).toMatchObject({ found: { creatorId: id } })
    await rig.deps.db.system
      .insertInto('monitored_creators')
      .values({ owner_id: ownerId, platform: 'youtube', creator_id: id })
      .execute()
    await rig.link('google', { index: 1 })
    await rig.plan([], [])
    await rig.deps.db.executeSql(`delete from polls where path = 'own'`)
    await rig.read()
    const [kept] = await rig.ask<{ count: number }>(
      `SELECT uniqExact(video_id) AS count FROM cliptape.samples_v1 WHERE creator_id = '${id}'`,
    )
    expect(kept?.count).toBeGreaterThan(0)
    const states = await rig.deps.budget.states(ownerId)
    expect(new Set(states.map(state => state.credentialKey))).toEqual(new Set([vault.id]))
    await rig.deps.db.executeSql('delete from developer_credentials')
  })

  it('says plainly what cannot be asked, and when a quota is used up', async () => {
    expect(await look('tiktok', { by: 'username', value: 'someone' })).toMatchObject({
      isUnknown: false,
      reason: expect.stringContaining('tells nothing of the accounts of others'),
    })
    expect(await look('instagram', { by: 'username', value: 'someone' })).toMatchObject({
      reason: expect.stringContaining('Facebook Login'),
    })
    rig.test.sandbox.controls.addFault({
      endpoint: 'youtube.*',
      fault: { kind: 'error', name: 'quotaExceeded' },
      times: 1,
    })
    const ref = { by: 'handle', value: 'anybody' } as const
    expect(await look('youtube', ref, true)).toMatchObject({ isUnknown: false })
    expect(await look('youtube', ref, true)).toMatchObject({ reason: expect.stringContaining('2037-11-22 08:00 UTC') })
  })
})

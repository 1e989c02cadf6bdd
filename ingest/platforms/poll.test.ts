import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startMs } from '../../platforms/sandbox/test-sandbox.ts'
import { runPoll } from './poll.ts'
import type { PollDeps } from './poll-request.ts'
import { openPollRig, type PollRig } from './poll-rig.ts'
import { claimPolls, leaseMs } from './poll-rows.ts'
import { PollWorker, planWork } from './poll-worker.ts'

/** The place of the creator whom own accounts are linked to: of those in the picker the one with the fewest posts. */
const ownAt = 2
const hourMs = 3_600_000
const dayMs = 24 * hourMs
let rig: PollRig
let deps: PollRig['deps']
let db: PollRig['deps']['db']

beforeAll(async () => {
  rig = await openPollRig({ creatorCount: 40, operatorKey: true })
  ;({ deps } = rig)
  ;({ db } = deps)
  findQuiet()
})
afterAll(() => rig.close())
beforeEach(() => rig.reset())

async function monitor(creatorId: string, ownerId: string = rig.rig.deps.ownerId): Promise<void> {
  await db.system
    .insertInto('monitored_creators')
    .values({ owner_id: ownerId, platform: 'youtube', creator_id: creatorId })
    .execute()
}

function creatorAt(index: number, platform: 'youtube' | 'tiktok' = 'youtube') {
  const creator = rig.test.sandbox.controls.world.creatorAt(platform, index)
  if (!creator) throw new Error('The world is smaller.')
  return creator
}

/** Places of creators by how little they posted, but more than two pages. Each test has its own. */
const quiet: number[] = []
function findQuiet(): void {
  const counts = Array.from({ length: 40 }, (_, index) => ({ index, count: postIds(index).length }))
  const few = counts.filter(each => each.count > 110).sort((a, b) => a.count - b.count)
  quiet.push(...few.map(each => each.index))
}

function quietAt(place: number): number {
  return quiet[place] ?? 0
}

function postIds(index: number, platform: 'youtube' | 'tiktok' = 'youtube'): string[] {
  return [...rig.test.sandbox.controls.world.posts(creatorAt(index, platform), rig.test.clock.nowMs())].map(
    post => post.id,
  )
}

describe('polls of monitored creators', () => {
  it('write their posts and numbers to the public tables, gone after thirty days', async () => {
    const index = quietAt(0)
    const creator = creatorAt(index)
    await monitor(creator.id)
    await rig.plan()
    await rig.read()
    const videos = await rig.ask<{ video_id: string; title: string }>(
      `SELECT video_id, title FROM cliptape.videos_v1 FINAL WHERE creator_id = '${creator.id}' AND title != ''`,
    )
    const expected = postIds(index).slice(0, 100)
    expect(new Set(videos.map(video => video.video_id))).toEqual(new Set(expected))
    const [sample] = await rig.ask<{ source: string; days: number; count: number }>(
      `SELECT any(source) AS source, any(dateDiff('day', observed_at, expires_at)) AS days, uniqExact(video_id) AS count
       FROM cliptape.samples_v1 FINAL WHERE creator_id = '${creator.id}'`,
    )
    expect(sample).toEqual({ source: 'youtube-api', days: 30, count: expected.length })
    const [followers] = await rig.ask<{ count: number }>(
      `SELECT count() AS count FROM cliptape.creator_samples_v1 FINAL WHERE creator_id = '${creator.id}'`,
    )
    expect(followers?.count).toBe(1)
    expect(await rig.ask('SELECT 1 FROM cliptape.own_samples_v1')).toEqual([])
  })

  it('read the fresh again within minutes and the old within a day, fifty at once', async () => {
    const { id: creatorId } = creatorAt(quietAt(1))
    await monitor(creatorId)
    await rig.plan()
    await rig.read()
    const asked = () =>
      rig.test.sandbox.controls.requests.filter(each => each.endpoint === 'youtube.videos.batchGetStats').length
    const before = asked()
    rig.test.clock.advance(dayMs * 1.2)
    await rig.read()
    const [row] = await rig.ask<{ count: number }>(
      `SELECT count() AS count FROM (SELECT video_id FROM cliptape.samples_v1 FINAL WHERE creator_id = '${creatorId}' GROUP BY video_id HAVING count() > 1)`,
    )
    expect(row?.count).toBeGreaterThan(90)
    expect(asked() - before).toBeLessThan(8)
  })

  it('read one creator once for all who monitor it', async () => {
    const { id } = await db.system
      .insertInto('users')
      .values({ email: `${randomUUID()}@example.com`, role: 'user', is_local: false })
      .returning('id')
      .executeTakeFirstOrThrow()
    await monitor(creatorAt(1).id)
    await monitor(creatorAt(1).id, id)
    await rig.plan()
    const polls = await db.system.selectFrom('polls').select('task').where('creator_id', '!=', '').execute()
    expect(polls.map(poll => poll.task).sort()).toEqual(['account', 'posts'])
    await db.executeSql('delete from monitored_creators')
    await rig.plan()
    expect(await db.system.selectFrom('polls').select('id').execute()).toEqual([])
  })

  it('are stretched to what the day pays for, keep their times when nothing changed, and relax when fewer are left', async () => {
    const { ownerId } = rig.rig.deps
    // Each asks for 3 units a day of the 9,000 that are planned.
    await sql`insert into monitored_creators (owner_id, platform, creator_id)
      select ${ownerId}, 'youtube', 'UCmany' || n from generate_series(1, 4000) n`.execute(db.system)
    const planned = async () => {
      await rig.plan()
      const { rows } = await sql<{ polls: number; stretches: number; stretch: number; times: string }>`
        select count(*)::integer as polls, count(distinct stretch)::integer as stretches, min(stretch) as stretch,
          md5(string_agg(next_poll_at::text, ',' order by id)) as times
        from polls where task in ('account', 'posts')`.execute(db.system)
      return rows[0]
    }
    const first = await planned()
    expect(first).toMatchObject({ polls: 8_000, stretches: 1 })
    expect(first?.stretch).toBeCloseTo(12_000 / 9_000)
    expect(await planned()).toEqual(first)
    await sql`delete from monitored_creators where creator_id > 'UCmany2'`.execute(db.system)
    expect(await planned()).toMatchObject({ stretches: 1, stretch: 1 })
  })

  it('are shared by two workers, each poll once, and lose nothing to faults of the platform', async () => {
    const places = [2, 3, 4, 5, 6].map(quietAt)
    for (const index of places) await monitor(creatorAt(index).id)
    await rig.plan()
    rig.test.sandbox.controls.addWeather(0.2)
    const workers = [new PollWorker(deps, 4), new PollWorker(deps, 4)]
    for (let round = 0; round < 15; round++) {
      await Promise.all(workers.map(worker => worker.run()))
      rig.test.clock.advance(60_000)
    }
    rig.test.sandbox.controls.clearFaults()
    rig.test.clock.advance(2 * hourMs)
    await Promise.all(workers.map(worker => worker.run()))
    for (const index of places) {
      const known = await db.system
        .selectFrom('polled_posts')
        .select('video_id')
        .where('creator_id', '=', creatorAt(index).id)
        .execute()
      const ids = new Set(known.map(post => post.video_id))
      expect(
        postIds(index)
          .slice(0, 90)
          .filter(id => !ids.has(id)),
      ).toEqual([])
    }
    const [doubled] = await rig.ask<{ count: number }>(
      `SELECT count() AS count FROM (
         SELECT video_id, observed_at FROM cliptape.samples_v1 FINAL GROUP BY video_id, observed_at HAVING count() > 1)`,
    )
    expect(doubled?.count).toBe(0)
    const states = await deps.budget.states(null)
    const used = states.find(state => state.bucket === 'youtube:units')?.used ?? 0
    const counted =
      Object.entries(rig.test.sandbox.controls.usedToday()).find(([name]) => name.endsWith('youtube:units'))?.[1] ?? 0
    // What we counted is never less than what the platform did.
    expect(used).toBeGreaterThanOrEqual(counted)
  })

  it('stop until midnight in California when the day is used up', async () => {
    const { id: creatorId } = creatorAt(quietAt(7))
    await monitor(creatorId)
    await rig.plan()
    rig.test.sandbox.controls.addFault({
      endpoint: 'youtube.*',
      fault: { kind: 'error', name: 'quotaExceeded' },
      times: 50,
    })
    await rig.read()
    const asked = rig.test.sandbox.controls.requests.length
    rig.test.clock.advance(2 * hourMs)
    await rig.read()
    expect(rig.test.sandbox.controls.requests.length).toBe(asked)
    const states = await deps.budget.states(null)
    expect(states.map(state => state.blockedUntilMs)).toContain(Date.parse('2037-11-22T08:00:00Z'))
    rig.test.sandbox.controls.clearFaults()
    rig.test.clock.set(Date.parse('2037-11-22T08:01:00Z'))
    await rig.read()
    expect(await rig.ask(`SELECT 1 FROM cliptape.samples_v1 WHERE creator_id = '${creatorId}' LIMIT 1`)).toHaveLength(1)
  })

  it('leave a creator that vanished alone after a while', async () => {
    const creator = creatorAt(quietAt(8))
    rig.test.sandbox.controls.world.remove(creator.id, startMs)
    await monitor(creator.id)
    await rig.plan()
    for (let day = 0; day < 5; day++) {
      await rig.read()
      rig.test.clock.advance(dayMs + hourMs)
    }
    const polls = await db.system
      .selectFrom('polls')
      .select(['task', 'error_class', 'failures'])
      .where('task', '=', 'account')
      .execute()
    expect(polls).toEqual([{ task: 'account', error_class: 'not_found', failures: 3 }])
  })
})

describe('polls of own accounts', () => {
  it('write to the tables of that owner alone', async () => {
    const index = ownAt
    await rig.link('google', { index: index })
    const { ownerId } = rig.rig.deps
    const creatorId = creatorAt(index).id
    await rig.plan()
    await rig.read()
    const ids = new Set(postIds(index))
    const rows = await rig.ask<{ owner_id: string; video_id: string; source: string }>(
      'SELECT owner_id, video_id, any(source) AS source FROM cliptape.own_samples_v1 FINAL GROUP BY owner_id, video_id',
    )
    expect(new Set(rows.map(row => row.owner_id))).toEqual(new Set([ownerId]))
    expect(new Set(rows.map(row => row.source))).toEqual(new Set(['own:youtube-api']))
    expect(rows.filter(row => !ids.has(row.video_id))).toEqual([])
    expect(rows.length).toBe(ids.size)
    expect(await rig.ask(`SELECT 1 FROM cliptape.samples_v1 WHERE creator_id = '${creatorId}'`)).toEqual([])
    expect(await rig.ask(`SELECT 1 FROM cliptape.videos_v1 WHERE creator_id = '${creatorId}'`)).toEqual([])
    const titles = await db.asUser(ownerId, trx =>
      trx.selectFrom('polled_posts').select('title').where('title', '!=', '').execute(),
    )
    expect(titles.length).toBe(ids.size)
    const [account] = await rig.ask<{ count: number }>('SELECT count() AS count FROM cliptape.own_creator_samples_v1')
    expect(account?.count).toBe(1)
  })

  it('keep ids beyond 2^53 and hostile titles as they are', async () => {
    await rig.link('tiktok_desktop', { index: 1 })
    const { ownerId } = rig.rig.deps
    await rig.plan()
    // More pages than may be asked for at once: the list waits, and goes on.
    for (let second = 0; second < 40; second++) {
      await rig.read()
      rig.test.clock.advance(1_000)
    }
    const posts = await db.asUser(ownerId, trx =>
      trx.selectFrom('polled_posts').select(['video_id', 'title']).execute(),
    )
    const expected = [...rig.test.sandbox.controls.world.posts(creatorAt(1, 'tiktok'), startMs)]
    expect(new Set(posts.map(post => post.video_id))).toEqual(new Set(expected.map(post => post.id)))
    expect(posts.some(post => /\p{Cc}/u.test(post.title))).toBe(true)
  })

  it('refresh a token that is refused in the middle of a list once, and go on where they were', async () => {
    const index = ownAt
    const { refreshes } = await rig.link('google', { index: index })
    await rig.plan()
    rig.test.sandbox.controls.addFault({
      endpoint: 'youtube.videos.list',
      fault: { kind: 'error', name: 'authError' },
    })
    const before = rig.test.sandbox.controls.requests.length
    await rig.read()
    expect(refreshes()).toBe(1)
    const lists = rig.test.sandbox.controls.requests
      .slice(before)
      .filter(each => each.endpoint === 'youtube.playlistItems.list')
    expect(lists).toHaveLength(Math.ceil(postIds(index).length / 50))
    expect(rig.problems).toEqual([])
  })

  it('ask nothing any more of an account that must be linked again', async () => {
    const { id } = await rig.link('google', { index: ownAt })
    await rig.plan()
    rig.test.sandbox.controls.revokeAll()
    await rig.read()
    expect(rig.problems.length).toBeGreaterThan(0)
    expect(new Set(rig.problems.map(([account, kind]) => `${account} ${kind}`))).toEqual(new Set([`${id} grant`]))
    await db.executeSql(`update platform_accounts set status = 'needs_reauth'`)
    const asked = rig.test.sandbox.controls.requests.length
    rig.test.clock.advance(3 * dayMs)
    await rig.read()
    expect(rig.test.sandbox.controls.requests.length).toBe(asked)
  })

  it('go on with all posts of an account that was linked again with another app', async () => {
    const { id, vaultId } = await rig.link('google', { index: ownAt })
    await rig.plan()
    await rig.read()
    const { id: anew } = await db.system
      .insertInto('vault_secrets')
      .values({ owner_id: deps.ownerId, purpose: 'developer_credentials', external_id: randomUUID() })
      .returning('id')
      .executeTakeFirstOrThrow()
    const payers = async () => {
      const rows = await db.system.selectFrom('polled_posts').select('credential_key').distinct().execute()
      return rows.map(row => row.credential_key)
    }
    expect(await payers()).toEqual([vaultId])
    await db.system
      .updateTable('platform_accounts')
      .set({ developer_credentials_vault_id: anew })
      .where('id', '=', id)
      .execute()
    await rig.plan()
    expect(await payers()).toEqual([anew])
  })

  it('say nothing of an account with whose token a stranger was not found', async () => {
    const creator = creatorAt(quietAt(9))
    await rig.link('google', { index: ownAt })
    const { ownerId } = rig.rig.deps
    rig.test.sandbox.controls.world.remove(creator.id, startMs)
    await monitor(creator.id, ownerId)
    await planWork(deps, { platforms: [] })
    await rig.read()
    const { rows } = await db.executeSql(`select error_class from polls where creator_id = '${creator.id}'`)
    expect(rows).toContainEqual({ error_class: 'not_found' })
    expect(rig.problems).toEqual([])
  })

  it('continue after a worker that died in the middle of a list, where it was', async () => {
    const index = ownAt
    const laterMs = startMs + 10 * dayMs
    rig.test.clock.set(laterMs)
    await rig.link('google', { index: index })
    await rig.plan()
    await db.executeSql(`delete from polls where task <> 'posts'`)
    const [poll] = await claimPolls(db, { nowMs: laterMs, max: 1 })
    if (!poll) throw new Error('Nothing was due.')
    await expect(runPoll(dyingAfter(1), poll)).rejects.toThrow('killed')
    const cut = await db.system.selectFrom('polls').select(['cursor', 'pages']).executeTakeFirstOrThrow()
    expect(cut).toMatchObject({ pages: 1 })
    expect(cut.cursor).not.toBeNull()
    const before = rig.test.sandbox.controls.requests.length
    // Nobody takes it before the dead worker's lease has ended.
    await rig.read()
    expect(rig.test.sandbox.controls.requests.length).toBe(before)
    rig.test.clock.advance(leaseMs)
    await rig.read()
    const lists = rig.test.sandbox.controls.requests
      .slice(before)
      .filter(each => each.endpoint === 'youtube.playlistItems.list')
    expect(lists).toHaveLength(Math.ceil(postIds(index).length / 50) - 1)
    const [row] = await rig.ask<{ count: number }>(
      `SELECT uniqExact(video_id) AS count FROM cliptape.own_samples_v1 WHERE observed_at >= '2037-12-01'`,
    )
    expect(row?.count).toBe(postIds(index).length)
  })

  it('write nothing for a poll that another worker has by now', async () => {
    await rig.link('google', { index: ownAt })
    await rig.plan()
    const due = await claimPolls(db, { nowMs: startMs, max: 10 })
    const slow = due.find(poll => poll.task === 'posts')
    if (!slow) throw new Error('Nothing was due.')
    rig.test.clock.advance(leaseMs)
    expect(await claimPolls(db, { nowMs: rig.test.clock.nowMs(), max: 10 })).toHaveLength(due.length)
    await expect(runPoll(deps, slow)).rejects.toThrow('Another worker')
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from polled_posts`.execute(db.system)
    expect(rows[0]?.count).toBe(0)
  })
})

/** Dies when it would ask for the page behind so many. */
function dyingAfter(pages: number): PollDeps {
  let asked = 0
  return {
    ...deps,
    platforms: {
      data: kind => {
        const data = deps.platforms.data(kind)
        return {
          ...data,
          posts: async (...given: Parameters<typeof data.posts>) => {
            if (asked++ === pages) throw new Error('killed')
            return await data.posts(...given)
          },
        }
      },
    },
  }
}

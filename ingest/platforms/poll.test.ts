import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { UserId } from '../../contracts/ids.ts'
import { openOutbound } from '../../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import { openPlatforms } from '../../platforms/clients.ts'
import type { CredentialKind } from '../../platforms/port.ts'
import { PlatformError } from '../../platforms/port.ts'
import type { PlatformRegistry } from '../../platforms/registry.ts'
import {
  linkGoogle,
  linkTikTok,
  openTestSandbox,
  startMs,
  type TestSandbox,
} from '../../platforms/sandbox/test-sandbox.ts'
import { openRig, type Rig } from '../test-rig.ts'
import { createWriter, liveLimits, type Writer } from '../writer.ts'
import { runPoll } from './poll.ts'
import { PollLedger } from './poll-ledger.ts'
import type { PollDeps } from './poll-request.ts'
import { claimPolls, leaseMs } from './poll-rows.ts'
import { PollWorker, type PollWorkerDeps, planWork } from './poll-worker.ts'
import { QuotaBudget } from './quota-budget.ts'

/** The place of the creator whom own accounts are linked to: of those in the picker the one with the fewest posts. */
const ownAt = 2
const hourMs = 3_600_000
const dayMs = 24 * hourMs
let rig: Rig
let test: TestSandbox
let outbound: Outbound
let platforms: PlatformRegistry
let writer: Writer
let deps: PollWorkerDeps & PollDeps
const tokens = new Map<string, { kind: CredentialKind; accessToken: string; refreshToken: string; refreshes: number }>()
const problems: [string, string | null][] = []

beforeAll(async () => {
  ;[rig, test] = await Promise.all([openRig(), openTestSandbox({ creatorCount: 40 })])
  findQuiet()
  outbound = openOutbound({ configuredOrigins: [test.sandbox.url] })
  const { clock } = test
  platforms = openPlatforms({ outbound, clock, urls: test.sandbox.urls })
  writer = createWriter(rig.deps, { ...liveLimits, ageMsMax: 5 })
  deps = {
    ...rig.deps,
    ledger: new PollLedger({ db: rig.deps.db, clock, random: () => 0.5 }),
    clock,
    writer,
    budget: new QuotaBudget({ db: rig.deps.db, clock }),
    platforms,
    withAccessToken,
    readApiKey: async () => null,
    operatorKeys: { youtube: test.sandbox.controls.app('google').apiKeys[0] ?? '' },
    random: () => 0.5,
    async onAccount(accountId, problem) {
      problems.push([accountId, problem?.class ?? null])
    },
  }
})
afterAll(async () => {
  await writer.close()
  await outbound.close()
  await test.sandbox.close()
  await rig.close()
})
beforeEach(async () => {
  test.clock.set(startMs)
})
afterEach(async () => {
  test.sandbox.controls.clearFaults()
  test.sandbox.controls.clearQuotas()
  problems.length = 0
  for (const table of ['polls', 'polled_posts', 'platform_quota', 'monitored_creators', 'platform_accounts'])
    await rig.deps.db.executeSql(`delete from ${table}`)
})

/** As the room of links does it: one refresh, one more try. */
async function withAccessToken<T>(accountId: string, work: (accessToken: string) => Promise<T>): Promise<T> {
  const held = tokens.get(accountId)
  if (!held) throw new Error('No such account.')
  try {
    return await work(held.accessToken)
  } catch (error) {
    if (!(error instanceof PlatformError && error.class === 'token')) throw error
  }
  const { clientId, clientSecret } = test.sandbox.controls.app('google')
  const credentials = { kind: held.kind, clientId, clientSecret, apiKey: null }
  const fresh = await platforms.auth(held.kind).refresh(credentials, { ...held, issuedAtMs: test.clock.nowMs() })
  held.accessToken = fresh.accessToken
  held.refreshes += 1
  return await work(held.accessToken)
}

async function monitor(creatorId: string, ownerId: string = rig.deps.ownerId): Promise<void> {
  await rig.deps.db.system
    .insertInto('monitored_creators')
    .values({ owner_id: ownerId, platform: 'youtube', creator_id: creatorId })
    .execute()
}

function creatorAt(index: number, platform: 'youtube' | 'tiktok' = 'youtube') {
  const creator = test.sandbox.controls.world.creatorAt(platform, index)
  if (!creator) throw new Error('The world is smaller.')
  return creator
}

/** An account of the local owner, linked in the sandbox. */
async function linkAccount(
  platform: 'youtube' | 'tiktok',
  index = 0,
): Promise<{ id: string; ownerId: UserId; vaultId: string }> {
  const { db, ownerId } = rig.deps
  const accountId = creatorAt(index, platform).id
  const { json } =
    platform === 'youtube' ? await linkGoogle(test, { accountId }) : await linkTikTok(test, { accountId })
  const kind = platform === 'youtube' ? 'google' : 'tiktok_desktop'
  const vault = await db.system
    .insertInto('vault_secrets')
    .values({ owner_id: ownerId, purpose: 'developer_credentials', external_id: randomUUID() })
    .returning('id')
    .executeTakeFirstOrThrow()
  const { id } = await db.system
    .insertInto('platform_accounts')
    .values({
      user_id: ownerId,
      platform_name: platform,
      platform_account_id: accountId,
      credentials_kind: kind,
      developer_credentials_vault_id: vault.id,
      scopes: json.scope.split(/[ ,]/),
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  tokens.set(id, { kind, accessToken: json.access_token, refreshToken: json.refresh_token, refreshes: 0 })
  return { id, ownerId, vaultId: vault.id }
}

async function plan(): Promise<void> {
  await planWork(deps, { platforms: ['youtube'] })
}

async function readAll(worker = new PollWorker(deps)): Promise<void> {
  await worker.run()
}

async function ask<T>(text: string): Promise<T[]> {
  return (await rig.deps.store.query(text)) as T[]
}

/** What the world holds of a creator, as the sandbox shows it. */
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
  return [...test.sandbox.controls.world.posts(creatorAt(index, platform), test.clock.nowMs())].map(post => post.id)
}

describe('polls of monitored creators', () => {
  it('write their posts and numbers to the public tables, gone after thirty days', async () => {
    const index = quietAt(0)
    const creator = creatorAt(index)
    await monitor(creator.id)
    await plan()
    await readAll()
    const videos = await ask<{ video_id: string; title: string }>(
      `SELECT video_id, title FROM cliptape.videos_v1 FINAL WHERE creator_id = '${creator.id}' AND title != ''`,
    )
    const expected = postIds(index).slice(0, 100)
    expect(new Set(videos.map(video => video.video_id))).toEqual(new Set(expected))
    const [sample] = await ask<{ source: string; days: number; count: number }>(
      `SELECT any(source) AS source, any(dateDiff('day', observed_at, expires_at)) AS days, uniqExact(video_id) AS count
       FROM cliptape.samples_v1 FINAL WHERE creator_id = '${creator.id}'`,
    )
    expect(sample).toEqual({ source: 'youtube-api', days: 30, count: expected.length })
    const [followers] = await ask<{ count: number }>(
      `SELECT count() AS count FROM cliptape.creator_samples_v1 FINAL WHERE creator_id = '${creator.id}'`,
    )
    expect(followers?.count).toBe(1)
    expect(await ask('SELECT 1 FROM cliptape.own_samples_v1')).toEqual([])
  })

  it('read the fresh again within minutes and the old within a day, fifty at once', async () => {
    const { id: creatorId } = creatorAt(quietAt(1))
    await monitor(creatorId)
    await plan()
    await readAll()
    const asked = () =>
      test.sandbox.controls.requests.filter(each => each.endpoint === 'youtube.videos.batchGetStats').length
    const before = asked()
    test.clock.advance(dayMs * 1.2)
    await readAll()
    const [row] = await ask<{ count: number }>(
      `SELECT count() AS count FROM (SELECT video_id FROM cliptape.samples_v1 FINAL WHERE creator_id = '${creatorId}' GROUP BY video_id HAVING count() > 1)`,
    )
    expect(row?.count).toBeGreaterThan(90)
    expect(asked() - before).toBeLessThan(8)
  })

  it('read one creator once for all who monitor it', async () => {
    const { id } = await rig.deps.db.system
      .insertInto('users')
      .values({ email: `${randomUUID()}@example.com`, role: 'user', is_local: false })
      .returning('id')
      .executeTakeFirstOrThrow()
    await monitor(creatorAt(1).id)
    await monitor(creatorAt(1).id, id)
    await plan()
    const polls = await rig.deps.db.system.selectFrom('polls').select('task').where('creator_id', '!=', '').execute()
    expect(polls.map(poll => poll.task).sort()).toEqual(['account', 'posts'])
    await rig.deps.db.executeSql('delete from monitored_creators')
    await plan()
    expect(await rig.deps.db.system.selectFrom('polls').select('id').execute()).toEqual([])
  })

  it('are stretched to what the day pays for, keep their times when nothing changed, and relax when fewer are left', async () => {
    const { db, ownerId } = rig.deps
    // Each asks for 3 units a day of the 9,000 that are planned.
    await sql`insert into monitored_creators (owner_id, platform, creator_id)
      select ${ownerId}, 'youtube', 'UCmany' || n from generate_series(1, 4000) n`.execute(db.system)
    const planned = async () => {
      await plan()
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
    await plan()
    test.sandbox.controls.addWeather(0.2)
    const workers = [new PollWorker(deps, 4), new PollWorker(deps, 4)]
    for (let round = 0; round < 15; round++) {
      await Promise.all(workers.map(worker => worker.run()))
      test.clock.advance(60_000)
    }
    test.sandbox.controls.clearFaults()
    test.clock.advance(2 * hourMs)
    await Promise.all(workers.map(worker => worker.run()))
    for (const index of places) {
      const known = await rig.deps.db.system
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
    const [doubled] = await ask<{ count: number }>(
      `SELECT count() AS count FROM (
         SELECT video_id, observed_at FROM cliptape.samples_v1 FINAL GROUP BY video_id, observed_at HAVING count() > 1)`,
    )
    expect(doubled?.count).toBe(0)
    const states = await deps.budget.states(null)
    const used = states.find(state => state.bucket === 'youtube:units')?.used ?? 0
    const counted =
      Object.entries(test.sandbox.controls.usedToday()).find(([name]) => name.endsWith('youtube:units'))?.[1] ?? 0
    // What we counted is never less than what the platform did.
    expect(used).toBeGreaterThanOrEqual(counted)
  })

  it('stop until midnight in California when the day is used up', async () => {
    const { id: creatorId } = creatorAt(quietAt(7))
    await monitor(creatorId)
    await plan()
    test.sandbox.controls.addFault({
      endpoint: 'youtube.*',
      fault: { kind: 'error', name: 'quotaExceeded' },
      times: 50,
    })
    await readAll()
    const asked = test.sandbox.controls.requests.length
    test.clock.advance(2 * hourMs)
    await readAll()
    expect(test.sandbox.controls.requests.length).toBe(asked)
    const states = await deps.budget.states(null)
    expect(states.map(state => state.blockedUntilMs)).toContain(Date.parse('2026-11-22T08:00:00Z'))
    test.sandbox.controls.clearFaults()
    test.clock.set(Date.parse('2026-11-22T08:01:00Z'))
    await readAll()
    expect(await ask(`SELECT 1 FROM cliptape.samples_v1 WHERE creator_id = '${creatorId}' LIMIT 1`)).toHaveLength(1)
  })

  it('leave a creator that vanished alone after a while', async () => {
    const creator = creatorAt(quietAt(8))
    test.sandbox.controls.world.remove(creator.id, startMs)
    await monitor(creator.id)
    await plan()
    for (let day = 0; day < 5; day++) {
      await readAll()
      test.clock.advance(dayMs + hourMs)
    }
    const polls = await rig.deps.db.system
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
    const { ownerId } = await linkAccount('youtube', index)
    const creatorId = creatorAt(index).id
    await plan()
    await readAll()
    const ids = new Set(postIds(index))
    const rows = await ask<{ owner_id: string; video_id: string; source: string }>(
      'SELECT owner_id, video_id, any(source) AS source FROM cliptape.own_samples_v1 FINAL GROUP BY owner_id, video_id',
    )
    expect(new Set(rows.map(row => row.owner_id))).toEqual(new Set([ownerId]))
    expect(new Set(rows.map(row => row.source))).toEqual(new Set(['own:youtube-api']))
    expect(rows.filter(row => !ids.has(row.video_id))).toEqual([])
    expect(rows.length).toBe(ids.size)
    expect(await ask(`SELECT 1 FROM cliptape.samples_v1 WHERE creator_id = '${creatorId}'`)).toEqual([])
    expect(await ask(`SELECT 1 FROM cliptape.videos_v1 WHERE creator_id = '${creatorId}'`)).toEqual([])
    const titles = await rig.deps.db.asUser(ownerId, trx =>
      trx.selectFrom('polled_posts').select('title').where('title', '!=', '').execute(),
    )
    expect(titles.length).toBe(ids.size)
    const [account] = await ask<{ count: number }>('SELECT count() AS count FROM cliptape.own_creator_samples_v1')
    expect(account?.count).toBe(1)
  })

  it('keep ids beyond 2^53 and hostile titles as they are', async () => {
    const { ownerId } = await linkAccount('tiktok', 1)
    await plan()
    // More pages than may be asked for at once: the list waits, and goes on.
    for (let second = 0; second < 40; second++) {
      await readAll()
      test.clock.advance(1_000)
    }
    const posts = await rig.deps.db.asUser(ownerId, trx =>
      trx.selectFrom('polled_posts').select(['video_id', 'title']).execute(),
    )
    const expected = [...test.sandbox.controls.world.posts(creatorAt(1, 'tiktok'), startMs)]
    expect(new Set(posts.map(post => post.video_id))).toEqual(new Set(expected.map(post => post.id)))
    expect(posts.some(post => /\p{Cc}/u.test(post.title))).toBe(true)
  })

  it('refresh a token that is refused in the middle of a list once, and go on where they were', async () => {
    const index = ownAt
    const { id } = await linkAccount('youtube', index)
    await plan()
    test.sandbox.controls.addFault({
      endpoint: 'youtube.videos.list',
      fault: { kind: 'error', name: 'authError' },
    })
    const before = test.sandbox.controls.requests.length
    await readAll()
    expect(tokens.get(id)?.refreshes).toBe(1)
    const lists = test.sandbox.controls.requests
      .slice(before)
      .filter(each => each.endpoint === 'youtube.playlistItems.list')
    expect(lists).toHaveLength(Math.ceil(postIds(index).length / 50))
    expect(problems).toEqual([])
  })

  it('ask nothing any more of an account that must be linked again', async () => {
    const { id } = await linkAccount('youtube', ownAt)
    await plan()
    test.sandbox.controls.revokeAll()
    await readAll()
    expect(problems.length).toBeGreaterThan(0)
    expect(new Set(problems.map(([account, kind]) => `${account} ${kind}`))).toEqual(new Set([`${id} grant`]))
    await rig.deps.db.executeSql(`update platform_accounts set status = 'needs_reauth'`)
    const asked = test.sandbox.controls.requests.length
    test.clock.advance(3 * dayMs)
    await readAll()
    expect(test.sandbox.controls.requests.length).toBe(asked)
  })

  it('say nothing of an account with whose token a stranger was not found', async () => {
    const creator = creatorAt(quietAt(9))
    const { ownerId } = await linkAccount('youtube', ownAt)
    test.sandbox.controls.world.remove(creator.id, startMs)
    await monitor(creator.id, ownerId)
    await planWork(deps, { platforms: [] })
    await readAll()
    const { rows } = await rig.deps.db.executeSql(`select error_class from polls where creator_id = '${creator.id}'`)
    expect(rows).toContainEqual({ error_class: 'not_found' })
    expect(problems).toEqual([])
  })

  it('continue after a worker that died in the middle of a list, where it was', async () => {
    const index = ownAt
    const laterMs = startMs + 10 * dayMs
    test.clock.set(laterMs)
    await linkAccount('youtube', index)
    await plan()
    await rig.deps.db.executeSql(`delete from polls where task <> 'posts'`)
    const [poll] = await claimPolls(rig.deps.db, { nowMs: laterMs, max: 1 })
    if (!poll) throw new Error('Nothing was due.')
    await expect(runPoll(dyingAfter(1), poll)).rejects.toThrow('killed')
    const cut = await rig.deps.db.system.selectFrom('polls').select(['cursor', 'pages']).executeTakeFirstOrThrow()
    expect(cut).toMatchObject({ pages: 1 })
    expect(cut.cursor).not.toBeNull()
    const before = test.sandbox.controls.requests.length
    // Nobody takes it before the dead worker's lease has ended.
    await readAll()
    expect(test.sandbox.controls.requests.length).toBe(before)
    test.clock.advance(leaseMs)
    await readAll()
    const lists = test.sandbox.controls.requests
      .slice(before)
      .filter(each => each.endpoint === 'youtube.playlistItems.list')
    expect(lists).toHaveLength(Math.ceil(postIds(index).length / 50) - 1)
    const [row] = await ask<{ count: number }>(
      `SELECT uniqExact(video_id) AS count FROM cliptape.own_samples_v1 WHERE observed_at >= '2026-12-01'`,
    )
    expect(row?.count).toBe(postIds(index).length)
  })

  it('write nothing for a poll that another worker has by now', async () => {
    await linkAccount('youtube', ownAt)
    await plan()
    const due = await claimPolls(rig.deps.db, { nowMs: startMs, max: 10 })
    const slow = due.find(poll => poll.task === 'posts')
    if (!slow) throw new Error('Nothing was due.')
    test.clock.advance(leaseMs)
    expect(await claimPolls(rig.deps.db, { nowMs: test.clock.nowMs(), max: 10 })).toHaveLength(due.length)
    await expect(runPoll(deps, slow)).rejects.toThrow('Another worker')
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from polled_posts`.execute(
      rig.deps.db.system,
    )
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
        const data = platforms.data(kind)
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

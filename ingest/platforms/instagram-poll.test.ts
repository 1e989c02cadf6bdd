import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openPollRig, type PollRig } from './poll-rig.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** The one in the picker who posts least. */
const ownAt = 3

let rig: PollRig
beforeAll(async () => {
  rig = await openPollRig({ creatorCount: 12, operatorKey: false })
})
afterAll(() => rig.close())
beforeEach(() => rig.reset())

function creatorAt(index: number) {
  const creator = rig.test.sandbox.controls.world.creatorAt('instagram', index)
  if (!creator) throw new Error('The world is smaller.')
  return creator
}

/** Reads, and goes on as the clock does. */
async function readFor(spanMs: number, stepMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < spanMs; passedMs += stepMs) {
    await rig.read()
    rig.test.clock.advance(stepMs)
  }
}

async function only(...tasks: string[]): Promise<void> {
  const list = tasks.map(task => `'${task}'`).join()
  await rig.deps.db.executeSql(`delete from polls where task not in (${list})`)
}

function postsOf(index: number) {
  return [...rig.test.sandbox.controls.world.posts(creatorAt(index), rig.test.clock.nowMs())]
}

interface OwnNumbers {
  readonly count: number
  readonly views: number
  readonly shares: number
  readonly saves: number
}

/** How many posts of an account have which numbers. */
async function ownNumbersOf(creatorId: string): Promise<OwnNumbers | undefined> {
  const [row] = await rig.ask<OwnNumbers>(
    `SELECT uniqExact(video_id) AS count, uniqExactIf(video_id, isNotNull(views)) AS views,
       uniqExactIf(video_id, isNotNull(shares)) AS shares, uniqExactIf(video_id, isNotNull(saves)) AS saves
     FROM cliptape.own_samples_v1 WHERE creator_id = '${creatorId}'`,
  )
  return row
}

/** Numbers of the newest posts alone: those of all would take a day of the hourly limit. */
async function keepNewest(count: number): Promise<void> {
  await rig.deps.db.executeSql(
    `update polled_posts set next_poll_at = null where video_id not in (
       select video_id from polled_posts order by published_at desc limit ${count})`,
  )
}

describe.each([
  { kind: 'instagram_login', host: 'instagram', index: ownAt },
  { kind: 'facebook_login', host: 'facebook', index: 0 },
] as const)('an own account with the kind $kind', ({ kind, host, index }) => {
  it('is read whole: itself, all its posts, and the insights of each', async () => {
    const { platformAccountId } = await rig.link(kind, { index })
    await rig.plan()
    await only('account', 'posts')
    await readFor(0.3 * hourMs, 0.1 * hourMs)
    const ids = postsOf(index).map(post => post.id)
    const known = await rig.deps.db.system.selectFrom('polled_posts').select(['video_id', 'product', 'title']).execute()
    expect(new Set(known.map(post => post.video_id))).toEqual(new Set(ids))
    expect(new Set(known.map(post => post.product))).toEqual(new Set(['REELS', 'FEED']))
    const [account] = await rig.ask<{ count: number; followers: number }>(
      `SELECT count() AS count, toFloat64(any(followers)) AS followers FROM cliptape.own_creator_samples_v1
       WHERE creator_id = '${platformAccountId}'`,
    )
    expect([account?.count, Number(account?.followers) > 0]).toEqual([1, true])

    await keepNewest(30)
    await rig.plan()
    await only('metrics')
    await readFor(0.3 * hourMs, 0.1 * hourMs)
    const numbers = await ownNumbersOf(platformAccountId)
    expect(numbers).toMatchObject({ views: numbers?.shares, saves: numbers?.shares })
    // All but those with too few viewers yet.
    expect(numbers?.views).toBeGreaterThan(25)
    const states = await rig.deps.budget.states(rig.rig.deps.ownerId)
    expect(states.map(state => state.bucket)).toEqual([`instagram:account/${platformAccountId}`])
    expect(rig.problems.filter(([, problem]) => problem !== null)).toEqual([])
  })

  it('is asked for a metric that a post refuses only once', async () => {
    await rig.link(kind, { index })
    await rig.plan()
    await only('posts')
    await readFor(0.3 * hourMs, 0.1 * hourMs)
    await keepNewest(1)
    await rig.plan()
    await only('metrics')
    // The question for all of them, and then the one for the first.
    rig.test.sandbox.controls.addFault({
      endpoint: `${host}.insights`,
      fault: { kind: 'error', name: '100' },
      times: 2,
    })
    rig.test.clock.advance(hourMs)
    await rig.read()
    expect(rig.asked(`${host}.insights`)).toBe(6)
    const refused = () =>
      rig.deps.db.system
        .selectFrom('polled_posts')
        .select('refused_metrics')
        .where('next_poll_at', 'is not', null)
        .execute()
    expect(await refused()).toEqual([{ refused_metrics: ['views'] }])
    rig.test.clock.advance(12 * hourMs)
    await rig.read()
    expect(rig.asked(`${host}.insights`)).toBe(7)
    expect(await refused()).toEqual([{ refused_metrics: ['views'] }])
  })

  it('has its days, one request each, of which the newest are read again', async () => {
    const { platformAccountId } = await rig.link(kind, { index })
    await rig.plan()
    await only('daily')
    await readFor(hourMs, 0.25 * hourMs)
    const days = async () => {
      const [row] = await rig.ask<{ count: number; last: string; saves: number }>(
        `SELECT count() AS count, toString(max(day)) AS last, countIf(isNotNull(saves)) AS saves
         FROM cliptape.own_days_v1 FINAL WHERE creator_id = '${platformAccountId}'`,
      )
      return row
    }
    expect(await days()).toEqual({ count: 30, last: '2037-11-20', saves: 30 })
    expect(rig.asked(`${host}.insights`)).toBe(30)
    rig.test.clock.advance(dayMs)
    await rig.read()
    expect(await days()).toMatchObject({ count: 31, last: '2037-11-21' })
    expect(rig.asked(`${host}.insights`)).toBe(33)
  })

  it('rests when the platform says that most of its limit is used', async () => {
    await rig.link(kind, { index })
    rig.test.sandbox.controls.limits.instagramPerDay = 12
    await rig.plan()
    await only('posts')
    await readFor(10 * 60_000, 60_000)
    const asked = rig.asked(`${host}.media`)
    // Nine of twelve are 75 %.
    expect(asked).toBeLessThan(12)
    const [state] = await rig.deps.budget.states(rig.rig.deps.ownerId)
    expect(state?.usagePercent).toBeGreaterThanOrEqual(75)
    expect(state?.blockedUntilMs).toBeGreaterThan(rig.test.clock.nowMs())
    rig.test.sandbox.controls.limits.instagramPerDay = 48_000
  })
})

describe('other accounts on Instagram', () => {
  it('are read by their name through an own one of Facebook Login, with the views of Reels', async () => {
    const other = creatorAt(4)
    await rig.deps.db.system
      .insertInto('monitored_creators')
      .values({
        owner_id: rig.rig.deps.ownerId,
        platform: 'instagram',
        creator_id: other.id,
        handle: other.handle,
      })
      .execute()
    await rig.link('instagram_login', { index: ownAt })
    await rig.plan()
    expect(await rig.deps.db.system.selectFrom('polls').select('id').where('path', '=', 'public').execute()).toEqual([])
    const { platformAccountId } = await rig.link('facebook_login', { index: 0 })
    await rig.plan()
    await rig.deps.db.executeSql(`delete from polls where path = 'own'`)
    await rig.read()
    const [creator] = await rig.ask<{ name: string; followers: number }>(
      `SELECT any(c.name) AS name, toFloat64(any(s.followers)) AS followers
       FROM cliptape.creators_v1 AS c INNER JOIN cliptape.creator_samples_v1 AS s ON s.creator_id = c.creator_id
       WHERE c.creator_id = '${other.id}'`,
    )
    expect(creator).toMatchObject({ name: other.name, followers: expect.any(Number) })
    const newest = postsOf(4).slice(0, 100)
    const [posts] = await rig.ask<{ ids: string[]; reels: number }>(
      `SELECT groupUniqArray(video_id) AS ids, uniqExactIf(video_id, isNotNull(views)) AS reels
       FROM cliptape.samples_v1 WHERE creator_id = '${other.id}' AND source = 'instagram-api'`,
    )
    expect(new Set(posts?.ids)).toEqual(new Set(newest.map(post => post.id)))
    expect(posts?.reels).toBe(newest.filter(post => post.kind === 'clip').length)
    // What is public of others counts for the app, not for the account.
    const states = await rig.deps.budget.states(rig.rig.deps.ownerId)
    expect(states.map(state => state.bucket)).toEqual(['instagram:app'])
    expect(await ownNumbersOf(platformAccountId)).toMatchObject({ count: expect.any(Number) })
  })
})

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openPollRig, type PollRig } from './poll-rig.ts'
import { publicScope } from './poll-rows.ts'

/** The place of the creator whom own accounts are linked to: of those in the picker the one with the fewest posts. */
const ownAt = 2
const dayMs = 86_400_000

let poll: PollRig
beforeAll(async () => {
  poll = await openPollRig({ creatorCount: 8, operatorKey: false })
})
afterAll(() => poll.close())
afterEach(async () => {
  await poll.rig.deps.db.executeSql('delete from developer_credentials; delete from dead_letters')
  await poll.reset()
})

const db = () => poll.rig.deps.db
const rows = async (text: string) => (await db().executeSql(text)).rows

async function monitor(creatorId: string): Promise<void> {
  await db()
    .system.insertInto('monitored_creators')
    .values({ owner_id: poll.rig.deps.ownerId, platform: 'youtube', creator_id: creatorId })
    .execute()
}

/** The credentials of a linked account, with the terms for derived metrics accepted. */
async function accept(vaultId: string): Promise<void> {
  const app = { platform: 'youtube' as const, kind: 'google', client_id: 'mine', vault_id: vaultId }
  const tried = { reason: null, next_validation_at: null, last_validated_at: null }
  await db()
    .system.insertInto('developer_credentials')
    .values({ owner_id: poll.rig.deps.ownerId, ...app, ...tried, amendment_accepted_at: new Date() })
    .execute()
}

describe('what YouTube says', () => {
  it('is kept for 30 days, and its numbers for 36 months once the terms are accepted, of one’s own as of others', async () => {
    const account = await poll.link('google', { index: ownAt })
    const other = poll.test.sandbox.controls.world.creatorAt('youtube', 3)?.id ?? ''
    await monitor(other)
    const kept = async (table: string, creatorId: string) =>
      await poll.ask(`SELECT source, max(dateDiff('day', observed_at, expires_at)) AS days FROM cliptape.${table}
        WHERE creator_id = '${creatorId}' GROUP BY source ORDER BY source`)
    await poll.plan()
    await poll.read()
    const own = { source: 'own:youtube-api', days: 30 }
    const shared = { source: 'youtube-api', days: 30 }
    for (const table of ['own_samples_v1', 'own_creator_samples_v1'])
      expect(await kept(table, account.platformAccountId)).toEqual([own])
    for (const table of ['samples_v1', 'creator_samples_v1', 'videos_v1', 'creators_v1'])
      expect([table, await kept(table, other)]).toEqual([table, [shared]])
    await accept(account.vaultId)
    poll.test.clock.advance(dayMs)
    await poll.read()
    for (const table of ['own_samples_v1', 'own_creator_samples_v1'])
      expect(await kept(table, account.platformAccountId)).toEqual([
        own,
        { source: `${own.source}:amendment`, days: 1095 },
      ])
    for (const table of ['samples_v1', 'creator_samples_v1'])
      expect(await kept(table, other)).toEqual([shared, { source: 'youtube-api:amendment', days: 1095 }])
    expect(await kept('creators_v1', other)).toEqual([shared, { source: 'youtube-api:amendment', days: 30 }])
  })

  it('is asked for again before it must be gone, fifty posts at once', async () => {
    const account = await poll.link('google', { index: ownAt })
    await poll.plan()
    await poll.read()
    const before = poll.asked('youtube.videos.list')
    const nowMs = poll.test.clock.nowMs()
    const soon = new Date(nowMs + 5 * dayMs).toISOString()
    await db().executeSql(`update polled_posts set title = 'as it was', expires_at = '${soon}', next_poll_at = now() - interval '99 years';
      update polls set next_poll_at = '${new Date(nowMs).toISOString()}' where task = 'metrics'`)
    await poll.read()
    const posts = await rows(`select title, expires_at from polled_posts where account_id = '${account.id}'`)
    expect(posts.length).toBeGreaterThan(1)
    expect(poll.asked('youtube.videos.list') - before).toBe(Math.ceil(posts.length / 50))
    for (const post of posts) {
      expect(post.title).not.toBe('as it was')
      expect(new Date(String(post.expires_at)).getTime()).toBe(nowMs + 30 * dayMs)
    }
  })

  it('of days is read again whole every tenth day, for it can be', async () => {
    const account = await poll.link('google', { index: ownAt })
    await poll.plan()
    await db().executeSql(`delete from polls where task <> 'daily'`)
    await poll.read()
    const { clock } = poll.test
    const readOnce = async () => {
      const [row] = await poll.ask<{ n: number }>(`SELECT uniqExact(day) AS n FROM cliptape.own_days_v1
        WHERE creator_id = '${account.platformAccountId}' AND observed_at = fromUnixTimestamp64Milli(toInt64(${clock.nowMs()}), 'UTC')`)
      return row?.n ?? 0
    }
    const year = await readOnce()
    expect(year).toBeGreaterThan(100)
    const readings: number[] = []
    while (readings.length < 10 && !readings.includes(year)) {
      clock.advance(dayMs)
      await poll.read()
      readings.push(await readOnce())
    }
    expect(readings.at(-1)).toBe(year)
    for (const count of readings.slice(0, -1)) expect(count).toBeLessThanOrEqual(10)
  })

  it('of private and unlisted posts stays with their owner, also when the owner’s token reads for everybody', async () => {
    const { world } = poll.test.sandbox.controls
    const creator = world.creatorAt('youtube', ownAt)
    if (!creator) throw new Error('The world is smaller.')
    const [secret, linked, later] = [...world.posts(creator, poll.test.clock.nowMs())].map(post => post.id)
    for (const [id, privacy] of [
      [secret, 'private'],
      [linked, 'unlisted'],
    ] as const)
      world.hide(id ?? '', privacy)
    await poll.link('google', { index: ownAt })
    await monitor(creator.id)
    await poll.rig.deps.store.command('TRUNCATE TABLE cliptape.samples_v1')
    await poll.rig.deps.store.command('TRUNCATE TABLE cliptape.videos_v1')
    await poll.plan()
    await poll.read()
    const found = async (table: string) =>
      (await poll.ask<{ id: string }>(`SELECT DISTINCT video_id AS id FROM cliptape.${table}`)).map(row => row.id)
    for (const table of ['samples_v1', 'videos_v1']) {
      const ids = await found(table)
      expect([table, ids.includes(secret ?? ''), ids.includes(linked ?? ''), ids.includes(later ?? '')]).toEqual([
        table,
        false,
        false,
        true,
      ])
    }
    expect(await found('own_samples_v1')).toEqual(expect.arrayContaining([secret, linked, later]))
    const known = await rows(`select video_id from polled_posts where scope = '${publicScope}'`)
    expect(known.map(row => row.video_id)).not.toContain(secret)

    world.hide(later ?? '', 'private')
    const readings = () => poll.ask(`SELECT count() AS n FROM cliptape.samples_v1 WHERE video_id = '${later}'`)
    const before = await readings()
    poll.test.clock.advance(dayMs)
    await poll.read()
    expect(await readings()).toEqual(before)
    for (const id of [secret, linked, later]) world.hide(id ?? '', 'public')
  })

  it.each(['-5', '9223372036854775808', '1.5'])(
    'that can be no counter (%s) is a dead letter, once, and costs nothing else',
    async value => {
      const account = await poll.link('google', { index: ownAt })
      const end = poll.test.sandbox.controls.addFault({ endpoint: '*', fault: { kind: 'odd', value }, times: 999 })
      await poll.plan()
      await poll.read()
      end()
      const letters = await rows(
        `select reason, message, source, convert_from(payload, 'utf8') as payload from dead_letters`,
      )
      const posts = await rows(`select video_id from polled_posts where account_id = '${account.id}' and title <> ''`)
      expect(letters.length).toBeGreaterThan(posts.length)
      expect(letters[0]).toMatchObject({ reason: 'out_of_range', source: 'own:youtube-api' })
      expect(String(letters[0]?.message)).toContain('out of its range')
      expect(letters.every(letter => String(letter.payload).includes(value))).toBe(true)
      expect(poll.problems).toEqual([])
      poll.test.clock.advance(dayMs)
      await poll.read()
      expect(await rows('select count(*)::int as n from dead_letters')).toEqual([{ n: letters.length }])
    },
  )
})

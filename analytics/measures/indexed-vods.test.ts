import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CreatorIdSchema } from '../../contracts/ids.ts'
import { type AnalyticsRig, startAnalyticsRig } from '../test-rig.ts'
import { indexedVods } from './indexed-vods.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const me = CreatorIdSchema.parse('youtube:me')
const you = CreatorIdSchema.parse('tiktok:you')

describe('videos in the order of indexing', () => {
  it('come once, however often they are described, with a cursor that neither skips nor repeats', async () => {
    await rig.fresh('2026-01-31T12:00:00Z')
    const from = ['a', 'b', 'c', 'd', 'e']
    await rig.videos(from.map(video => ({ video, creator: 'me', title: `First ${video}` })))
    const before = await all([me])
    expect(before.map(row => row.vodId)).toEqual(from.map(video => `youtube:${video}`))
    await rig.videos(from.map(video => ({ video, creator: 'me', title: `Later ${video}`, at: '2027-01-01 00:00:00' })))
    await rig.store.command('OPTIMIZE TABLE replay.videos_v1 FINAL')
    const after = await all([me], 2)
    expect(after.map(row => row.indexedAt)).toEqual(before.map(row => row.indexedAt))
    expect(after.map(row => row.title)).toEqual(from.map(video => `Later ${video}`))
  })

  it('begin at the instant that is asked for, which is in', async () => {
    await rig.fresh('2026-01-31T12:00:00Z')
    await rig.videos([{ video: 'old', creator: 'me' }])
    await passed()
    await rig.videos([{ video: 'new', creator: 'me' }])
    const [old, fresh] = await all([me])
    const ask = async (sinceMs: number) =>
      (await indexedVods(rig.ctx, { creators: [me], sinceMs, limit: 10 })).rows.map(row => row.vodId)
    expect(await ask(Date.parse(old?.indexedAt ?? ''))).toEqual(['youtube:old', 'youtube:new'])
    expect(await ask(Date.parse(old?.indexedAt ?? '') + 1)).toEqual(['youtube:new'])
    expect(await ask(Date.parse(fresh?.indexedAt ?? '') + 1)).toEqual([])
  })

  it('are those of the creators that are asked for', async () => {
    await rig.fresh('2026-01-31T12:00:00Z')
    await rig.videos([
      { video: 'mine', creator: 'me' },
      { video: 'yours', creator: 'you', platform: 'tiktok' },
      { video: 'crossed', creator: 'me', platform: 'tiktok' },
      { video: 'nobody' },
    ])
    expect((await all([me])).map(row => row.vodId)).toEqual(['youtube:mine'])
    expect((await all([me, you])).map(row => row.vodId).sort()).toEqual(['tiktok:yours', 'youtube:mine'])
    expect(await all([])).toEqual([])
  })

  it('of thousands of creators with long names fit into one question', async () => {
    await rig.fresh('2026-01-31T12:00:00Z')
    const names = Array.from({ length: 5000 }, (_, index) => `${index}-${'é'.repeat(100)}`)
    await rig.videos([{ video: 'last', creator: names.at(-1) ?? '' }])
    expect((await all(names.map(name => CreatorIdSchema.parse(`youtube:${name}`)))).map(row => row.vodId)).toEqual([
      'youtube:last',
    ])
  })

  it('stop before an insert that still runs, so that what it writes is never skipped', async () => {
    await rig.fresh('2026-01-31T12:00:00Z')
    // Bears the instant at which it begins, and is seen only when its last row has come.
    const slow = rig.store.command(
      `INSERT INTO replay.videos_v1 (platform, video_id, creator_id, kind, source, observed_at)
       SELECT 'youtube', concat('slow', toString(number + sleepEachRow(0.3))), 'me', 'clip', 'test', now64(3) FROM numbers(4) SETTINGS max_block_size = 1`,
    )
    while ((await running()) === 0) await new Promise(resolve => setImmediate(resolve))
    await rig.videos([{ video: 'quick', creator: 'me' }])
    const during = await indexedVods(rig.ctx, { creators: [me], sinceMs: 0, limit: 10 })
    expect(during.rows).toEqual([])
    await slow
    const rest = await all([me], 10, during.horizon.getTime())
    expect(rest.map(row => row.vodId).sort()).toEqual([
      'youtube:quick',
      'youtube:slow0',
      'youtube:slow1',
      'youtube:slow2',
      'youtube:slow3',
    ])
  })

  it('reach a program that polls, each at least once, while many are written at a time', async () => {
    await rig.fresh('2026-01-31T12:00:00Z')
    const seen = new Set<string>()
    let sinceMs = 0
    const poll = async () => {
      let cursor: string | undefined
      do {
        const page = await indexedVods(rig.ctx, { creators: [me], sinceMs, limit: 7, cursor })
        for (const row of page.rows) seen.add(row.vodId)
        cursor = page.nextCursor ?? undefined
        if (cursor === undefined) sinceMs = page.horizon.getTime()
      } while (cursor !== undefined)
    }
    const writer = async (name: string) => {
      for (let batch = 0; batch < 8; batch += 1) {
        const videos = Array.from({ length: 5 }, (_, index) => ({ video: `${name}-${batch}-${index}`, creator: 'me' }))
        await rig.videos(videos)
      }
    }
    let isWriting = true
    const writing = Promise.all(['x', 'y', 'z'].map(writer)).then(() => {
      isWriting = false
    })
    while (isWriting) await poll()
    await writing
    await passed()
    await poll()
    expect(seen.size).toBe(120)
  })

  it('refuse a cursor that is not ours', async () => {
    await expect(
      indexedVods(rig.ctx, { creators: [me], sinceMs: 0, limit: 1, cursor: 'nonsense' }),
    ).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

/** All pages, once the horizon has passed what was written. */
async function all(creators: Parameters<typeof indexedVods>[1]['creators'], limit = 100, sinceMs = 0) {
  await passed()
  const rows = []
  let cursor: string | undefined
  do {
    const page = await indexedVods(rig.ctx, { creators, sinceMs, limit, cursor })
    rows.push(...page.rows)
    cursor = page.nextCursor ?? undefined
  } while (cursor !== undefined)
  return rows
}

/** The engine's clock shows a later millisecond than any that was written. */
async function passed(): Promise<void> {
  const query = 'SELECT toUnixTimestamp64Milli(now64(3)) AS ms'
  const [start] = await rig.store.query<{ ms: number }>(query)
  let now = start
  while ((now?.ms ?? 0) <= (start?.ms ?? 0)) [now] = await rig.store.query<{ ms: number }>(query)
}

async function running(): Promise<number> {
  const [row] = await rig.store.query<{ n: number }>(
    `SELECT count() AS n FROM system.processes WHERE query_kind = 'Insert'`,
  )
  return row?.n ?? 0
}

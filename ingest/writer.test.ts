import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { BusEvents } from '../contracts/bus.ts'
import { AppError } from '../contracts/errors.ts'
import type { Item } from '../contracts/samples.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import { openRig, type Rig } from './test-rig.ts'
import { createWriter, liveLimits } from './writer.ts'

let rig: Rig
beforeAll(async () => {
  rig = await openRig()
})
afterAll(() => rig.close())

const at = Date.UTC(2026, 0, 1)
const sample = (videoId: string, views: number | bigint | null, observedAtMs = at): Item => ({
  kind: 'sample',
  row: {
    platform: 'tiktok',
    videoId,
    creatorId: 'name:tab\there\\',
    observedAtMs,
    views,
    likes: null,
    comments: 0,
    shares: null,
    saves: null,
    source: 'import:test',
    endpoint: 'e',
    definitionVersion: 1,
    expiresAtMs: null,
  },
})
const video = (videoId: string, title: string, observedAtMs: number): Item => ({
  kind: 'video',
  row: {
    platform: 'tiktok',
    videoId,
    creatorId: '',
    kind: 'clip',
    title,
    url: '',
    thumbnailUrl: '',
    publishedAtMs: null,
    endedAtMs: null,
    durationSeconds: null,
    category: '',
    tags: ["it's", 'a "tag"', 'tab\t'],
    regions: [],
    topics: [],
    observedAtMs,
    source: 'import:test',
  },
})

describe('the writer', () => {
  test('brings every value into the table as it was, from 1970 to the largest counter', async () => {
    await rig.clear()
    const writer = createWriter(rig.deps)
    await writer.write([
      sample('a', 9223372036854775807n, 1_767_225_600_123),
      sample('b', null, 0),
      sample('c', 0, 1_510_000),
      video('a', 'line\nbreak \ud83c\udfac lone \ud83c', 5),
    ])
    await writer.close()
    const rows = await rig.deps.store.query(
      `SELECT video_id, creator_id, toString(views) AS views, likes, comments,
         toUnixTimestamp64Milli(observed_at) AS at, toString(expires_at) AS keep
       FROM cliptape.samples_v1 ORDER BY video_id`,
    )
    const rest = { creator_id: 'name:tab\there\\', likes: null, comments: 0, keep: '2106-02-07 00:00:00' }
    expect(rows).toEqual([
      { video_id: 'a', views: '9223372036854775807', at: 1_767_225_600_123, ...rest },
      { video_id: 'b', views: null, at: 0, ...rest },
      { video_id: 'c', views: '0', at: 1_510_000, ...rest },
    ])
    expect(await rig.deps.store.query('SELECT title, tags FROM cliptape.videos_v1')).toEqual([
      { title: 'line\nbreak 🎬 lone \ufffd', tags: ["it's", 'a "tag"', 'tab\t'] },
    ])
  })

  test('settles after the rows are there, then acknowledges and tells the bus', async () => {
    await rig.clear()
    const order: string[] = []
    let stop: () => Promise<void> = async () => undefined
    const told = new Promise<BusEvents['samples.written']>((resolve, reject) => {
      rig.deps.bus.subscribe('samples.written', resolve).then(unsubscribe => {
        stop = unsubscribe
      }, reject)
    })
    const settle = async () => {
      const [row] = await rig.deps.store.query<{ count: number }>('SELECT count() AS count FROM cliptape.samples_v1')
      order.push(`settled over ${row?.count}`)
    }
    const writer = createWriter({ ...rig.deps, settle })
    await writer.write([sample('a', 1), sample('b', 2, at + 1)])
    order.push('acknowledged')
    await writer.close()
    expect(order).toEqual(['settled over 2', 'acknowledged'])
    expect(await told).toMatchObject({
      world: 'cliptape',
      platforms: ['tiktok'],
      videos: ['tiktok:a', 'tiktok:b'],
      isCut: false,
      rowCount: 2,
    })
    await stop()
  })

  test('says what it touched, and cuts the list of videos at a thousand', async () => {
    await rig.clear()
    const writer = createWriter(rig.deps)
    await writer.write(Array.from({ length: 1500 }, (_, index) => sample(`v${index}`, index, at + index)))
    await writer.close()
    expect(rig.touched).toHaveLength(1)
    expect(rig.touched[0]).toMatchObject({
      rowCount: 1500,
      minObservedAtMs: at,
      maxObservedAtMs: at + 1499,
      isCut: true,
    })
    expect(rig.touched[0]?.videos).toHaveLength(1000)
  })

  test('refuses a row out of range before the engine can wrap it, and takes nothing of that record', async () => {
    await rig.clear()
    const writer = createWriter(rig.deps)
    expect(writer.add([sample('a', 1), sample('b', -1)])).toBe('views')
    await expect(writer.write([sample('', 1)])).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await writer.close()
    expect(await rig.content()).toBe('\n\n\n\n\n\n\n\n')
  })

  test('takes more months of one video in one batch than the engine likes', { timeout: 90_000 }, async () => {
    await rig.clear()
    const writer = createWriter(rig.deps)
    await writer.write(Array.from({ length: 102 }, (_, month) => sample('a', month, Date.UTC(2016, month))))
    await writer.close()
    expect(await rig.deps.store.query('SELECT count() AS count FROM cliptape.samples_v1')).toEqual([{ count: 102 }])
  })

  test('keeps only the newest description of a video in a batch', async () => {
    await rig.clear()
    const writer = createWriter(rig.deps)
    await writer.write([video('a', 'new', 20), video('a', 'old', 10), video('a', 'newest', 30)])
    expect(writer.status().rowsWritten.video).toBe(1)
    await writer.close()
    expect(await rig.deps.store.query('SELECT title FROM cliptape.videos_v1')).toEqual([{ title: 'newest' }])
  })

  test('waits for an engine that restarts and writes the batch once it answers', async () => {
    await rig.clear()
    let failures = 3
    const store: AnalyticsStore = {
      ...portOf(rig.deps.store),
      insertRaw: async (...args) => {
        if (failures-- > 0) throw new AppError('UNAVAILABLE')
        await rig.deps.store.insertRaw(...args)
      },
    }
    const writer = createWriter({ ...rig.deps, store })
    const written = writer.write([sample('a', 1)])
    await written
    expect(failures).toBe(-1)
    expect(writer.status()).toMatchObject({ queuedRows: 0, isRetrying: false })
    await writer.close()
    expect(await rig.content()).toContain('"video_id":"a"')
  })

  test('tells who waits when a batch cannot be written, and goes on with the next', async () => {
    await rig.clear()
    let isBroken = true
    const store: AnalyticsStore = {
      ...portOf(rig.deps.store),
      insertRaw: async (...args) => {
        if (isBroken) throw new AppError('INTERNAL', 'The disk is full.')
        await rig.deps.store.insertRaw(...args)
      },
    }
    const writer = createWriter({ ...rig.deps, store })
    await expect(writer.write([sample('a', 1)])).rejects.toThrow('The disk is full.')
    writer.add([sample('b', 1)])
    await expect(writer.drain()).rejects.toThrow('The disk is full.')
    isBroken = false
    await writer.write([sample('c', 1)])
    await writer.close()
    expect(await rig.content()).toContain('"video_id":"c"')
  })

  test('holds the producer back while two batches wait', async () => {
    await rig.clear()
    let release: () => void = () => undefined
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    const settle = () => gate
    const writer = createWriter({ ...rig.deps, settle }, { ...liveLimits, rowsMax: 1 })
    writer.add([sample('a', 1)])
    writer.add([sample('b', 1)])
    let hasRoom = false
    const room = writer.room().then(() => {
      hasRoom = true
    })
    await rig.deps.store.ping()
    expect([hasRoom, writer.status().queuedRows]).toEqual([false, 2])
    release()
    await room
    await writer.close()
    expect(hasRoom).toBe(true)
  })

  test('gathers what comes while a batch is written into one, however great the hurry', async () => {
    await rig.clear()
    const { promise: gate, resolve: release } = Promise.withResolvers<void>()
    const rowCounts: number[] = []
    const settle = async ({ rowCount }: { rowCount: number }) => {
      rowCounts.push(rowCount)
      await gate
    }
    const writer = createWriter({ ...rig.deps, settle }, { ...liveLimits, ageMsMax: 3_600_000 })
    const written = ['a', 'b', 'c'].map(videoId => {
      const durable = writer.write([sample(videoId, 1)])
      writer.hurry()
      return durable
    })
    release()
    await Promise.all(written)
    expect(rowCounts).toEqual([1, 2])
    await writer.close()
  })
})

/** The methods of a store as a plain object, so that one of them can be replaced. */
function portOf(store: AnalyticsStore): AnalyticsStore {
  return {
    query: (...args) => store.query(...args),
    stream: (...args) => store.stream(...args),
    command: (...args) => store.command(...args),
    insert: (...args) => store.insert(...args),
    insertRaw: (...args) => store.insertRaw(...args),
    queryReadOnly: (...args) => store.queryReadOnly(...args),
    streamReadOnly: (...args) => store.streamReadOnly(...args),
    fileReadOnly: (...args) => store.fileReadOnly(...args),
    kill: id => store.kill(id),
    ping: () => store.ping(),
    status: () => store.status(),
    close: () => store.close(),
  }
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { repairRollups, settleRollups } from '../../analytics/settle.ts'
import type { WorldStatus } from '../../contracts/ws.ts'
import { memoryBus } from '../../core/bus/memory.ts'
import type { Bus } from '../../core/bus/port.ts'
import { dropWorld, migrateAnalytics } from '../../core/clickhouse/migrate.ts'
import type { AnalyticsStore } from '../../core/clickhouse/port.ts'
import { startTestStore } from '../../core/clickhouse/test-store.ts'
import { systemClock } from '../../core/clock.ts'
import { sampleFile } from '../../ingest/replay.ts'
import { openWorlds, type Worlds } from './worlds.ts'

const log = pino({ level: 'silent' })
const real = { database: 'cliptape', clock: systemClock } as const

let folder: string
let store: AnalyticsStore
let bus: Bus
let worlds: Worlds
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-worlds-'))
  store = (await startTestStore({ world: 'cliptape', dataDir: join(folder, 'analytics') })).store
  await repairRollups(store, real)
  bus = memoryBus({ log })
  worlds = await open()
})
afterAll(async () => {
  await worlds.close()
  await bus.close()
  await store.close()
  await rm(folder, { recursive: true })
})

const open = (): Promise<Worlds> =>
  openWorlds({
    store,
    bus,
    log,
    settle: (touched, world) => settleRollups(store, world, touched),
    prepareWorld: async database => {
      await migrateAnalytics(store, { database })
    },
    dropWorld: () => dropWorld(store, 'replay'),
    canReplay: true,
  })

const databases = async (): Promise<string[]> =>
  (await store.query<{ database: string }>('SELECT DISTINCT database FROM system.tables ORDER BY database')).map(
    row => row.database,
  )

async function insertReal(observedAt: string): Promise<void> {
  await store.insert('cliptape.samples_v1', [
    {
      platform: 'youtube',
      video_id: 'dQw4w9WgXcQ',
      creator_id: 'c',
      observed_at: observedAt,
      views: 5,
      source: 'import:generic',
      endpoint: '',
      definition_version: 1,
    },
  ])
}

/** What the world becomes after `act`, as everybody else learns it. */
async function changeAfter(act: () => Promise<unknown>): Promise<WorldStatus> {
  const changed = Promise.withResolvers<WorldStatus>()
  const unsubscribe = await bus.subscribe('world.changed', status => {
    if (status.mode !== 'replay') changed.resolve(status)
  })
  await act()
  return changed.promise.finally(unsubscribe)
}

const tellWritten = () =>
  bus.publish('samples.written', {
    world: 'cliptape',
    platforms: ['youtube'],
    videos: [],
    isCut: true,
    rowCount: 1,
    atMs: systemClock.nowMs(),
  })

it('plays the shipped sample while there is nothing real, and says that it is not live', () => {
  expect(worlds.current().database).toBe('replay')
  expect(worlds.status()).toMatchObject({ mode: 'replay' })
  expect(worlds.status().notice).toMatch(/Not live data/)
})

it('drops the sample when the first real rows come; old ones are called history, and windows end at the newest', async () => {
  const status = await changeAfter(async () => {
    await insertReal('2018-06-14 00:00:00.000')
    await tellWritten()
  })
  expect(status).toMatchObject({
    mode: 'history',
    now: '2018-06-14T00:00:00.000Z',
    speed: 0,
    sources: ['import:generic'],
  })
  expect(worlds.current().database).toBe('cliptape')
  expect(await databases()).not.toContain('replay')
})

it('plays a file on request beside real rows, and goes back to them', async () => {
  const playing = await worlds.startReplay({ file: sampleFile, speed: 100, loop: false })
  expect(playing).toMatchObject({ mode: 'replay', speed: 100 })
  expect(worlds.current().database).toBe('replay')
  expect(await worlds.stopReplay()).toMatchObject({ mode: 'history' })
  expect(await databases()).not.toContain('replay')
})

it('stays where it was when a file cannot be played', async () => {
  const broken = join(folder, 'broken.csv')
  await writeFile(broken, 'no,such,table\n1,2,3\n')
  await expect(worlds.startReplay({ file: broken, speed: 100, loop: false })).rejects.toThrow()
  expect(worlds.status()).toMatchObject({ mode: 'history' })
})

it('takes the wall clock as soon as a reading is fresh', async () => {
  const now = new Date(systemClock.nowMs()).toISOString().replace('T', ' ').replace('Z', '')
  const status = await changeAfter(async () => {
    await insertReal(now)
    await tellWritten()
  })
  expect(status).toMatchObject({ mode: 'live', speed: 1 })
})
